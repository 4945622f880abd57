"""What every action needs at hand: the machine's places, the state, a way to run programs, whose home is whose."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.durable import sync_folder
from backends.forge.base import Forge
from backends.team.accounts import read_accounts
from backends.team.commands import Run, run
from backends.team.homes import CHILD, SECONDS, Owner, in_home
from backends.team.looking import owner_of
from backends.team.places import Places
from backends.team.state import StateFile

Note = Callable[[str, str], None]
"""Puts a sentence about a user into the audit log."""


@dataclass(frozen=True)
class Machine:
    """One machine and what is known of it. `note` tells people what no action's sentence has."""

    places: Places
    state: StateFile
    note: Note
    forge: Forge | None = None
    run: Run = run
    child: Sequence[str] = field(default=CHILD)

    async def owner(self, login: str, home: Path | None = None) -> Owner:
        """Whose home `login`'s is, or is to be once it is moved from `home`. Raises HeroError."""
        accounts = await asyncio.to_thread(read_accounts, self.places.etc)
        found = owner_of(self.places, accounts, login)
        return Owner(login, found.uid, found.gid, str(home)) if home else found

    async def in_home(self, owner: Owner, work: str, seconds: float = SECONDS, **given: Any) -> dict[str, Any]:
        """As `homes.in_home`."""
        return await in_home(owner, work, seconds=seconds, child=self.child, **given)

    async def remove_tree(self, path: Path) -> None:
        """Remove what a user had at `path`, in a folder of root's; nothing mounted in it. Raises HeroError."""
        if os.path.lexists(path):
            await self.run("rm", "-rf", "--one-file-system", "--", str(path), seconds=3600.0)

    def stage(self, path: Path, owner: Owner) -> None:
        """An empty folder of the owner's at `path`, in a folder of root's."""
        path.mkdir(mode=0o700)
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)

    def move(self, source: Path, target: Path) -> None:
        """Rename within the folder of homes, and have it on disk."""
        source.rename(target)
        sync_folder(target.parent)
