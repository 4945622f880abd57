"""What one run goes by: the box's own file as it is now, its forge, the clone, and the commit that is in force."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from backends.box_files import read_boxfile
from backends.forge.base import Forge
from backends.forge.open import open_forge
from backends.model.boxfile import BoxFile
from backends.model.errors import HeroError
from backends.team.desired import desired_of
from backends.team.following import Followed, Guard
from backends.team.git_source import Clone, open_clone, passing_clone
from backends.team.places import Places
from backends.team.reading import Reading
from backends.team.state import State
from backends.team.values import Desired


@dataclass(frozen=True)
class Setting:
    """The box's file, its forge, and what a commit has to pass before it is in force."""

    places: Places
    file: BoxFile
    forge: Forge

    @property
    def guard(self) -> Guard:
        return Guard(self.forge, self.file.team_repo, self.file.team_sync)

    def desired(self, reading: Reading) -> Desired:
        """Whom the commit wants. Repositories for secrets only where a token can make them."""
        can_make = self.file.forge.kind == "forgejo" and self.places.box.forge_token.exists()
        return desired_of(reading.repo, self.file.team_repo.partition("/")[0] if can_make else "")

    @contextlib.asynccontextmanager
    async def following(self, state: State, *, passing: bool = False) -> AsyncIterator[tuple[Clone, Followed]]:
        """The clone, and which commit is in force; `passing`: a clone of which nothing stays. Raises HeroError."""
        trouble = ""
        try:
            url = await self.forge.clone_url(self.file.team_repo)
        except HeroError as error:
            url, trouble = "", f"The team repo {self.file.team_repo} cannot be fetched: {error.message}"
        variables = self.forge.git_environment()
        async with contextlib.AsyncExitStack() as stack:
            if passing:
                clone = await stack.enter_async_context(passing_clone(self.places.folder, url, variables))
            else:
                clone = await open_clone(self.places.folder, url, variables)
            if trouble:
                stopped = "" if state.reviewed else trouble
                yield clone, Followed(state.reviewed, state.branch, state.candidate, stopped, trouble)
            else:
                yield clone, await self.guard.follow(clone, state)


@contextlib.asynccontextmanager
async def open_setting(places: Places) -> AsyncIterator[Setting]:
    """Read anew for each run, so that another token or setting needs no restart. Raises HeroError."""
    file = read_boxfile(places.box)
    forge = open_forge(places.box, file.forge, (places.box.forge_token,))
    try:
        yield Setting(places, file, forge)
    finally:
        await forge.aclose()
