"""Sockets that nobody serves any more: what died without taking its name away."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from backends.doctor.asking import in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, Repair, listed, passed_over, well
from backends.model.errors import HeroError
from backends.rpc.sockets import listening

SETTLED = 30.0
"""Seconds after which a socket is surely not one that is just being made."""


def stale_in(folders: Iterable[Path], now: float) -> list[Path]:
    """The sockets in `folders` at which nobody listens, though they are older than SETTLED seconds at `now`."""
    return [path for folder in folders for path in sorted(folder.glob("*.sock")) if is_stale(path, now)]


def is_stale(path: Path, now: float) -> bool:
    """Whether `path` is such a socket."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and now - found.st_ctime > SETTLED and not listening(path)


async def _of_box(context: Context) -> Sequence[Found]:
    run = context.machine.run
    folders = [run / "box", run / "team_sync", run / "broker"] if context.system else [context.box.run]
    return await in_thread(lambda: _look(context, folders))


async def _of_slot(context: Context) -> Sequence[Found]:
    if not context.slot.sockets.is_dir():
        return [passed_over("no service of this slot has had a socket yet")]
    return await in_thread(lambda: _look(context, _folders(context.slot.sockets)))


def _folders(sockets: Path) -> list[Path]:
    return [folder for folder in sockets.iterdir() if folder.is_dir() and not folder.is_symlink()]


def _look(context: Context, folders: Sequence[Path]) -> list[Found]:
    try:
        stale = stale_in(folders, time.time())
        count = sum(1 for folder in folders for _ in folder.glob("*.sock"))
    except PermissionError:
        return [passed_over("this user may not look into these folders")]
    if not stale:
        return [well(f"Somebody listens at each of {count} sockets." if count else "There are no sockets yet.")]
    mine = [path for path in stale if path.lstat().st_uid == context.uid]
    return [
        Found(
            "warn",
            f"Nobody listens at {listed([f'{path.parent.name}/{path.name}' for path in stale])}.",
            "Whoever connects is refused, where no socket at all would say that the service does not run.",
            f"rm {' '.join(map(str, stale[:3]))}",
            repair=_remove(mine) if mine else None,
        )
    ]


def _remove(paths: Sequence[Path]) -> Repair:
    async def mend() -> str:
        gone = await in_thread(lambda: [path for path in paths if _removed(path)])
        if not gone:
            raise HeroError("failed", "Somebody listens there by now.")
        return f"Removed {listed([f'{path.parent.name}/{path.name}' for path in gone])}."

    return mend


def _removed(path: Path) -> bool:
    # Whoever binds anew makes a new file, which is too young to be taken for stale.
    if not is_stale(path, time.time()):
        return False
    path.unlink(missing_ok=True)
    return True


CHECKS = (
    Check("sockets.box", "sockets of the box", _of_box),
    Check("sockets.slot", "sockets of the slot", _of_slot, scope="slot"),
)
