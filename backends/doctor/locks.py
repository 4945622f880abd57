"""git's lock files that a killed git left behind: while one lies there, every command of that kind is refused."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backends.doctor.asking import in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, Repair, listed, passed_over, well
from backends.doctor.worktrees import clones_of, folders_of, lock_files
from backends.model.errors import HeroError

OLD = 600.0
"""Seconds after which a lock is one that somebody forgot, if no process has it."""


@dataclass(frozen=True)
class Process:
    """What a process has to do with files: what it is called, where it stands, its arguments, what it has open."""

    name: str
    folder: str = ""
    words: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()


def holders(lock: Path, root: Path, processes: Iterable[Process]) -> list[str]:
    """The processes that may hold `lock`: one that has it open, or any git that works below `root`.

    git closes a lock's file before it is done with it, so an open one is not all that counts.
    """
    # The kernel tells paths without links, and a system box's homes are behind one; arguments are as typed.
    real = str(lock.resolve())
    roots = (str(root), str(root.resolve()))
    return [one.name for one in processes if real in one.files or _works_in(one, roots)]


def _works_in(process: Process, roots: Sequence[str]) -> bool:
    if not process.name.startswith("git"):
        return False
    return any(f"{root}/" in f"{word}/" for root in roots for word in (process.folder, *process.words))


def read_processes(proc: Path) -> Iterator[Process]:
    """The processes that this user may look into."""
    for entry in proc.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")
            name = (entry / "comm").read_text("utf-8", "replace").strip()
            files = frozenset(str(link.readlink()) for link in (entry / "fd").iterdir())
            yield Process(name, str((entry / "cwd").readlink()), tuple(words), files)
        except OSError:
            continue  # gone meanwhile, or somebody else's


def forgotten(locks: Iterable[Path], now: float) -> list[Path]:
    """Those that are files older than OLD seconds at `now`."""
    return [lock for lock in locks if _age(lock, now) > OLD]


def _age(lock: Path, now: float) -> float:
    try:
        found = lock.lstat()
    except OSError:
        return 0.0
    return now - found.st_mtime if stat.S_ISREG(found.st_mode) else 0.0


async def _look(context: Context) -> Sequence[Found]:
    if not context.slot.src.is_dir():
        return [passed_over("this slot has no repository yet")]
    return await in_thread(lambda: _judge(context))


def _judge(context: Context) -> list[Found]:
    own = [folder / ".git" for folder in folders_of(context.slot) if (folder / ".git").is_dir()]
    old = forgotten(lock_files([*clones_of(context.slot), *own]), time.time())
    if not old:
        return [well("git left no lock behind.")]
    processes = list(read_processes(context.machine.proc))
    held = [lock for lock in old if holders(lock, context.slot.root, processes)]
    free = [lock for lock in old if lock not in held]
    found = []
    if held:
        what = f"{listed(held)}: held for more than {OLD / 60:.0f} minutes, and git works in this slot."
        found.append(
            Found("warn", what, "It may hang.", "ps -fC git; end it if it hangs, then hero_dev doctor --fix")
        )
    if free:
        found.append(
            Found(
                "bad",
                f"{listed(free)}: left behind by a git that was killed.",
                "git refuses every commit, switch or fetch there until it is gone.",
                f"rm {' '.join(map(str, free[:3]))}",
                repair=_remove(context, free),
            )
        )
    return found


def _remove(context: Context, locks: Sequence[Path]) -> Repair:
    async def mend() -> str:
        gone = await in_thread(lambda: [lock for lock in locks if _removed(context, lock)])
        if not gone:
            raise HeroError("failed", "A git works in this slot now: nothing was removed.")
        return f"Removed {listed(gone)}: no process had it."

    return mend


def _removed(context: Context, lock: Path) -> bool:
    processes = read_processes(context.machine.proc)
    if not forgotten([lock], time.time()) or holders(lock, context.slot.root, processes):
        return False
    lock.unlink(missing_ok=True)
    return True


CHECKS = (Check("git.locks", "locks of git", _look, scope="slot"),)
