"""Whom the team repo lets into the cockpit in the browser."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from backends.box_files import read_team
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.team_files import UserFile


class Members:
    """The people of a box's team repo as its checkout has them now; with `roles` only those of one of them."""

    def __init__(self, box: BoxPaths, roles: Sequence[str] = ()):
        self._box = box
        self._roles = frozenset(roles)

    async def is_let_in(self, login: str) -> bool:
        """Whether this person may look. Raises HeroError where the team repo cannot be read."""
        return login in await self._people()

    async def of_forge(self, forge_user: str) -> str:
        """The login of the forge's `forge_user`; "" where that is nobody who may look. Raises HeroError."""
        wanted = forge_user.casefold()
        people = await self._people()
        found = [login for login, one in people.items() if (one.forge_user or login).casefold() == wanted]
        return found[0] if len(found) == 1 else ""

    async def _people(self) -> Mapping[str, UserFile]:
        return await asyncio.to_thread(self._read)

    def _read(self) -> Mapping[str, UserFile]:
        try:
            repo, _ = read_team(self._box.team)
        except OSError as error:
            raise HeroError(
                "failed",
                f"The team repo's copy on this box cannot be read: {error.strerror}.",
                hint="`hero_dev doctor` on the box tells more.",
            ) from error
        if repo.team is None:
            raise HeroError(
                "failed",
                "The team repo's copy on this box has no usable team.toml.",
                hint="`hero_dev team status` on the box tells more.",
            )
        return {
            login: one
            for login, one in repo.users.items()
            if one.enabled and (not self._roles or one.role in self._roles)
        }
