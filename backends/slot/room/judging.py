"""What of a slot can be removed without loss, and why the rest stays: linked, bound, unpushed, lived in."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from backends.forge.git import git
from backends.model.errors import HeroError
from backends.model.host import CleanKind
from backends.model.manifest import Manifest
from backends.slot import worktree_files
from backends.slot.context import SlotContext
from backends.slot.files import link_target
from backends.slot.installs import Installed
from backends.slot.room.parts import GONE, is_tagged, targets_of, trees_of
from backends.slot.worktree_state import WorktreeState, read_state

KINDS: tuple[CleanKind, ...] = ("versions", "targets", "logs")
_ROTATED = re.compile(r".+\.log\.[0-9]{1,3}")
_PROC = Path("/proc")

LivedIn = Callable[[], Collection[str]]
"""The worktrees that agents work in now."""


@dataclass(frozen=True)
class Candidate:
    """Something that could be removed; `keep` says why it may not, `why` why it may."""

    id: str
    kind: CleanKind
    name: str
    path: Path
    service: str = ""
    why: str = ""
    keep: str = ""


class Judge:
    """Looks at one slot. `own` is the operation that asks, which holds what it is about to remove."""

    def __init__(self, slot: SlotContext, lived_in: LivedIn, own: str = ""):
        self._slot = slot
        self._lived_in = lived_in
        self._own = own

    async def look(self, kinds: Collection[CleanKind] = KINDS) -> list[Candidate]:
        """Every candidate of these kinds, those that stay with the reason."""
        found: list[Candidate] = []
        if "versions" in kinds:
            found += await asyncio.to_thread(lambda: list(self._versions()))
        if "targets" in kinds:
            found += await self._targets()
        if "logs" in kinds:
            found += await asyncio.to_thread(lambda: list(self._logs()))
        return found

    async def again(self, candidate: Candidate) -> str:
        """Why `candidate` stays after all, at this moment; "" where it may go."""
        if candidate.kind == "targets":
            if candidate.path.name.startswith(GONE):
                return ""
            return await self._keeps_target(candidate.path.parent, candidate.path, await _places_of_processes())
        known = await self.look((candidate.kind,))
        return next((one.keep for one in known if one.id == candidate.id), "it is gone already")

    # -- versions ---------------------------------------------------------------------------------

    def _versions(self) -> Iterator[Candidate]:
        loaded = self._slot.manifest.load()
        for service in _names(self._slot.paths.opt):
            running = link_target(self._slot.paths.current(service))
            for one in self._slot.installs.versions(service):
                keep = (
                    self._busy(service)
                    or ("the manifest does not parse" if loaded.problem else "")
                    or _keeps_version(one, service, running, loaded.manifest)
                )
                yield Candidate(
                    id=f"versions/{service}/{one.folder}",
                    kind="versions",
                    name=f"{service} {one.folder}",
                    path=self._slot.paths.opt / service / one.folder,
                    service=service,
                    why="neither running, nor pinned, nor what `switch --back` returns to",
                    keep=keep,
                )

    # -- targets ----------------------------------------------------------------------------------

    async def _targets(self) -> list[Candidate]:
        found = []
        places = await _places_of_processes()
        for service, tree, target in await asyncio.to_thread(lambda: list(_targets_of(self._slot))):
            left = target == tree
            keep = "" if left else await self._keeps_target(tree, target, places)
            branch = unquote(tree.name)
            name = f"{service} {tree.name}" if left else f"{service} {branch} {target.name}/"
            why = "a clean that was cut off left it" if left else "no binding uses the worktree, and all is pushed"
            found.append(
                Candidate(
                    id="/".join(("targets", service, tree.name, *(() if left else (target.name,)))),
                    kind="targets",
                    name=name,
                    path=target,
                    service=service,
                    why=why,
                    keep=keep,
                )
            )
        return found

    async def _keeps_target(self, tree: Path, target: Path, places: Collection[str]) -> str:
        loaded = self._slot.manifest.load()
        if loaded.problem:
            return "the manifest does not parse"
        for binding in loaded.manifest.bind:
            if self._slot.paths.worktree(binding.service, binding.branch) == tree:
                return f"{binding.service} is bound to this branch"
        if busy := self._busy(tree.parent.name):
            return busy
        if worktree_files.git_dir(tree) is None:
            return "it is in no worktree"
        if not is_tagged(target):
            return "nothing says that all of it can be made again (no CACHEDIR.TAG)"
        if any(_inside(place, tree) for place in self._lived_in()):
            return "an agent works there"
        if any(_inside(place, tree) for place in places):
            return "a process works there"
        return await _keeps_of_git(tree, target)

    def _busy(self, service: str) -> str:
        running = self._slot.operations.running_on(service)
        return f"{running.title} is running" if running and running.id != self._own else ""

    # -- logs -------------------------------------------------------------------------------------

    def _logs(self) -> Iterator[Candidate]:
        for name in _names(self._slot.paths.log):
            path = self._slot.paths.log / name
            if _ROTATED.fullmatch(name) and _is_plain(path):
                yield Candidate(f"logs/{name}", "logs", name, path, why="an older part of a log, rotated away")


def _keeps_version(one: Installed, service: str, running: Path | None, manifest: Manifest) -> str:
    if running and running.name == one.folder:
        return "it is what runs, or would run"
    state, binding = manifest.state.get(service), manifest.binding(service)
    if state and one.sha256 == state.sha256:
        return "it is what is recorded as installed"
    if state and state.previous and (one.sha256 == state.previous_sha256 or one.version == state.previous):
        return "`switch --back` returns to it"
    if binding and binding.hash and one.version.startswith(binding.hash):
        return "it is pinned"
    return ""


async def _keeps_of_git(tree: Path, target: Path) -> str:
    """Why git's view of the worktree keeps `target`; "" where it does not."""
    try:
        state = await read_state(tree)
        if keep := _keeps_of_state(state):
            return keep
        ahead = await git("rev-list", "--max-count=1", "HEAD", "--not", "--remotes=origin", "--", cwd=tree)
        if ahead.stdout.strip():
            return "the worktree has commits that the forge has not"
        ignored = await git("check-ignore", "--quiet", "--", f"{target.name}/", cwd=tree, check=False)
        tracked = await git("ls-files", "-z", "--", f":(literal){target.name}", cwd=tree)
    except HeroError as error:
        return f"git cannot say what is in it: {error.message}"
    if tracked.stdout:
        return "git has files in it"
    return "" if ignored.returncode == 0 else "git does not ignore it"


def _keeps_of_state(state: WorktreeState) -> str:
    if state.operation:
        return f"the worktree is in the middle of a {state.operation}"
    if state.dirty:
        return "the worktree has work that is not committed"
    return "" if state.commit else "the worktree has no commit"


def _targets_of(slot: SlotContext) -> Iterator[tuple[str, Path, Path]]:
    """Service, worktree and target of each; for what a clean left, the same folder twice."""
    for service, tree in trees_of(slot.paths):
        if tree.name.startswith(GONE):
            yield service, tree, tree
        elif not tree.name.startswith("."):
            for target in targets_of(tree):
                yield service, tree, target


async def _places_of_processes() -> list[str]:
    """The folders that processes of this user are in, as far as they can be seen."""
    return await asyncio.to_thread(_working_folders)


def _working_folders() -> list[str]:
    found = set()
    for pid in _names(_PROC):
        if pid.isdigit():
            try:
                found.add(os.readlink(f"/proc/{pid}/cwd"))  # noqa: PTH115 — a thousand of them
            except OSError:
                continue
    return sorted(found)


def _inside(place: str, tree: Path) -> bool:
    real = os.path.realpath(tree)
    return any(place == one or place.startswith(f"{one}/") for one in {real, os.fspath(tree)})


def _names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208
    except OSError:
        return []


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
