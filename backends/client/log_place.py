"""Whether a log is a file that its reader may open, and which; anything else is asked of a daemon."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backends.client.locate import Where, is_system
from backends.model.errors import HeroError


def log_path(where: Where, me: str, user: str, services: Sequence[str], build: str = "") -> Path | None:
    """The file of one's own service or build, None where the log is another's, several, journald's or not there.

    A teammate's log may lie open on a rootless box; whether it is shown is for the box to say, which knows the
    team's word.
    """
    if user != me or (not build and len(services) != 1):
        return None
    name = build or services[0]
    if "/" in name or not name.strip("."):
        return None
    try:
        slot = where.slot(user)
    except HeroError:
        return None
    if not build and is_system(where.box):
        return None
    path = slot.build_log / f"{build}.log" if build else slot.service_log(name)
    return path if path.is_file() else None
