"""The calls of the reconciler: what it would do and did, and where the machine differs from the team repo."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from backends.model.frozen import Frozen
from backends.model.method import Empty, Method


class TeamChangedParams(Frozen):
    """The reconciler tells the box what it did: the team repo is at `commit`, and these actions were taken."""

    commit: str = ""
    problems: tuple[str, ...] = ()
    actions: tuple[dict[str, Any], ...] = Field(default=(), description="Each with `user`, `sentence` and `ok`.")


class TeamAction(Frozen):
    """One thing that the reconciler does to the machine for a user, or has done."""

    kind: str
    user: str
    sentence: str
    detail: dict[str, Any] = Field(default_factory=dict)
    ok: bool | None = Field(default=None, description="None: it was not tried.")
    error: str = ""


class TeamRun(Frozen):
    """A reconcile, or with `team.plan` what one would do."""

    commit: str = Field(default="", description="The team repo's commit that is in force.")
    moved_from: str = Field(default="", description="The commit that was in force before, where it moved.")
    actions: tuple[TeamAction, ...] = ()
    problems: tuple[str, ...] = ()
    stopped: str = Field(default="", description="Why nothing at all was applied.")
    started_at: str = ""
    seconds: float = 0.0


class TeamUser(Frozen):
    """What the reconciler knows of a user that it has made an account for."""

    user: str
    uid: int
    phase: Literal["here", "leaving", "packed", "archived"]
    role: str = ""
    kept: bool = Field(default=False, description="Restored by hand: stays, whatever the team repo says.")
    archive: str = ""
    secrets: str = Field(default="", description="The repository that was made for the user's secrets.")


class TeamStatus(Frozen):
    commit: str = ""
    branch: str = ""
    repo: str = ""
    candidate: str = Field(default="", description="The newest commit that was seen, where it is not in force.")
    running: bool = False
    last: TeamRun | None = None
    users: tuple[TeamUser, ...] = ()
    interval: float = 0.0


class TeamRestoreParams(Frozen):
    user: str


class TeamAcceptParams(Frozen):
    commit: str = Field(description="The full hash of the branch's head on the forge.")


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
    Method("team.changed", "box", TeamChangedParams, Empty, "The reconciler was at work; from root only.", True),
    Method("team.plan", "team_sync", Empty, TeamRun, "What a reconcile would do; does nothing."),
    Method("team.apply", "team_sync", Empty, TeamRun, "Reconcile now with what is reviewed.", True),
    Method("team.status", "team_sync", Empty, TeamStatus, "The reviewed commit, the users, the last run."),
    Method(
        "team.restore", "team_sync", TeamRestoreParams, TeamRun, "Bring a removed user back; admins only.", True
    ),
    Method(
        "team.accept", "team_sync", TeamAcceptParams, TeamRun, "Follow a rewritten history; admins only.", True
    ),
    Method("team.diff", "team_sync", Empty, TeamDiff, "What the team repo wants beside what there is."),
)
