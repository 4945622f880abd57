"""The call that puts what the team repo wants beside what the machine is, for people to compare."""

from __future__ import annotations

from pydantic import Field

from backends.model.frozen import Frozen
from backends.model.method import Empty, Method


class TeamDifference(Frozen):
    """One user of whom the machine is not what the team repo wants, in lines of the same words on both sides."""

    user: str
    wanted: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    why: str = Field(default="", description="Why the reconciler leaves it as it is; empty where it would not.")


class TeamDiff(Frozen):
    """Everybody who differs, for the commit that would be followed now."""

    commit: str = ""
    differences: tuple[TeamDifference, ...] = ()
    stopped: str = Field(default="", description="Why nothing could be compared.")


TEAM_METHODS: tuple[Method, ...] = (
    Method("team.diff", "team_sync", Empty, TeamDiff, "What the team repo wants beside what there is."),
)
