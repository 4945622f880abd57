"""What a folder forge knows of commits beyond git: new branches, comparisons, statuses; that it has no hooks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from backends.forge import git
from backends.forge.base import Branch, Change, CommitStatus, Hook, Page, Release, StatusState, check_page
from backends.forge.folder_files import disk_errors, in_thread, locked, write_atomically
from backends.forge.git_errors import GitError
from backends.model.errors import HeroError
from backends.model.names import check_branch, check_commit
from backends.model.text import safe_line

STATUSES = ".statuses"
"""The folder beside a repository's releases that holds a file a commit."""
_LIMIT = 100
"""Contexts that a commit's file keeps."""
_CONTEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/ -]{0,99}")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)

    context: str
    state: StatusState
    description: str
    url: str
    created_at: datetime


class FolderCommits:
    """The part of a FolderForge that speaks of branches and commits."""

    root: Path

    async def release(self, repo: str, tag: str) -> Release:
        raise NotImplementedError

    async def _git_dir(self, repo: str) -> Path:
        raise NotImplementedError

    async def create_branch(self, repo: str, name: str, source: str) -> Branch:
        git_dir = await self._git_dir(repo)
        commit = await resolve(git_dir, source)
        target = f"refs/heads/{check_branch(name)}"
        made = await git.git("update-ref", target, commit, "0" * len(commit), git_dir=git_dir, check=False)
        there = await git.branch(git_dir, name) if not made.returncode else await _there(git_dir, name)
        if there is None:
            raise HeroError(
                "conflict",
                f"{repo} cannot have a branch called {safe_line(name, 200)!r}: {made.stderr or 'git refused it'}.",
                hint="Choose another name: where there is a branch `a`, there can be none called `a/b`.",
            )
        if there.commit != commit:
            raise HeroError(
                "conflict",
                f"{repo} has a branch {safe_line(name, 200)!r} already, at {there.commit[:8]}.",
                hint="Use it as it is, or choose another name.",
                data={"commit": there.commit},
            )
        return there

    async def compare(self, repo: str, base: str, head: str, *, page: int = 1, limit: int = 50) -> Page[Change]:
        check_page(page, limit)
        git_dir = await self._git_dir(repo)
        span = (await self._commit(repo, git_dir, base), await self._commit(repo, git_dir, head))
        found = await git.log_between(git_dir, *span, limit=page * limit + 1)
        part = found[(page - 1) * limit : page * limit]
        items = tuple(Change(one.commit, one.author, one.committed_at, one.subject) for one in part)
        return Page(items, page + 1 if len(found) > page * limit else None)

    async def _commit(self, repo: str, git_dir: Path, ref: str) -> str:
        """As `resolve`; a release's tag counts too, which is no ref of git here."""
        try:
            return await resolve(git_dir, ref)
        except HeroError as error:
            if error.code != "not_found":
                raise
            try:
                return (await self.release(repo, ref)).commit
            except HeroError:
                raise error from None

    async def set_status(
        self, repo: str, commit: str, state: StatusState, *, context: str, description: str = "", url: str = ""
    ) -> None:
        git_dir = await self._git_dir(repo)
        if state not in get_args(StatusState) or not _CONTEXT.fullmatch(context):
            raise HeroError("usage", f"There is no status {safe_line(str(state))!r} of {safe_line(context)!r}.")
        if not await git.has_commit(git_dir, check_commit(commit)):
            raise HeroError("not_found", f"{repo} has no commit {commit[:8]}.", hint="Push it first.")
        record = _Record(
            context=context,
            state=state,
            description=safe_line(description, 300),
            url=safe_line(url, 500),
            created_at=datetime.now(UTC),
        )
        await in_thread(_write, self._statuses(repo, commit), record)

    async def statuses(self, repo: str, commit: str) -> tuple[CommitStatus, ...]:
        await self._git_dir(repo)
        found = await in_thread(_read, self._statuses(repo, check_commit(commit)))
        return tuple(
            CommitStatus(one.context, one.state, safe_line(one.description, 300), one.url, one.created_at)
            for _, one in sorted(found.items())
        )

    async def hooks(self, repo: str) -> tuple[Hook, ...]:
        raise _no_hooks()

    async def create_hook(self, repo: str, url: str, secret: str) -> Hook:
        raise _no_hooks()

    async def delete_hook(self, repo: str, hook_id: str) -> None:
        raise _no_hooks()

    def git_environment(self) -> Mapping[str, str]:
        return {}

    def _statuses(self, repo: str, commit: str) -> Path:
        return self.root / f"{repo}.releases" / STATUSES / f"{commit}.json"


async def resolve(git_dir: Path, ref: str) -> str:
    """The commit of a full hash, else of the branch, else of the tag called `ref`. Raises HeroError not_found."""
    if git.is_full_hash(ref):
        return await git.rev_parse(git_dir, ref)
    try:
        return await git.rev_parse(git_dir, f"refs/heads/{ref}")
    except GitError as error:
        if error.code != "not_found":
            raise
    try:
        return await git.rev_parse(git_dir, f"refs/tags/{ref}")
    except GitError as error:
        if error.data.get("reason") != "ref_not_found":
            raise
    return (await git.branch(git_dir, ref)).commit  # says which branches are near


async def _there(git_dir: Path, name: str) -> Branch | None:
    try:
        return await git.branch(git_dir, name)
    except GitError as error:
        if error.code != "not_found":
            raise
        return None


def _write(path: Path, record: _Record) -> None:
    with disk_errors(f"set the status of {path.stem[:8]}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.parent / ".lock"):
            found = {**_read(path), record.context: record}
            newest = sorted(found.values(), key=lambda one: one.created_at)[-_LIMIT:]
            write_atomically(path, json.dumps([one.model_dump(mode="json") for one in newest]).encode())


def _read(path: Path) -> dict[str, _Record]:
    try:
        with disk_errors(f"read the status of {path.stem[:8]}"):
            if not path.is_file():
                return {}
            listed = json.loads(path.read_bytes())
        return {one.context: one for one in map(_Record.model_validate, listed)}
    except (ValueError, TypeError, ValidationError):
        return {}  # damaged: the next status that is set makes it anew


def _no_hooks() -> HeroError:
    return HeroError(
        "usage",
        "A folder forge has no webhooks: the box sees a push by itself.",
        hint="There is nothing to install.",
    )
