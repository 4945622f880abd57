"""Whether logs are files that their reader may open, and which; anything else is asked of a daemon."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from backends.client.locate import Where, is_system
from backends.model.errors import HeroError


def log_paths(where: Where, me: str, user: str, services: Sequence[str], build: str = "") -> dict[str, Path]:
    """The files of one's own services or build by their names; none where one is another's, journald's or closed.

    Of several services those that have logged nothing yet are among them, as long as there is a file of one.
    A teammate's log may lie open on a rootless box; whether it is shown is for the box to say, which knows the
    team's word.
    """
    names = (build,) if build else tuple(services)
    if user != me or any("/" in name or not name.strip(".") for name in names):
        return {}
    try:
        slot = where.slot(user)
    except HeroError:
        return {}
    if not build and is_system(where.box):
        return {}
    paths = {name: slot.build_log / f"{name}.log" if build else slot.service_log(name) for name in names}
    try:
        there = [path for path in paths.values() if path.exists()]
        readable = all(path.is_file() and os.access(path, os.R_OK) for path in there)
    except (OSError, ValueError):  # a name that no file can have
        return {}
    return paths if there and readable else {}
