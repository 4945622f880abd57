"""The slot's own bare clones: made whole or not at all, fetched one at a time, local branches never touched."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from backends.forge.git import git, is_bare
from backends.model.errors import HeroError, unknown_name
from backends.model.names import check_repo
from backends.model.paths import SlotPaths
from backends.slot.files import disk_error

CloneUrl = Callable[[str], Awaitable[str]] | Mapping[str, str]
"""Gives what git clones `org/name` from."""

Environment = Callable[[], Mapping[str, str]]
"""Gives the variables by which git may read a private forge."""

FETCH_SECONDS = 1800.0

_CONFIG = {
    # The forge's branches have a place of their own, so a fetch can prune them and never meets a local branch.
    "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
    "core.logAllRefUpdates": "true",
    "push.default": "simple",
}


class Clones:
    """One bare clone a repository in `paths.repos`, shared by the repository's worktrees."""

    def __init__(self, paths: SlotPaths, clone_url: CloneUrl, git_environment: Environment):
        self._paths = paths
        self._clone_url = clone_url
        self._git_environment = git_environment
        self._urls: dict[str, str] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def path(self, repo: str) -> Path:
        """Where the clone of `repo` is or will be. Raises BadValue for a name that leads elsewhere."""
        return self._paths.clone(check_repo(repo))

    def lock(self, repo: str) -> asyncio.Lock:
        """Held by whoever changes the clone of `repo` or its list of worktrees."""
        return self._locks[repo]

    async def fetch(self, repo: str) -> None:
        """Take what the forge has; the first time, clone it. Call it with the lock. Raises HeroError."""
        clone, url = self.path(repo), await self._url(repo)
        if is_bare(clone):
            await self._point(clone, repo, url)
            await self._fetch(clone)
            return
        await self._make(clone, url)
        self._urls[repo] = url

    async def _url(self, repo: str) -> str:
        if not isinstance(self._clone_url, Mapping):
            return await self._clone_url(repo)
        if repo not in self._clone_url:
            raise unknown_name("repository", repo, self._clone_url)
        return self._clone_url[repo]

    async def _point(self, clone: Path, repo: str, url: str) -> None:
        if self._urls.get(repo) != url:
            await git("config", "--replace-all", "remote.origin.url", url, git_dir=clone)
            self._urls[repo] = url

    async def _make(self, clone: Path, url: str) -> None:
        temporary = clone.with_name(f".{clone.name}.{secrets.token_hex(4)}.tmp")
        try:
            await asyncio.to_thread(_make_room, clone)
            await git("init", "--quiet", "--bare", "--template=", "--", str(temporary))
            for key, value in {**_CONFIG, "remote.origin.url": url}.items():
                await git("config", key, value, git_dir=temporary)
            await self._fetch(temporary)
            temporary.rename(clone)
        except OSError as error:
            raise _cannot_make(clone, error) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    async def _fetch(self, clone: Path) -> None:
        await git(
            "fetch",
            "--quiet",
            "--prune",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            "--no-auto-gc",
            "--",
            "origin",
            git_dir=clone,
            env=self._git_environment(),
            timeout=FETCH_SECONDS,
        )


def _make_room(clone: Path) -> None:
    """Make the folder for `clone`, and remove what a killed clone left there."""
    clone.parent.mkdir(parents=True, exist_ok=True)
    for left in clone.parent.glob(f".{clone.name}.*.tmp"):
        shutil.rmtree(left, ignore_errors=True)


def _cannot_make(clone: Path, error: OSError) -> HeroError:
    if not clone.exists():
        return disk_error(clone, error)
    return HeroError(
        "conflict",
        f"{clone} is there, but is no git repository (any more); Hero does not remove it.",
        hint="Move it away, then run `hero_dev sync`.",
    )
