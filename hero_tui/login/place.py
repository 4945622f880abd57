"""What the first steps and the secrets verbs work on: one slot, its forge and its secrets repository."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from backends.box_files import read_boxfile, read_team
from backends.client.locate import Where
from backends.forge.base import Forge
from backends.forge.open import open_forge
from backends.model.boxfile import BoxFile
from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.team import TeamRepo
from backends.slot.secrets_draft import Drafts, drafts_of
from backends.slot.secrets_repo import SecretsRepo

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """The slot of `login` on a box, and what the team repo says."""

    where: Where
    login: str
    boxfile: BoxFile
    paths: SlotPaths
    team: TeamRepo

    @property
    def is_system(self) -> bool:
        return self.boxfile.kind == "system"

    @property
    def secrets_repo(self) -> str:
        """The user's private repository, as hero_team_sync names it."""
        return f"{self.boxfile.team_repo.partition('/')[0]}/{self.login}_secrets"

    @property
    def nobody_makes_it(self) -> bool:
        """Whether the secrets repository is ours to make: a forge that is a folder has no reconciler beside it."""
        return self.boxfile.forge.kind == "folder"

    @property
    def admins(self) -> str:
        """Whom to ask, for a sentence."""
        names = self.team.team.admins if self.team.team else ()
        return " or ".join(names) or "an admin of the team"

    def shown(self, path: Path) -> str:
        """A path in the slot as its owner writes it."""
        return f"~/hero/{path.relative_to(self.paths.root)}" if self.is_system else str(path)

    def open_forge(self) -> Forge:
        """The forge as this user. Raises HeroError."""
        # On a system box the box's token is the box's alone.
        box = self.where.box
        tokens = (self.paths.forge_token,) if self.is_system else (self.paths.forge_token, box.forge_token)
        return open_forge(box, self.boxfile.forge, tokens)

    def on_secrets(self, work: Callable[[SecretsRepo], Awaitable[T]]) -> T:
        """Do `work` with the secrets repository, in a loop of its own: an editor may block between two. Raises
        HeroError."""

        async def run() -> T:
            forge = self.open_forge()
            try:
                return await work(SecretsRepo(self.paths, forge, self.secrets_repo, self.login, self.drafts))
            finally:
                await forge.aclose()

        return asyncio.run(run())

    @property
    def drafts(self) -> Drafts:
        return drafts_of(self.paths)


def place_of(where: Where) -> Place:
    """The slot that is meant. Raises HeroError."""
    paths = where.slot()
    if not paths.root.is_dir():
        raise HeroError("denied", f"{where.user}'s slot is {where.user}'s alone.")
    team, _ = read_team(where.box.team)
    return Place(where, where.user, read_boxfile(where.box), paths, team)
