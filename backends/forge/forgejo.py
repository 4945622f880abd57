"""The forge of a team: a Forgejo or a Gitea, over its HTTP API."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path

from backends.forge.base import (
    Asset,
    Branch,
    Change,
    CommitStatus,
    Hook,
    Page,
    Progress,
    Release,
    StatusState,
)
from backends.forge.credential import git_variables
from backends.forge.forgejo_api import ForgejoApi
from backends.forge.forgejo_assets import Uploads
from backends.forge.forgejo_changes import Changes
from backends.forge.forgejo_downloads import Downloads
from backends.forge.forgejo_drafts import Drafts
from backends.forge.forgejo_errors import Site
from backends.forge.forgejo_extra import Extra, MergeMethod, PullRequest, Version
from backends.forge.forgejo_hooks import Hooks
from backends.forge.forgejo_http import ForgejoHttp, Sleep
from backends.forge.forgejo_issues import Issues
from backends.forge.forgejo_protection import weaknesses
from backends.forge.forgejo_records import RawRepository, User
from backends.forge.forgejo_redact import Redactor, check_token
from backends.forge.forgejo_releases import Releases
from backends.forge.forgejo_repos import Repositories
from backends.forge.issues import Comment, Issue
from backends.forge.lean_httpx import httpx
from backends.model.names import check_repo


class Forgejo:
    """A `Forge` at the address `url`, as whoever `token` belongs to ("": nobody, so only what is public).

    `token_file` is where git reads the token when it needs it. `poll_seconds` is how often `changes` looks.
    A release's `author` is the account that published it, and its times have whole seconds: what the forge keeps.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        token_file: Path | None = None,
        poll_seconds: float = 60,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._token_file = token_file
        site = Site(self.url, bool(token), Redactor(check_token(token) if token else ""))
        self._http = ForgejoHttp(site, token, sleep=sleep, chance=chance, transport=transport)
        self._api = ForgejoApi(self._http)
        self._repositories = Repositories(self._api)
        self._releases = Releases(self._api, self._repositories)
        self._drafts = Drafts(self._releases)
        self._downloads = Downloads(self._releases)
        self._uploads = Uploads(self._releases, self._drafts, self._downloads)
        self._hooks = Hooks(self._api, self._repositories)
        self._issues = Issues(self._api, self._repositories)
        self._extra = Extra(self._api, self._repositories)
        self._changes = Changes(self._api, poll_seconds)

    def __repr__(self) -> str:
        return f"Forgejo({self.url!r})"

    @property
    def tokens_page(self) -> str:
        """Where a person makes a token."""
        return self._api.site.tokens_page

    async def repositories(self) -> tuple[str, ...]:
        return await self._repositories.names()

    async def create_repository(self, repo: str, *, private: bool = True) -> RawRepository:
        return await self._repositories.create(repo, private=private)

    async def clone_url(self, repo: str) -> str:
        await self._repositories.get(repo)
        return f"{self.url}/{check_repo(repo)}.git"

    def git_environment(self) -> Mapping[str, str]:
        return git_variables(self.url, self._token_file)

    async def branches(self, repo: str, *, page: int = 1, limit: int = 50) -> Page[Branch]:
        return await self._repositories.branches(repo, page, limit)

    async def branch(self, repo: str, name: str) -> Branch:
        return await self._repositories.branch(repo, name)

    async def create_branch(self, repo: str, name: str, source: str) -> Branch:
        return await self._repositories.create_branch(repo, name, source)

    async def set_default_branch(self, repo: str, branch: str) -> None:
        """Make `branch` the one that a clone stands on. Raises HeroError."""
        await self._extra.set_default_branch(repo, branch)

    async def compare(self, repo: str, base: str, head: str, *, page: int = 1, limit: int = 50) -> Page[Change]:
        return await self._repositories.compare(repo, base, head, page, limit)

    async def raw_file(self, repo: str, ref: str, path: str) -> bytes | None:
        return await self._repositories.raw_file(repo, ref, path)

    async def put_file(
        self, repo: str, path: str, content: bytes, message: str, branch: str, sha: str | None = None
    ) -> str:
        """As `Extra.put_file`."""
        return await self._extra.put_file(repo, path, content, message, branch, sha)

    async def releases(
        self,
        repo: str,
        *,
        branch: str | None = None,
        page: int = 1,
        limit: int = 30,
        drafts: bool = False,
    ) -> Page[Release]:
        return await self._releases.page(repo, branch, page, limit, drafts)

    async def latest_release(self, repo: str, branch: str) -> Release | None:
        return await self._releases.latest(repo, branch)

    async def release(self, repo: str, tag: str) -> Release:
        return await self._releases.get(repo, tag)

    async def create_draft(
        self, repo: str, *, tag: str, commit: str, title: str, body: str, author: str
    ) -> Release:
        return await self._drafts.create(repo, tag=tag, commit=commit, title=title, body=body)

    async def upload_asset(
        self,
        repo: str,
        release_id: str,
        path: Path,
        *,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> Asset:
        return await self._uploads.upload(repo, release_id, path, name, progress)

    async def open_asset(self, repo: str, tag: str, name: str, *, offset: int = 0) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._downloads.open(repo, tag, name, offset)) as chunks:
            async for chunk in chunks:
                yield chunk

    def read_asset(self, repo: str, asset: Asset) -> AsyncIterator[bytes]:
        """The bytes of a file of a draft, whose digest no forge tells; `open_asset` gives it to nobody."""
        check_repo(repo)
        return self._downloads.read(asset)

    async def publish(self, repo: str, release_id: str) -> Release:
        return await self._drafts.publish(repo, release_id)

    async def delete_draft(self, repo: str, release_id: str) -> None:
        await self._drafts.delete(repo, release_id)

    async def set_status(
        self, repo: str, commit: str, state: StatusState, *, context: str, description: str = "", url: str = ""
    ) -> None:
        await self._repositories.set_status(repo, commit, state, context, description, url)

    async def statuses(self, repo: str, commit: str) -> tuple[CommitStatus, ...]:
        return await self._repositories.statuses(repo, commit)

    async def hooks(self, repo: str) -> tuple[Hook, ...]:
        return await self._hooks.all(repo)

    async def create_hook(self, repo: str, url: str, secret: str) -> Hook:
        return await self._hooks.create(repo, url, secret)

    async def delete_hook(self, repo: str, hook_id: str) -> None:
        await self._hooks.delete(repo, hook_id)

    async def addresses(self, repo: str) -> tuple[str, ...]:
        return await self._issues.addresses(repo)

    async def issue(self, repo: str, number: int) -> Issue:
        return await self._issues.get(repo, number)

    async def comments(self, repo: str, number: int, *, newest: int = 50) -> tuple[Comment, ...]:
        return await self._issues.comments(repo, number, newest)

    async def comment(self, repo: str, number: int, text: str, *, key: str = "") -> Comment:
        return await self._issues.comment(repo, number, text, key)

    async def pull_request(self, repo: str, head: str, base: str, title: str, body: str) -> PullRequest:
        """As `Extra.pull_request`."""
        return await self._extra.pull_request(repo, head, base, title, body)

    async def merge_pull_request(
        self, repo: str, number: int, method: MergeMethod, head_commit: str
    ) -> PullRequest:
        """As `Extra.merge_pull_request`."""
        return await self._extra.merge_pull_request(repo, number, method, head_commit)

    async def version(self) -> Version:
        """What the forge is. Raises HeroError."""
        return await self._extra.version()

    async def user(self) -> User:
        """Whose the token is. Raises HeroError denied where it is nobody's."""
        return await self._extra.user()

    async def check(self, repo: str, *, owner_too: bool = True) -> list[str]:
        """As `Extra.check`."""
        return await self._extra.check(repo, owner_too=owner_too)

    async def branch_weaknesses(self, repo: str, branch: str) -> tuple[str, ...]:
        """Why `branch` may change without a review, a sentence each; none where it is protected."""
        return await weaknesses(self._api, repo, branch)

    async def add_writer(self, repo: str, user: str) -> None:
        """Let the account `user` of the forge read and push to `repo`. Raises HeroError not_found, denied."""
        await self._extra.add_writer(repo, user)

    def changes(self) -> AsyncIterator[str]:
        return self._changes.watch()

    async def aclose(self) -> None:
        self._changes.close()
        await self._http.aclose()
