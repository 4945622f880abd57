"""`hero_dev clean`: removes what a plan named, each thing looked at once more while nobody else can take it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends import children
from backends.disk_usage import Job, measure
from backends.failpoints import failpoint
from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.slot.context import SlotContext
from backends.slot.operations import Progress
from backends.slot.room.judging import Candidate, Judge, LivedIn
from backends.slot.room.parts import GONE

_TOLD = 8
"""Names in the sentence that tells what was done."""
_PROGRAM_PATH = "/usr/local/bin:/usr/bin:/bin"


async def clean(slot: SlotContext, ids: Sequence[str], lived_in: LivedIn, progress: Progress) -> dict[str, Any]:
    """Remove the candidates `ids`; what may not go (any more) stays, and is told with the reason.

    Cancelled between two things, or in one: that one is out of its place then, and the next clean finishes it.
    """
    judge = Judge(slot, lived_in, own=progress.id)
    progress.tell("remove", 0, len(ids))
    known = {one.id: one for one in await judge.look()}
    removed: list[str] = []
    kept: list[dict[str, str]] = []
    freed = 0
    for number, id_ in enumerate(dict.fromkeys(ids)):
        progress.tell("remove", number, len(ids))
        candidate = known.get(id_)
        keep = candidate.keep if candidate else "it is gone already"
        if candidate and not keep:
            size = await _size(candidate.path)
            keep = await _removed(slot, candidate, judge, progress)
            if not keep:
                freed += size
                removed.append(candidate.name)
        if keep:
            name = candidate.name if candidate else id_
            kept.append({"name": safe_line(name, 300), "why": safe_line(keep, 300)})
    return {
        "removed": removed,
        "kept": kept,
        "freed": freed,
        "nothing_to_do": not removed,
        "note": _note(removed, kept, freed),
    }


def _note(removed: Sequence[str], kept: Sequence[dict[str, str]], freed: int) -> str:
    """What was done, in a line or two."""
    stays = "; ".join(f"{one['name']} stays: {one['why']}" for one in kept[:_TOLD])
    if not removed:
        return stays
    more = f" and {len(removed) - _TOLD} more" if len(removed) > _TOLD else ""
    names = ", ".join(safe_line(name, 200) for name in removed[:_TOLD])
    return f"{freed / 1e6:,.1f} MB are free: {names}{more}." + (f" {stays}." if stays else "")


async def _removed(slot: SlotContext, candidate: Candidate, judge: Judge, progress: Progress) -> str:
    """Remove it; why it stays, where it does."""
    held = candidate.service
    try:
        if held:
            slot.operations.hold([held], progress.id)
        if keep := await judge.again(candidate):
            return keep
        failpoint("clean.1.judged")
        await _remove(slot, candidate)
    except HeroError as error:
        return error.message
    finally:
        if held:
            slot.operations.release(held, progress.id)
    return ""


async def _remove(slot: SlotContext, candidate: Candidate) -> None:
    if candidate.kind == "versions":
        await slot.installs.remove(candidate.service, candidate.path.name)
        return
    try:
        if candidate.kind == "logs":
            candidate.path.unlink(missing_ok=True)
            return
        path = candidate.path if candidate.path.name.startswith(GONE) else _out_of_its_place(candidate.path)
    except OSError as error:
        raise HeroError("failed", f"{candidate.name} cannot be removed: {error.strerror}.") from error
    failpoint("clean.2.moved")
    await _remove_tree(path)


def _out_of_its_place(target: Path) -> Path:
    """The target beside its worktree, by one rename: no build ever finds half of one."""
    aside = target.parent.parent / f"{GONE}{secrets.token_hex(6)}"
    target.rename(aside)
    return aside


async def _remove_tree(path: Path) -> None:
    """Remove all of `path`, no link followed, by a child at low priority. Raises HeroError."""
    argv = ("nice", "-n", "19", "rm", "-rf", "--one-file-system", "--", str(path))
    try:
        process = await children.start(
            argv,
            cwd=Path("/"),
            env={"PATH": _PROGRAM_PATH, "LANG": "C.UTF-8"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise HeroError("failed", f"{path} cannot be removed: {error.strerror}.") from error
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            children.end_group(process.pid, signal.SIGTERM)
            await asyncio.shield(process.wait())
    if path.exists():
        raise HeroError(
            "failed",
            f"{safe_line(str(path))} could not be removed wholly.",
            hint="Something in it is not yours, or on another file system; the next clean tries again.",
        )


async def _size(path: Path) -> int:
    async with contextlib.aclosing(measure([Job(path)])) as results:
        async for _, measured in results:
            return measured.size
    return 0
