"""The forge of a rootless box: `<root>/<org>/<name>.git`, bare; beside it `<name>.releases/`, `<name>.issues/`."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

from watchfiles import Change, awatch

from backends.forge import folder_drafts, git
from backends.forge.base import Asset, Branch, Page, Progress, Release, check_page
from backends.forge.folder_commits import FolderCommits, resolve
from backends.forge.folder_files import CHUNK, copy_hashed, disk_errors, in_thread, open_file
from backends.forge.folder_issues import FolderIssues
from backends.forge.folder_records import AssetRecord, ReleaseRecord, check_asset_name, check_tag
from backends.forge.folder_releases import FolderReleases, Problem
from backends.forge.git_errors import GitError
from backends.model.errors import HeroError, unknown_name
from backends.model.names import BadValue, check_branch, check_commit, check_relative_path, check_repo
from backends.model.text import safe_line

DEBOUNCE_MS = 50
"""Milliseconds in which changes are merged into one."""
RAW_LIMIT = 16 << 20
"""Largest file in bytes that `raw_file` gives."""

_GIT_NEWS = ("refs", "packed-refs", "HEAD")
"""What changes in a bare repository when somebody pushes; its objects change for lesser reasons too."""


def _now() -> datetime:
    return datetime.now(UTC)


class FolderForge(FolderCommits, FolderIssues):
    """A `Forge` in the folder `root`; any number of processes may use it at once.

    `clock` says when a release is published. Assets' `downloads` are not counted (always 0).
    """

    def __init__(self, root: Path, *, clock: Callable[[], datetime] = _now):
        self.root = root.absolute()
        self._clock = clock
        self._watches: set[asyncio.Event] = set()

    async def create_repository(self, repo: str, *, private: bool = True, branch: str = "development") -> Path:
        """An empty bare repository whose HEAD is `branch`; who may read the folder may read it, `private` or not.

        Raises HeroError conflict if it is there already.
        """
        target = self.root / f"{check_repo(repo)}.git"
        fresh = target.parent / f".new-{secrets.token_hex(8)}"
        with disk_errors(f"create the repository {repo}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                await git.git(
                    "init", "--quiet", "--bare", "--template=", f"--initial-branch={check_branch(branch)}",
                    "--", str(fresh), cwd=target.parent,
                )  # fmt: skip
                if target.exists():
                    raise HeroError("conflict", f"There is a repository {repo} already.", hint="Use that one.")
                # There before anybody watches: the watch of a folder that is made later begins a blink late.
                target.with_suffix(".releases").mkdir(exist_ok=True)
                fresh.rename(target)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        return target

    async def repositories(self) -> tuple[str, ...]:
        return await in_thread(self._repositories)

    def _check_root(self) -> None:
        if not self.root.is_dir():
            raise HeroError(
                "unreachable",
                f"There is no forge folder {safe_line(str(self.root))}.",
                hint="Was it moved? Creating a repository makes it.",
            )

    def _repositories(self) -> tuple[str, ...]:
        self._check_root()
        with disk_errors("list the repositories"):
            found = [
                f"{organisation.name}/{entry.name.removesuffix('.git')}"
                for organisation in self.root.iterdir()
                if organisation.is_dir()
                for entry in organisation.iterdir()
                if entry.name.endswith(".git")
            ]
        return tuple(sorted(name for name in found if _is_repo_name(name)))

    async def clone_url(self, repo: str) -> str:
        return str(await self._git_dir(repo))

    async def _git_dir(self, repo: str) -> Path:
        """The bare repository of `repo`. Raises HeroError not_found, GitError if it is damaged."""
        path = self.root / f"{check_repo(repo)}.git"
        if git.is_bare(path):
            return path
        if not path.exists():
            raise unknown_name("repository", repo, await self.repositories())
        raise GitError(
            "failed",
            f"The repository {repo} is damaged: {safe_line(str(path))} has no HEAD or no objects.",
            hint="Restore it from its backup, or push it again from a clone.",
            data={"reason": "repository_corrupt"},
        )

    async def _releases(self, repo: str) -> FolderReleases:
        await self._git_dir(repo)
        return FolderReleases(repo, self.root / f"{repo}.releases")

    async def branches(self, repo: str, *, page: int = 1, limit: int = 50) -> Page[Branch]:
        check_page(page, limit)
        found = await git.branches(await self._git_dir(repo))
        end = page * limit
        return Page(tuple(found[end - limit : end]), page + 1 if end < len(found) else None)

    async def branch(self, repo: str, name: str) -> Branch:
        return await git.branch(await self._git_dir(repo), name)

    async def releases(
        self,
        repo: str,
        *,
        branch: str | None = None,
        page: int = 1,
        limit: int = 30,
        drafts: bool = False,
    ) -> Page[Release]:
        check_page(page, limit)
        return await in_thread((await self._releases(repo)).page, branch, page, limit, drafts=drafts)

    async def latest_release(self, repo: str, branch: str) -> Release | None:
        return await in_thread((await self._releases(repo)).latest, branch)

    async def release(self, repo: str, tag: str) -> Release:
        return await in_thread((await self._releases(repo)).get, tag)

    async def problems(self, repo: str) -> list[Problem]:
        """Releases and drafts that are damaged and therefore left out, each with the reason."""
        return await in_thread((await self._releases(repo)).problems)

    async def create_draft(
        self, repo: str, *, tag: str, commit: str, title: str, body: str, author: str
    ) -> Release:
        releases = await self._releases(repo)
        record = ReleaseRecord(
            tag=check_tag(tag),
            commit=check_commit(commit),
            title=_storable(title),
            body=_storable(body),
            author=_storable(author),
            created_at=self._clock(),
        )
        if not await git.has_commit(await self._git_dir(repo), commit):
            raise HeroError(
                "not_found",
                f"{repo} has no commit {commit[:8]}, so {tag} cannot be published.",
                hint="Push the branch first: a release is of what everybody can look up.",
                data={"commit": commit},
            )
        return await in_thread(folder_drafts.create_draft, releases, record)

    async def upload_asset(
        self,
        repo: str,
        release_id: str,
        path: Path,
        *,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> Asset:
        releases = await self._releases(repo)
        shown = check_asset_name(path.name if name is None else name)
        writer = await in_thread(folder_drafts.begin_upload, releases, release_id)
        upload = Path(writer.name)
        with disk_errors(f"upload {shown}"):
            try:
                size, sha256 = await copy_hashed(path, writer, progress)
                asset = AssetRecord(name=shown, size=size, sha256=sha256)
                return await in_thread(folder_drafts.take_asset, releases, release_id, upload, asset)
            finally:
                upload.unlink(missing_ok=True)
                writer.close()

    async def open_asset(self, repo: str, tag: str, name: str, *, offset: int = 0) -> AsyncIterator[bytes]:
        path = await in_thread((await self._releases(repo)).asset_path, tag, name)
        with disk_errors(f"read {name} of {tag}"), await in_thread(open_file, path) as file:
            size = os.fstat(file.fileno()).st_size
            if not 0 <= offset <= size:
                raise HeroError(
                    "usage",
                    f"{name} of {tag} has {size} bytes; there is no byte {offset} to begin at.",
                    hint="Download it from the beginning.",
                    data={"size": size},
                )
            file.seek(offset)
            while chunk := await in_thread(file.read, CHUNK):
                yield chunk

    async def publish(self, repo: str, release_id: str) -> Release:
        return await in_thread(folder_drafts.publish, await self._releases(repo), release_id, self._clock())

    async def delete_draft(self, repo: str, release_id: str) -> None:
        await in_thread(folder_drafts.delete_draft, await self._releases(repo), release_id)

    async def raw_file(self, repo: str, ref: str, path: str) -> bytes | None:
        git_dir = await self._git_dir(repo)
        check_relative_path(path)
        commit = await resolve(git_dir, ref)
        listed = await git.git("--literal-pathspecs", "ls-tree", "-zl", commit, "--", path, git_dir=git_dir)
        if not listed.stdout:
            return None
        mode, kind, blob, size = listed.stdout.partition("\t")[0].split()
        if kind != "blob" or mode == "120000":
            return None
        if int(size) > RAW_LIMIT:
            raise HeroError(
                "usage", f"{safe_line(path)} in {repo} has {size} bytes, more than {RAW_LIMIT}.", hint="Clone it."
            )
        return await git.read_blob(git_dir, blob)

    async def changes(self) -> AsyncIterator[str]:
        self._check_root()
        # Every watch has its own event, because awatch sets the one that it was given when it is cancelled.
        closing = asyncio.Event()
        self._watches.add(closing)
        watch = awatch(
            self.root,
            watch_filter=self._tells_something,
            debounce=DEBOUNCE_MS,
            stop_event=closing,
            ignore_permission_denied=True,
        )
        try:
            with disk_errors("watch the forge folder"):
                async with aclosing(watch):
                    async for batch in watch:
                        for name in sorted({repo for _, path in batch if (repo := self._repo_of(path))}):
                            yield name
        except RuntimeError as error:
            raise HeroError(
                "failed",
                f"Cannot watch the forge folder {safe_line(str(self.root))}: {safe_line(str(error))}.",
                hint="Is fs.inotify.max_user_watches reached? `sysctl` shows and raises it.",
            ) from error
        finally:
            self._watches.discard(closing)

    def _tells_something(self, change: Change, path: str) -> bool:
        return self._repo_of(path) is not None

    def _repo_of(self, path: str) -> str | None:
        """The repository that a change at `path` is news of; None for locks, drafts, objects and the like."""
        parts = Path(path).relative_to(self.root).parts
        if len(parts) < 2 or parts[-1].endswith(".lock"):
            return None
        name, _, kind = parts[1].rpartition(".")
        repo = f"{parts[0]}/{name}"
        if kind not in ("git", "releases") or not _is_repo_name(repo):
            return None
        inside = parts[2] if len(parts) > 2 else ""
        news = not inside or (inside in _GIT_NEWS if kind == "git" else not inside.startswith("."))
        return repo if news else None

    async def aclose(self) -> None:
        for closing in self._watches:
            closing.set()


def _is_repo_name(name: str) -> bool:
    try:
        check_repo(name)
    except BadValue:
        return False
    return True


def _storable(text: str) -> str:
    """`text` as it can be written to a file: what is no character is replaced."""
    return text.encode(errors="replace").decode()
