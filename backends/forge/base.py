"""The Forge port: what Hero asks of the place where repositories and releases live, whoever implements it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

from backends.forge.issues import Comment, Issue
from backends.model.errors import HeroError

T = TypeVar("T")

Progress = Callable[[int, int | None], None]
"""Called in the event loop with bytes done and bytes in all (None: not known)."""

PAGE_LIMIT = 1000
"""Most items that one page may ask for."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The head of a branch.

    `name` is exactly git's, to look it up again: it may hold any printable character, also
    direction overrides, so show it through `safe_line`. `commit` is the full hash.
    `author` and `subject` are safe to show.
    """

    name: str
    commit: str
    author: str
    committed_at: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of a release; `size` in bytes, `sha256` in hex where the forge knows it."""

    name: str
    size: int
    sha256: str | None
    url: str
    downloads: int = 0


@dataclass(frozen=True, slots=True)
class Release:
    """A published release, or a draft of one (`draft`, and then `published_at` is None).

    `title`, `body` and `author` are safe to show; `tag` is exactly the forge's.
    """

    id: str
    repo: str
    tag: str
    commit: str
    title: str
    body: str
    author: str
    draft: bool
    created_at: datetime
    published_at: datetime | None
    assets: tuple[Asset, ...]
    downloads: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One commit of a comparison; `author` and `subject` are safe to show."""

    commit: str
    author: str
    committed_at: datetime
    subject: str


StatusState = Literal["pending", "success", "failure", "error", "warning"]


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """What somebody says of a commit under a name (`context`); `description` is safe to show."""

    context: str
    state: StatusState
    description: str
    url: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook as the forge has it; its secret is never told."""

    id: str
    url: str
    events: tuple[str, ...]
    active: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list. A page may hold fewer items than asked for (damaged ones are left out);
    only `next_page` None says that it is the last."""

    items: tuple[T, ...]
    next_page: int | None


def check_page(page: int, limit: int) -> None:
    """Refuse a page that cannot be. Raises HeroError usage."""
    if page < 1 or not 1 <= limit <= PAGE_LIMIT:
        raise HeroError(
            "usage",
            f"There is no page {page} of {limit} items.",
            hint=f"Pages count from 1 and hold 1 to {PAGE_LIMIT} items.",
        )


class Forge(Protocol):
    """Repositories, branches, releases, issues. `repo` is always `<organisation>/<name>`.

    Every method raises HeroError: `usage` for a name that could never be right, `not_found` (with the
    nearest names) for a repository, branch, tag or asset that is not there, `conflict` where a
    published release stands in the way, `denied`, `no_space`, `unreachable` for the forge itself.
    """

    async def repositories(self) -> tuple[str, ...]:
        """All repositories, sorted."""
        ...

    async def clone_url(self, repo: str) -> str:
        """What `git clone` and `git fetch` take for `repo`. Pass it after `--`."""
        ...

    async def branches(self, repo: str, *, page: int = 1, limit: int = 50) -> Page[Branch]:
        """Branches, the one with the newest commit first."""
        ...

    async def branch(self, repo: str, name: str) -> Branch:
        """The branch called exactly `name`."""
        ...

    async def releases(
        self,
        repo: str,
        *,
        branch: str | None = None,
        page: int = 1,
        limit: int = 30,
        drafts: bool = False,
    ) -> Page[Release]:
        """Releases by publication, newest first; with `drafts`, the drafts before them, newest first.

        `branch`: only those whose tag is exactly this branch and 8 hex digits. A branch that does not
        exist has no releases; it is no error.
        """
        ...

    async def latest_release(self, repo: str, branch: str) -> Release | None:
        """The release of `branch` that was published last; None where there is none."""
        ...

    async def release(self, repo: str, tag: str) -> Release:
        """The published release called exactly `tag`."""
        ...

    async def create_draft(
        self, repo: str, *, tag: str, commit: str, title: str, body: str, author: str
    ) -> Release:
        """A draft of `tag` at the full hash `commit`, which the forge must have.

        Called again for the same tag and commit it gives the draft that is there, as it is. Raises
        HeroError conflict if `tag` is published, with `data` {tag, commit, id} of that release.
        """
        ...

    async def upload_asset(
        self,
        repo: str,
        release_id: str,
        path: Path,
        *,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> Asset:
        """Add the file at `path` as `name` (default: its own name), streamed; not there until complete.

        A file of the same name and digest is left as it is, in a published release too. Another digest
        replaces it in a draft, and is a HeroError conflict in a published release.
        """
        ...

    def open_asset(self, repo: str, tag: str, name: str, *, offset: int = 0) -> AsyncIterator[bytes]:
        """The bytes of a published asset in chunks, from byte `offset` on (to resume).

        Errors are raised by the first step of the iteration. An offset past the end is HeroError usage.
        """
        ...

    async def publish(self, repo: str, release_id: str) -> Release:
        """Publish a draft, all of it at once.

        Publication times strictly increase in a repository, whatever the clock does. Publishing what
        is published already (same tag, commit and assets' digests) gives that release; where it
        differs, HeroError conflict and the draft stays.
        """
        ...

    async def delete_draft(self, repo: str, release_id: str) -> None:
        """Remove a draft; one that is gone already is fine, a published release is HeroError conflict."""
        ...

    async def raw_file(self, repo: str, ref: str, path: str) -> bytes | None:
        """The file `path` at `ref` (a branch, a tag or a full hash); None if the tree has no such file."""
        ...

    async def create_repository(self, repo: str, *, private: bool = True) -> object:
        """An empty repository. Raises HeroError conflict if it is there already."""
        ...

    async def create_branch(self, repo: str, name: str, source: str) -> Branch:
        """A new branch at `source` (a branch, a tag or a full hash).

        One that is there at that very commit already is given as it is; at another one it is HeroError conflict.
        """
        ...

    async def compare(self, repo: str, base: str, head: str, *, page: int = 1, limit: int = 50) -> Page[Change]:
        """The commits that `head` has and `base` has not, newest first. Both: a tag, a branch or a full hash."""
        ...

    async def set_status(
        self, repo: str, commit: str, state: StatusState, *, context: str, description: str = "", url: str = ""
    ) -> None:
        """Say `state` of the full hash `commit` under `context`; the newest of a context counts."""
        ...

    async def statuses(self, repo: str, commit: str) -> tuple[CommitStatus, ...]:
        """The newest status of each context, sorted by context; empty for a commit that nobody spoke of."""
        ...

    async def hooks(self, repo: str) -> tuple[Hook, ...]:
        """The webhooks of `repo`. Raises HeroError denied without the rights, usage where the forge has none."""
        ...

    async def create_hook(self, repo: str, url: str, secret: str) -> Hook:
        """An active webhook for pushes, branches and releases, as JSON, signed with `secret`."""
        ...

    async def delete_hook(self, repo: str, hook_id: str) -> None:
        """Remove a webhook; one that is gone already is fine."""
        ...

    async def addresses(self, repo: str) -> tuple[str, ...]:
        """The forge's web addresses, ours first: links into `repo` begin so. Empty where it has no pages."""
        ...

    async def issue(self, repo: str, number: int) -> Issue:
        """The issue. Raises HeroError usage for a pull request."""
        ...

    async def comments(self, repo: str, number: int, *, newest: int = 50) -> tuple[Comment, ...]:
        """The `newest` comments on an issue, the oldest of them first."""
        ...

    async def comment(self, repo: str, number: int, text: str, *, key: str = "") -> Comment:
        """Say `text` (Markdown) on an issue. Called again with the same `key` it gives the comment that is there.

        It is never sent twice: where an answer got lost, it is looked for by a mark that readers do not see.
        """
        ...

    def git_environment(self) -> Mapping[str, str]:
        """Variables that let `git` fetch from and push to `clone_url`s; they hold no secret."""
        ...

    def changes(self) -> AsyncIterator[str]:
        """Names of repositories in which something changed (a push, a release, creation), as it happens.

        Changes shortly after one another are merged. The watch is in force from the first step of the
        iteration on: take what was before from the other methods after that. Ends with `aclose`.
        """
        ...

    async def aclose(self) -> None:
        """End all iterations of `changes` and let go of connections."""
        ...
