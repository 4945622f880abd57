"""Which folders of a slot are measured, and as what; names are looked at here, nothing is added up."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from backends.disk_usage import Job
from backends.model.host import PartKind
from backends.model.paths import SlotPaths

GONE = ".gone-"
"""Prefix of a folder that a clean was about to remove."""
TAG = "CACHEDIR.TAG"
_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""What a cache's tag begins with (bford.info/cachedir): whoever made the folder says that it can be made again."""
_TARGET = "target"


@dataclass(frozen=True)
class Folder:
    """Something that is measured. `tree` is the worktree that a target is in."""

    kind: PartKind
    name: str
    path: Path
    service: str = ""
    tree: Path | None = None
    apart: tuple[Path, ...] = field(default=(), repr=False)

    @property
    def job(self) -> Job:
        """What is to be added up."""
        return Job(self.path, self.apart)


def folders_of(paths: SlotPaths) -> list[Folder]:
    """Everything below the slot's root, each file in exactly one of them. Blocks."""
    var = paths.var
    several = (paths.src, paths.opt, paths.log, paths.agents, var / "builds", var / "lib")
    found = [*_sources(paths), *_versions(paths), *_data(paths)]
    found += [
        Folder("log", "services", paths.log, apart=(paths.build_log,)),
        Folder("log", "builds", paths.build_log),
        Folder("build", "results", var / "builds"),
        Folder("agent", "sessions", paths.agents),
        Folder("other", "the rest", paths.root, apart=several),
    ]
    return found


def targets_of(tree: Path) -> list[Path]:
    """The folders in a worktree's top that a build made: tagged as a cache, or called as cargo calls its own."""
    return [path for path in _folders(tree) if path.name == _TARGET or is_tagged(path)]


def is_tagged(folder: Path) -> bool:
    """Whether a valid tag says that all of `folder` can be made again."""
    with contextlib.suppress(OSError):
        handle = os.open(folder / TAG, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return stat.S_ISREG(os.fstat(handle).st_mode) and os.read(handle, len(_SIGNATURE)) == _SIGNATURE
        finally:
            os.close(handle)
    return False


def trees_of(paths: SlotPaths) -> Iterator[tuple[str, Path]]:
    """Service and path of each folder that may be a worktree, or was one."""
    for service in _folders(paths.src):
        if service != paths.repos:
            for tree in _folders(service, hidden=True):
                yield service.name, tree


def _sources(paths: SlotPaths) -> Iterator[Folder]:
    for service, tree in trees_of(paths):
        branch = unquote(tree.name)
        if tree.name.startswith("."):
            yield Folder("leftover", f"{service} {tree.name}", tree, service)
            continue
        targets = targets_of(tree)
        yield Folder("worktree", f"{service} {branch}", tree, service, apart=tuple(targets))
        for target in targets:
            yield Folder("target", f"{service} {branch} {target.name}/", target, service, tree)
    for owner in _folders(paths.repos):
        for clone in _folders(owner):
            yield Folder("clone", f"{owner.name}/{clone.name.removesuffix('.git')}", clone)


def _versions(paths: SlotPaths) -> Iterator[Folder]:
    for service in _folders(paths.opt):
        for version in _folders(service):
            yield Folder("version", f"{service.name} {version.name}", version, service.name)


def _data(paths: SlotPaths) -> Iterator[Folder]:
    for folder in _folders(paths.var / "lib"):
        yield Folder("data", folder.name, folder, folder.name)


def _folders(parent: Path, *, hidden: bool = False) -> list[Path]:
    """The folders in `parent` by name, links left out."""
    try:
        with os.scandir(parent) as entries:
            names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [parent / name for name in sorted(names) if hidden or not name.startswith(".")]
