"""The team behind its screen: the box's checkout of the team repo, and on a system box the reconciler."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from backends.box_files import FILE_LIMIT, read_team
from backends.client.locate import Where, is_system
from backends.model.errors import HeroError
from backends.model.problems import Problem
from backends.model.team import TeamRepo
from backends.model.team_calls import TeamDiff, TeamDifference, TeamRun, TeamStatus
from backends.rpc.connection import connect
from backends.system_box import TEAM_SYNC_SOCKET
from hero_tui.line import same_words
from screens.team_view import TeamLook

R = TypeVar("R", bound=BaseModel)

STATUS_SECONDS = 5.0
PLAN_SECONDS = 300.0
"""The forge is asked for the newest commit, and every home is looked at."""
_AROUND = 2
_HIDDEN = "(not shown)"
"""What a problem says of a value that nobody should read again."""
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


class BoxTeam:
    """The team of one box, asked anew each time."""

    def __init__(self, where: Where):
        self._where = where

    async def look(self) -> TeamLook:
        """See `TeamSource`."""
        system = is_system(self._where.box)
        found = await asyncio.to_thread(self._read, system)
        if not system:
            return found
        try:
            status = await self._ask("team.status", TeamStatus, STATUS_SECONDS)
        except HeroError as error:
            return _replaced(found, None, f"{error.message} {error.hint}".strip())
        return _replaced(found, status, "")

    async def plan(self) -> TeamRun:
        """See `TeamSource`."""
        return await self._ask("team.plan", TeamRun, PLAN_SECONDS)

    async def diff(self) -> TeamDiff:
        """See `TeamSource`; on a rootless box, who has a file and no slot, or a slot and no file."""
        if is_system(self._where.box):
            return await self._ask("team.diff", TeamDiff, PLAN_SECONDS)
        found = await asyncio.to_thread(self._read, False)
        return TeamDiff(commit=found.commit, differences=slot_differences(found))

    async def _ask(self, method: str, result: type[R], seconds: float) -> R:
        if not is_system(self._where.box):
            raise HeroError(
                "usage",
                "A rootless box has no reconciler, and so no plan.",
                hint="Its slots are made by hand: `hero_dev box init --slot USER`.",
            )
        try:
            connection = await connect(self._socket, label="The reconciler")
        except HeroError as error:
            if error.code != "unreachable":
                raise
            message = f"The reconciler does not answer at {self._socket}."
            raise HeroError(error.code, message, hint="As root: `systemctl status hero_team_sync`.") from None
        try:
            with same_words("The reconciler", method):
                return result.model_validate(await connection.call(method, {}, timeout=seconds))
        finally:
            await connection.close()

    @property
    def _socket(self) -> Path:
        run = self._where.box.run.resolve().parent
        return run / TEAM_SYNC_SOCKET.parent.name / TEAM_SYNC_SOCKET.name

    def _read(self, system: bool) -> TeamLook:
        """The checkout. Raises HeroError where it cannot be read."""
        checkout = self._where.box.team
        try:
            repo, problems = read_team(checkout)
            excerpts = _excerpts(checkout, problems)
        except OSError as error:
            raise HeroError(
                "denied",
                f"The box's copy of the team repo cannot be read: {error.strerror}.",
                hint=f"It is {checkout}; everybody of the team may read it.",
            ) from error
        commit = _commit(checkout / "COMMIT") or _commit(checkout / ".git" / "HEAD")
        return TeamLook(repo, problems, commit, tuple(self._where.users()), system, excerpts=excerpts)


def slot_differences(look: TeamLook) -> tuple[TeamDifference, ...]:
    """Who has a file and no slot, or a slot and no file; nobody whose file cannot be used."""
    wanted = _wanted(look.repo)
    there = {login for login in look.slots if not look.repo.is_stopped(login)}
    sides = {True: ("slot: there",), False: ("slot: none",)}
    return tuple(
        TeamDifference(user=login, wanted=sides[login in wanted], there=sides[login in there], why=_BY_HAND)
        for login in sorted(wanted ^ there)
    )


_BY_HAND = "A rootless box has no reconciler: slots come and go by hand."


def _wanted(repo: TeamRepo) -> set[str]:
    return {login for login, user in repo.users.items() if user.enabled}


def _replaced(look: TeamLook, status: TeamStatus | None, trouble: str) -> TeamLook:
    return TeamLook(look.repo, look.problems, look.commit, look.slots, True, status, trouble, look.excerpts)


def _commit(path: Path) -> str:
    """The commit that the file names; "" where it names none, or a branch."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return text if _COMMIT.fullmatch(text) else ""


def _excerpts(checkout: Path, problems: tuple[Problem, ...]) -> Mapping[str, Mapping[int, str]]:
    """The lines around what is wrong; of none whose value is not to be shown. Raises OSError."""
    found: dict[str, dict[int, str]] = {}
    for name in {problem.file for problem in problems if problem.line}:
        own = [problem for problem in problems if problem.file == name]
        path = checkout / name
        if any(_HIDDEN in problem.found for problem in own) or path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as content:
            lines = content.read(FILE_LIMIT).decode("utf-8", "replace").splitlines()
        wanted = {number for one in own for number in range(one.line - _AROUND, one.line + _AROUND + 1)}
        found[name] = {number: lines[number - 1] for number in sorted(wanted) if 0 < number <= len(lines)}
    return found
