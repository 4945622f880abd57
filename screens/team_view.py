"""What the team's screen needs of whoever knows the team: its repo as it stands, what the reconciler says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from backends.model.problems import Problem
from backends.model.team import TeamRepo
from backends.model.team_calls import TeamDiff, TeamRun, TeamStatus


@dataclass(frozen=True)
class TeamLook:
    """One look at the team. `repo` and `problems` are of the box's checkout, which is at `commit`.

    `reconciled`: the box has a reconciler; `status` is what it told, `trouble` why it told nothing. `slots` are
    those that there are. `excerpts` have, by file, the lines around what is wrong, by their numbers.
    """

    repo: TeamRepo = field(default_factory=TeamRepo)
    problems: tuple[Problem, ...] = ()
    commit: str = ""
    slots: tuple[str, ...] = ()
    reconciled: bool = False
    status: TeamStatus | None = None
    trouble: str = ""
    excerpts: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


class TeamSource(Protocol):
    """Whoever knows the team of a box."""

    async def look(self) -> TeamLook:
        """As it stands. Raises HeroError where nothing can be read."""

    async def plan(self) -> TeamRun:
        """What the reconciler would do now; nothing is changed. Raises HeroError."""

    async def diff(self) -> TeamDiff:
        """Who is not as the team repo wants it. Raises HeroError."""
