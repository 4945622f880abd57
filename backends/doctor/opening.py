"""From a box's folder to what the checks may know of it, however broken its files are."""

from __future__ import annotations

from collections.abc import Sequence

from backends.box_files import read_boxfile, read_team
from backends.doctor.context import Context
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.team import TeamRepo


def open_context(box: BoxPaths, users: Sequence[str], *, at_terminal: bool = True) -> Context:
    """The context for looking at `box`, on which `users` have a slot; a bad box.toml is a finding, too."""
    try:
        file, trouble = read_boxfile(box), ""
    except HeroError as error:
        file, trouble = None, error.message
    try:
        team, _ = read_team(box.team)
    except OSError:
        team = TeamRepo()
    return Context(
        box=box,
        file=file,
        trouble=trouble,
        team=team,
        users=tuple(users),
        # Where the file cannot tell: the homes of a system box are the machine's.
        system=file.kind == "system" if file else box.homes.is_symlink(),
        at_terminal=at_terminal,
    )
