"""What a Forgejo can do beyond the port: who and what it is, what the token may, files, pull requests."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from backends.forge.forgejo_api import ForgejoApi, part
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_records import RawPull, Record, User, read, read_all
from backends.forge.forgejo_repos import Repositories
from backends.model.errors import HeroError
from backends.model.names import check_branch, check_commit, check_relative_path, check_repo
from backends.model.text import safe_line

MergeMethod = Literal["merge", "rebase", "rebase-merge", "squash", "fast-forward-only"]

_TRIES = 5
_MERGE_TRIES = 20
_PAUSE = 0.5
"""Seconds between two tries of what the forge is not ready for."""
_SCOPE_WORDS = re.compile(r"`([a-z]+:[a-z]+)`")


@dataclass(frozen=True, slots=True)
class Version:
    """What the forge is. `number` is its own version, as it says it."""

    kind: Literal["forgejo", "gitea"]
    number: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request of `head` into `base` (branches); `commit` is the head's full hash."""

    number: int
    head: str
    base: str
    commit: str
    merged: bool
    url: str


class _Version(Record):
    version: str


class _Content(Record):
    sha: str


class _Written(Record):
    content: _Content


class Extra:
    """Methods raise HeroError."""

    def __init__(self, api: ForgejoApi, repositories: Repositories) -> None:
        self._api = api
        self._repositories = repositories

    async def version(self) -> Version:
        told = read(_Version, await self._api.json("GET", "/version"), self._api.site, "GET /version").version
        return Version("forgejo" if "+gitea-" in told else "gitea", safe_line(told, 100))

    async def user(self) -> User:
        return read(User, await self._api.json("GET", "/user"), self._api.site, "GET /user")

    async def check(self, repo: str, *, owner_too: bool = True) -> list[str]:
        """What the token lacks to say who it is, publish into `repo` and make others beside it; [] if nothing.

        Without `owner_too`, only what a developer needs: who it is, and to write to `repo`.
        Asks for things that cannot be made, for which a forge looks at the token first: nothing changes.
        """
        owner = check_repo(repo).partition("/")[0]
        probes = (
            ("GET", "/user", "to say whose it is"),
            ("POST", f"/repos/{repo}/releases", "to publish releases and set statuses"),
            ("GET", f"/repos/{repo}/hooks", "to install webhooks"),
            ("POST", f"/orgs/{owner}/repos", "to create repositories"),
        )
        asked = probes if owner_too else probes[:2]
        found = [await self._probe(method, path, why) for method, path, why in asked]
        return [sentence for sentence in dict.fromkeys(found) if sentence]

    async def _probe(self, method: str, path: str, why: str) -> str:
        try:
            await self._api.json(method, path, body={} if method == "POST" else None)
        except HeroError as error:
            status = status_of(error)
            if status == 422 or (status == 404 and path.startswith("/orgs/")):
                return ""
            if status == 401:
                return error.message
            if status not in (403, 404, 423):
                raise
            if scope := _SCOPE_WORDS.search(error.message):
                return f"The token lacks the scope `{scope[1]}`, {why}: {self._api.site.tokens_page}."
            return f"The token may not do what it takes {why}: {error.message}"
        return ""

    async def add_writer(self, repo: str, user: str) -> None:
        """Let the account `user` read and push to `repo`; one that may already stays as it is."""
        path = f"/repos/{check_repo(repo)}/collaborators/{part(user)}"
        try:
            await self._api.json("PUT", path, body={"permission": "write"}, repeat="always")
        except HeroError as error:
            if status_of(error) not in (404, 422):
                raise
            raise HeroError(
                "not_found",
                f"{safe_line(user, 100)} cannot be given {repo}: {error.message}",
                hint="Is there such an account on the forge? `forge_user` in the user's file names another one.",
            ) from None

    async def put_file(
        self, repo: str, path: str, content: bytes, message: str, branch: str, sha: str | None = None
    ) -> str:
        """Commit `content` as the file `path` on `branch`; the new blob's hash.

        `sha` is the hash of the blob that it replaces, None for a new file; HeroError conflict if that is not what
        is there.
        """
        where = f"/repos/{check_repo(repo)}/contents/{quote(check_relative_path(path))}"
        body: dict[str, object] = {
            "content": base64.b64encode(content).decode(),
            "message": message,
            "branch": check_branch(branch),
        }
        method = "POST" if sha is None else "PUT"
        try:
            answer = await self._api.json(
                method, where, body=body if sha is None else {**body, "sha": sha}, repeat="unsent"
            )
        except HeroError as error:
            if status_of(error) == 404:
                await self._repositories.branch(repo, branch)
            if status_of(error) in (409, 422):
                there = await self._blob(where, branch)
                if there != sha:
                    raise self._other_file(repo, path, branch, there) from None
            raise
        return read(_Written, answer, self._api.site, f"{method} {where}").content.sha

    async def _blob(self, where: str, branch: str) -> str | None:
        answer = await self._api.find(where, {"ref": branch})
        return None if answer is None else read(_Content, answer, self._api.site, f"GET {where}").sha

    def _other_file(self, repo: str, path: str, branch: str, there: str | None) -> HeroError:
        what = "is not there" if there is None else "is there already, or somebody changed it"
        return HeroError(
            "conflict",
            f"{repo}: {safe_line(path, 200)} on {safe_line(branch, 200)} {what}.",
            hint="Read it again, and change that.",
            data={"sha": there or ""},
        )

    async def pull_request(self, repo: str, head: str, base: str, title: str, body: str) -> PullRequest:
        """The open pull request of the branch `head` into `base`: the one that is there, else a new one."""
        check_branch(head)
        check_branch(base)
        path = f"/repos/{check_repo(repo)}/pulls"
        if there := await self._open_pull(repo, head, base):
            return there
        fields = {"head": head, "base": base, "title": title, "body": body}
        try:
            answer = await self._api.json("POST", path, body=fields)
        except HeroError as error:
            if status_of(error) == 404:
                await self._repositories.branch(repo, head)
                await self._repositories.branch(repo, base)
            # Somebody was faster, or the answer got lost.
            there = await self._open_pull(repo, head, base) if status_of(error) in (None, 409) else None
            if there is None:
                raise
            return there
        return self._pull(repo, read(RawPull, answer, self._api.site, f"POST {path}"))

    async def _open_pull(self, repo: str, head: str, base: str) -> PullRequest | None:
        found = [raw async for raw in self._api.every(f"/repos/{repo}/pulls", query={"state": "open"})]
        same = (raw for raw in read_all(RawPull, found) if (raw.head.ref, raw.base.ref) == (head, base))
        return next((self._pull(repo, raw) for raw in same), None)

    def _pull(self, repo: str, raw: RawPull) -> PullRequest:
        url = f"{self._api.site.base}/{repo}/pulls/{raw.number}"
        return PullRequest(raw.number, raw.head.ref, raw.base.ref, raw.head.sha, raw.merged, url)

    async def merge_pull_request(
        self, repo: str, number: int, method: MergeMethod, head_commit: str
    ) -> PullRequest:
        """Merge it if its head is still the full hash `head_commit`; one that is merged already is fine.

        Raises HeroError conflict where it cannot be merged, or its head moved.
        """
        path = f"/repos/{check_repo(repo)}/pulls/{number}"
        body = {"Do": method, "head_commit_id": check_commit(head_commit)}
        for left in reversed(range(_MERGE_TRIES)):
            raw = read(RawPull, await self._api.json("GET", path), self._api.site, f"GET {path}")
            if raw.merged:
                return self._pull(repo, raw)
            if raw.state == "closed":
                raise HeroError(
                    "conflict", f"The pull request {number} of {repo} is closed.", hint="Open it again."
                )
            try:
                await self._api.json("POST", f"{path}/merge", body=body)
            except HeroError as error:
                # 405 is also what a forge says that does not know yet; an answer may have been lost.
                if status_of(error) not in (None, 405) or not left:
                    raise self._not_merged(repo, number, error) from None
            else:
                continue
            await self._api.http.sleep(_PAUSE)
        raise HeroError(
            "unreachable", f"{self._api.site.name} merges the pull request {number} of {repo} and does not end."
        )

    def _not_merged(self, repo: str, number: int, error: HeroError) -> HeroError:
        if status_of(error) != 405:
            return error
        return HeroError(
            "conflict",
            f"{self._api.site.name} does not merge the pull request {number} of {repo}: {error.message}",
            hint="Is it a draft, are checks or approvals missing, or does it collide with its base? See its page.",
        )

    async def set_default_branch(self, repo: str, branch: str) -> None:
        """Make `branch` the one that a clone stands on."""
        await self._repositories.branch(repo, branch)
        for left in reversed(range(_TRIES)):
            try:
                await self._api.json("PATCH", f"/repos/{repo}", body={"default_branch": branch}, repeat="always")
            except HeroError as error:
                # A Gitea that is still busy with a push fails with 500, and a moment later does not.
                if not left or status_of(error) != 500:
                    raise
                await self._api.http.sleep(_PAUSE)
            else:
                return
