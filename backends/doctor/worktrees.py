"""Worktrees that lost their branch, their repository or their place; mended without touching a file in them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backends.doctor.asking import in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, Repair, passed_over, well
from backends.forge.git import git, has_commit, is_bare, is_full_hash
from backends.forge.git_errors import GitError
from backends.model.errors import HeroError
from backends.model.paths import SlotPaths

_AT_ONCE = 4
_LOG_TAIL = 1 << 14
_WHY_BROKEN = "Neither git nor a build works in it; your files are all there."


@dataclass(frozen=True)
class Entry:
    """A worktree as its repository lists it; `commit` is "" where its branch is gone."""

    path: Path
    commit: str = ""
    branch: str = ""
    prunable: bool = False


def parse_list(text: str) -> list[Entry]:
    """`git worktree list --porcelain`, the bare repository itself left out."""
    entries = []
    for block in text.split("\n\n"):
        told = dict(line.partition(" ")[::2] for line in block.splitlines())
        if "worktree" not in told or "bare" in told:
            continue
        commit = told.get("HEAD", "")
        entries.append(
            Entry(
                path=Path(told["worktree"]),
                commit=commit if commit.strip("0") else "",
                branch=told.get("branch", "").removeprefix("refs/heads/"),
                prunable="prunable" in told,
            )
        )
    return entries


def last_commit(log: str) -> str:
    """The newest commit in a reflog's text that is one; "" where there is none."""
    for line in reversed(log.splitlines()):
        words = line.split(" ", 2)
        if len(words) == 3 and is_full_hash(words[1]) and words[1].strip("0"):
            return words[1]
    return ""


def clones_of(slot: SlotPaths) -> list[Path]:
    """The slot's bare clones."""
    return [path for path in sorted(slot.repos.glob("*/*.git")) if is_bare(path)]


def folders_of(slot: SlotPaths) -> list[Path]:
    """The folders below src/ that are or were worktrees."""
    return [path.parent for path in sorted(slot.src.glob("*/*/.git")) if not path.parts[-3].startswith(".")]


async def _look(context: Context) -> Sequence[Found]:
    clones, folders = await in_thread(lambda: (clones_of(context.slot), folders_of(context.slot)))
    if not folders and not clones:
        return [passed_over("this slot has no worktree yet")]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def entries(clone: Path) -> list[Entry]:
        async with gate:
            return parse_list((await git("worktree", "list", "--porcelain", git_dir=clone, timeout=1.8)).stdout)

    lists = dict(zip(clones, await asyncio.gather(*map(entries, clones)), strict=True))
    known = {entry.path.resolve(): (clone, entry) for clone, all_ in lists.items() for entry in all_}
    found = [one for folder in folders if (one := await _judge(folder, known, clones)) is not None]
    return found or [well(f"{len(folders)} worktrees are whole and on their branches.")]


async def _judge(folder: Path, known: dict[Path, tuple[Path, Entry]], clones: Sequence[Path]) -> Found | None:
    if (folder / ".git").is_dir():
        return None  # somebody's own clone, which stands for itself
    place = known.get(folder.resolve())
    if place is None or not await in_thread(lambda: _points_back(folder)):
        return _broken(folder, clones)
    clone, entry = place
    if entry.commit or not entry.branch:
        return None
    return await _lost_branch(folder, clone, entry.branch)


def _points_back(folder: Path) -> bool:
    """Whether the worktree finds its repository."""
    target = _git_dir(folder)
    return target is not None and (target / "HEAD").is_file()


def _git_dir(folder: Path) -> Path | None:
    try:
        with (folder / ".git").open("rb") as file:
            said = file.read(4096).decode("utf-8", "surrogateescape").strip()
    except OSError:
        return None
    return folder / said.removeprefix("gitdir: ") if said.startswith("gitdir: ") else None


def _broken(folder: Path, clones: Sequence[Path]) -> Found:
    owner = _owner(folder, clones)
    if owner is None:
        mend = f"mv {folder} {folder}.old && hero_dev sync, then take your files over"
        return Found("bad", f"The worktree {folder} belongs to no repository any more.", _WHY_BROKEN, mend)
    return Found(
        "bad",
        f"The worktree {folder} and its repository {owner} have lost each other.",
        _WHY_BROKEN,
        f"git --git-dir={owner} worktree repair {folder}",
        repair=_join(folder, owner),
    )


def _owner(folder: Path, clones: Sequence[Path]) -> Path | None:
    """The clone that has a record by the name that the worktree gives."""
    target = _git_dir(folder)
    if target is None:
        return None
    having = [clone for clone in clones if (clone / "worktrees" / target.name / "HEAD").is_file()]
    named = [clone for clone in having if clone.name == target.parent.parent.name]
    return next(iter(named or (having if len(having) == 1 else [])), None)


def _join(folder: Path, clone: Path) -> Repair:
    async def mend() -> str:
        await git("worktree", "repair", str(folder), git_dir=clone, timeout=10)
        if not await in_thread(lambda: _points_back(folder)):
            raise HeroError("failed", f"git could not join {folder} and {clone} again.")
        return f"git joined {folder} and its repository again; no file in it was touched."

    return mend


async def _lost_branch(folder: Path, clone: Path, branch: str) -> Found:
    target = _git_dir(folder)
    commit = await in_thread(lambda: last_commit(_tail(target / "logs" / "HEAD"))) if target else ""
    if commit and not await _has(clone, commit):
        commit = ""
    what = f"The worktree {folder} has lost its branch {branch}: there is no such branch any more."
    why = "Everything in it looks new to git, and commits would begin from nothing."
    if not commit:
        mend = f"git -C {folder} reset --soft origin/{branch} (keeps all files as they are)"
        return Found("bad", what, why, mend)
    mend = f"git --git-dir={clone} update-ref refs/heads/{branch} {commit}"
    return Found("bad", what, why, mend, repair=_bring_back(folder, clone, branch, commit))


def _bring_back(folder: Path, clone: Path, branch: str, commit: str) -> Repair:
    async def mend() -> str:
        # The last word: only where there still is no such branch.
        await git("update-ref", f"refs/heads/{branch}", commit, "0" * len(commit), git_dir=clone, timeout=10)
        return f"{branch} is back at {commit[:8]}, where {folder} was last; no file in it was touched."

    return mend


async def _has(clone: Path, commit: str) -> bool:
    try:
        return await has_commit(clone, commit)
    except GitError:
        return False


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _LOG_TAIL, 0))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def lock_files(folders: Sequence[Path]) -> Iterator[Path]:
    """git's lock files of bare clones and of repositories of their own."""
    for top in folders:
        for pattern in ("*.lock", "worktrees/*/*.lock", "refs/**/*.lock", "objects/*.lock", "objects/info/*.lock"):
            yield from sorted(top.glob(pattern))


CHECKS = (Check("git.worktrees", "worktrees", _look, scope="slot", seconds=4.0),)
