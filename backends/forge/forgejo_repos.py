"""Repositories of a Forgejo: which there are, their branches, commits, files, and the making of new ones."""

from __future__ import annotations

import contextlib
from urllib.parse import quote

from backends.forge.base import Branch, Change, CommitStatus, Page, StatusState, check_page
from backends.forge.forgejo_api import ForgejoApi, Query, part
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_records import (
    RawBranch,
    RawCommit,
    RawRepository,
    RawStatus,
    Record,
    read,
    read_all,
    to_branch,
    to_change,
    to_status,
)
from backends.forge.git import is_full_hash
from backends.model.errors import HeroError, unknown_name
from backends.model.names import BadValue, check_branch, check_commit, check_relative_path, check_repo
from backends.model.text import safe_line

RAW_LIMIT = 16 << 20
"""Largest file in bytes that `raw_file` gives."""
TRUNK = "development"
"""The branch that a new repository stands on."""

_NEAR_PAGES = 10
"""Pages of names that are looked through to say which one was meant."""
_STATUS_PAGES = 20
_LEAN: Query = {"stat": False, "verification": False, "files": False}


class _Named(Record):
    sha: str


class _Tag(Record):
    name: str
    commit: _Named


class Repositories:
    """The repositories that `api` shows us. Methods raise HeroError as `Forge` says."""

    def __init__(self, api: ForgejoApi) -> None:
        self.api = api

    async def names(self, *, pages: int = 1000) -> tuple[str, ...]:
        """All repositories, sorted; at most `pages` of the most recently changed ones."""
        query = {"sort": "updated", "order": "desc"}
        found = [raw async for raw in self.api.every("/repos/search", query=query, inside="data", pages=pages)]
        return tuple(sorted({raw.full_name for raw in read_all(RawRepository, found) if is_repo(raw.full_name)}))

    async def get(self, repo: str) -> RawRepository:
        """The repository. Raises HeroError not_found with the nearest names."""
        answer = await self.api.find(f"/repos/{check_repo(repo)}")
        if answer is None:
            raise unknown_name("repository", repo, await self.names(pages=_NEAR_PAGES))
        return read(RawRepository, answer, self.api.site, f"GET /repos/{repo}")

    async def create(self, repo: str, *, private: bool) -> RawRepository:
        """An empty repository in its organisation, or in the account that the token belongs to."""
        owner, _, name = check_repo(repo).partition("/")
        body = {"name": name, "private": private, "default_branch": TRUNK, "auto_init": False}
        try:
            answer = await self.api.json("POST", f"/orgs/{owner}/repos", body=body)
        except HeroError as error:
            if status_of(error) == 409:
                raise self._taken(repo) from None
            if status_of(error) != 404:
                raise
            answer = await self._create_own(repo, body)
        return read(RawRepository, answer, self.api.site, f"POST /orgs/{owner}/repos")

    async def _create_own(self, repo: str, body: dict[str, object]) -> object:
        owner = repo.partition("/")[0]
        me = (await self.api.json("GET", "/user") or {}).get("login")
        if not isinstance(me, str) or me.lower() != owner.lower():
            raise HeroError(
                "not_found",
                f"{self.api.site.name} has no organisation called {owner!r}, so {repo} cannot be made in it.",
                hint="Create the organisation on the forge first, or check its name.",
            )
        try:
            return await self.api.json("POST", "/user/repos", body=body)
        except HeroError as error:
            raise self._taken(repo) if status_of(error) == 409 else error from None

    def _taken(self, repo: str) -> HeroError:
        return HeroError("conflict", f"There is a repository {repo} already.", hint="Use that one.")

    async def branches(self, repo: str, page: int, limit: int) -> Page[Branch]:
        """Branches as the server sorts them: newest commit first."""
        check_page(page, limit)
        path = f"/repos/{check_repo(repo)}/branches"
        try:
            found, more = await self.api.window(path, (page - 1) * limit, page * limit)
        except HeroError as error:
            raise await self._sharper(error, repo) from None
        heads = [to_branch(raw) for raw in read_all(RawBranch, found)]
        return Page(tuple(head for head in heads if "\ufffd" not in head.name), page + 1 if more else None)

    async def branch(self, repo: str, name: str) -> Branch:
        """The branch called exactly `name`. Raises HeroError not_found with the nearest names."""
        check_branch(name)
        if found := await self.find_branch(repo, name):
            return found
        await self.get(repo)
        close = [head.name for head in (await self.branches(repo, 1, 500)).items]
        raise unknown_name("branch", safe_line(name, 200), close)

    async def find_branch(self, repo: str, name: str) -> Branch | None:
        path = f"/repos/{check_repo(repo)}/branches/{part(name)}"
        answer = await self.api.find(path)
        if answer is None:
            return None
        found = to_branch(read(RawBranch, answer, self.api.site, f"GET {path}"))
        return found if found.name == name else None

    async def tag_commit(self, repo: str, tag: str) -> str | None:
        """The full hash of the commit that the git tag called exactly `tag` stands on; None without such a tag."""
        path = f"/repos/{check_repo(repo)}/tags/{part(tag)}"
        answer = await self.api.find(path)
        if answer is None:
            return None
        found = read(_Tag, answer, self.api.site, f"GET {path}")
        return found.commit.sha if found.name == tag and is_full_hash(found.commit.sha) else None

    async def has_commit(self, repo: str, commit: str) -> bool:
        """Whether the forge has the commit with this full hash."""
        return await self.api.find(f"/repos/{check_repo(repo)}/git/commits/{commit}", _LEAN) is not None

    async def resolve(self, repo: str, ref: str) -> str:
        """The commit of a full hash (not looked up), else of the branch, else of the tag called `ref`."""
        if is_full_hash(ref):
            return ref
        with contextlib.suppress(BadValue):
            check_branch(ref)
            if head := await self.find_branch(repo, ref):
                return head.commit
            if commit := await self.tag_commit(repo, ref):
                return commit
        await self.get(repo)
        close = [head.name for head in (await self.branches(repo, 1, 500)).items]
        raise unknown_name("branch, tag or commit", safe_line(ref, 200), close)

    async def raw_file(self, repo: str, ref: str, path: str) -> bytes | None:
        check_repo(repo)
        check_relative_path(path)
        commit = await self.resolve(repo, ref)
        try:
            reply = await self.api.reply(
                "GET", f"/repos/{repo}/raw/{quote(path)}", query={"ref": commit}, limit=RAW_LIMIT
            )
        except HeroError as error:
            if status_of(error) != 404:
                raise
            await self._check_commit(repo, commit)
            return None
        return reply.body

    async def _check_commit(self, repo: str, commit: str) -> None:
        if await self.has_commit(repo, commit):
            return
        await self.get(repo)
        raise HeroError(
            "not_found",
            f"{repo} has no commit {commit[:8]}.",
            hint="Push it first, or check the hash.",
            data={"commit": commit},
        )

    async def compare(self, repo: str, base: str, head: str, page: int, limit: int) -> Page[Change]:
        """Asks for commits, which come in pages: the forge's own comparison is one answer, however long."""
        check_page(page, limit)
        old, new = await self.resolve(repo, base), await self.resolve(repo, head)
        if old == new:
            return Page((), None)
        query = {"sha": new, "not": old, **_LEAN}
        try:
            found, more = await self.api.window(
                f"/repos/{repo}/commits", (page - 1) * limit, page * limit, query=query
            )
        except HeroError as error:
            if status_of(error) in (404, 500):
                await self._check_commit(repo, old)
                await self._check_commit(repo, new)
            raise
        return Page(tuple(to_change(raw) for raw in read_all(RawCommit, found)), page + 1 if more else None)

    async def create_branch(self, repo: str, name: str, source: str) -> Branch:
        check_branch(name)
        commit = await self.resolve(repo, source)
        body = {"new_branch_name": name, "old_ref_name": commit}
        path = f"/repos/{check_repo(repo)}/branches"
        try:
            return to_branch(
                read(RawBranch, await self.api.json("POST", path, body=body), self.api.site, f"POST {path}")
            )
        except HeroError as error:
            # Whatever went wrong, also an answer that never came: what counts is what is there now.
            there = await self.find_branch(repo, name) if status_of(error) in (None, 409, 500) else None
            if there is None:
                await self._check_commit(repo, commit)
                raise
            if there.commit == commit:
                return there
        raise HeroError(
            "conflict",
            f"{repo} has a branch {safe_line(name, 200)} already, at {there.commit[:8]} instead of {commit[:8]}.",
            hint="Choose another name, or use the branch that is there.",
            data={"commit": there.commit},
        )

    async def set_status(
        self, repo: str, commit: str, state: StatusState, context: str, description: str, url: str
    ) -> None:
        body = {"state": state, "context": context, "description": description[:255], "target_url": url}
        path = f"/repos/{check_repo(repo)}/statuses/{check_commit(commit)}"
        try:
            await self.api.json("POST", path, body=body, repeat="always")
        except HeroError as error:
            if status_of(error) in (404, 500):
                await self._check_commit(repo, commit)
            raise

    async def statuses(self, repo: str, commit: str) -> tuple[CommitStatus, ...]:
        path = f"/repos/{check_repo(repo)}/commits/{check_commit(commit)}/status"
        try:
            found = [raw async for raw in self.api.every(path, inside="statuses", pages=_STATUS_PAGES)]
        except HeroError as error:
            if status_of(error) != 404:
                raise
            await self.get(repo)
            return ()
        newest = {raw.context: raw for raw in sorted(read_all(RawStatus, found), key=lambda raw: raw.id)}
        return tuple(to_status(newest[context]) for context in sorted(newest))

    async def _sharper(self, error: HeroError, repo: str) -> HeroError:
        """`error`, or the one that says that the repository is not there."""
        if status_of(error) == 404:
            try:
                await self.get(repo)
            except HeroError as absent:
                return absent
        return error


def is_repo(name: str) -> bool:
    """Whether `name` is one that we would use: forges allow a few that no folder should be called."""
    try:
        check_repo(name)
    except BadValue:
        return False
    return True
