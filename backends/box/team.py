"""The box's reading copy of the team repo: who is on the team, which services there are, what is wrong with it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path

from backends.box.fleet import Person
from backends.box_files import read_team
from backends.forge.base import Forge
from backends.forge.git import git, rev_parse
from backends.model.errors import HeroError
from backends.model.policy import Policy
from backends.model.state import CatalogueEntry
from backends.model.team import TeamRepo
from backends.model.team_files import CatalogueService, UserFile

log = logging.getLogger(__name__)

TRUNK = "development"
COMMIT_FILE = "COMMIT"
"""In a published checkout: the commit that it is of."""


class Team:
    """What the team repo `repo` of `forge` says, read from `checkout`. A bad file leaves in force what was."""

    def __init__(self, forge: Forge, repo: str, checkout: Path):
        self.repo = repo
        self.commit = ""
        self.problems: tuple[str, ...] = ()
        self._forge = forge
        self._checkout = checkout
        self._team = TeamRepo()
        self._refreshing = asyncio.Lock()

    @property
    def trunk(self) -> str:
        """The branch that the integration slot follows."""
        return self._team.team.trunk if self._team.team else TRUNK

    @property
    def admins(self) -> tuple[str, ...]:
        """Who may act for others."""
        return self._team.team.admins if self._team.team else ()

    @property
    def policy(self) -> Policy:
        """What actions and tools the team allows."""
        return self._team.policy

    @property
    def catalogue(self) -> tuple[CatalogueEntry, ...]:
        """The services that a slot may bind."""
        return tuple(_entry(service) for service in self._team.catalogue.services)

    @property
    def people(self) -> dict[str, Person]:
        """Everybody who has a slot."""
        users = self._team.users.items()
        return {name: Person(user.full_name, user.role) for name, user in users if user.enabled}

    def hides_logs(self, user: str) -> bool:
        """Whether `user` does not show their logs to teammates; so too where their file cannot be read."""
        found = self._team.users.get(user)
        return found.peek.logs == "none" if found else self._team.is_stopped(user)

    def hides_agents(self, user: str) -> bool:
        """As `hides_logs`, of what their agents were asked, did and said."""
        found = self._team.users.get(user)
        return found.peek.agents == "none" if found else self._team.is_stopped(user)

    async def refresh(self) -> bool:
        """Take what the forge has now; whether that changed anything. Never raises: see `problems`."""
        async with self._refreshing:
            before = (self.commit, self.problems)
            trouble: tuple[str, ...] = ()
            try:
                await self._fetch()
            except HeroError as error:
                log.warning("the team repo cannot be fetched: %s", error)
                trouble = (f"The team repo {self.repo} cannot be fetched: {error.message}",)
            await self._read(trouble)
            return (self.commit, self.problems) != before

    async def load(self) -> None:
        """Read the checkout that is there, or make it first."""
        if not (self._checkout / ".git").exists():
            await self.refresh()
            return
        async with self._refreshing:
            await self._read(())

    async def _fetch(self) -> None:
        url = await self._forge.clone_url(self.repo)
        if not (self._checkout / ".git").exists():
            await self._clone(url)
            return
        try:
            # Not from `origin`: the box may have moved since it was cloned.
            environment = self._forge.git_environment()
            await git("fetch", "--quiet", "--no-tags", "--", url, "HEAD", cwd=self._checkout, env=environment)
            await git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD", cwd=self._checkout)
        except HeroError as error:
            log.warning("the checkout of the team repo is made anew: %s", error.message)
            await self._clone(url)

    async def _clone(self, url: str) -> None:
        stamp = time.time_ns() // 1_000_000
        fresh = self._checkout.with_name(f".{self._checkout.name}.{stamp}.new")
        fresh.parent.mkdir(parents=True, exist_ok=True)
        environment = self._forge.git_environment()
        await git("clone", "--quiet", "--", url, str(fresh), cwd=fresh.parent, env=environment)
        if self._checkout.exists():
            self._checkout.rename(self._checkout.with_name(f"{self._checkout.name}.{stamp}.old"))
        fresh.rename(self._checkout)

    async def _read(self, trouble: tuple[str, ...]) -> None:
        found, problems = await asyncio.to_thread(read_team, self._checkout)
        self._team = _kept(self._team, found)
        self.problems = (*trouble, *(str(problem) for problem in problems))
        self.commit = await self._commit()

    async def _commit(self) -> str:
        try:
            return await rev_parse(self._checkout, "HEAD")
        except HeroError:
            return ""


class PublishedTeam(Team):
    """The team repo of a system box: its reconciler fetches, checks and publishes it; here it is only read."""

    async def _fetch(self) -> None:
        """Nothing: what is published is what counts."""

    async def load(self) -> None:
        """Read what is published; before the first reconcile that is nothing."""
        async with self._refreshing:
            await self._read(())

    async def _commit(self) -> str:
        return await asyncio.to_thread(_published_commit, self._checkout)


def _published_commit(checkout: Path) -> str:
    try:
        return (checkout / COMMIT_FILE).read_text(encoding="ascii").strip()[:64]
    except (OSError, UnicodeDecodeError):
        return ""


def _kept(before: TeamRepo, found: TeamRepo) -> TeamRepo:
    """`found`, with what was known of files that cannot be used now."""
    stopped: Mapping[str, UserFile] = {n: user for n, user in before.users.items() if found.is_stopped(n)}
    services_stopped = "services.toml" in found.stopped
    return TeamRepo(
        team=found.team or before.team,
        catalogue=before.catalogue if services_stopped else found.catalogue,
        users={**stopped, **found.users},
        templates=found.templates,
        policy=before.policy if "policy.toml" in found.stopped else found.policy,
        stopped=found.stopped,
    )


def _entry(service: CatalogueService) -> CatalogueEntry:
    return CatalogueEntry(
        name=service.name,
        repo=service.repo,
        short=service.short,
        core=service.core,
        platforms=service.platforms,
    )
