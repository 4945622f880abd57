"""Lines of a log saved as a file of one's own, whole or not at all; the newest few are kept."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain, count, islice
from pathlib import Path

from backends.model.errors import HeroError

KEPT = 20
"""Saved files that stay; older ones go when another is saved."""
_SLICE = 400
_NAME_BYTES = 200
_HINTS = {
    errno.ENOSPC: "The disk is full: `df -h` tells which.",
    errno.EDQUOT: "Your share of the disk is full: `quota` tells of it.",
}


def saved_logs() -> Path:
    """Where they lie."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "hero" / "logs"


async def save_lines(lines: Iterable[str], name: str) -> tuple[Path, int]:
    """Write `lines` to a file with `name` in it, letting others run meanwhile; its path and how many there were.

    What is there already stays: a number is added to the name. Raises HeroError.
    """
    folder = saved_logs()
    path = _free(folder, name)
    temporary = folder / f".{secrets.token_hex(8)}.tmp"
    written, rest = 0, iter(lines)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with temporary.open("x", encoding="utf-8", errors="replace") as out:
            temporary.chmod(0o600)
            while part := list(islice(rest, _SLICE)):
                out.writelines(f"{line}\n" for line in part)
                written += len(part)
                await asyncio.sleep(0)
        temporary.replace(path)
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, f"It is to lie in {folder}.")
        raise HeroError("failed", f"The lines cannot be saved: {error.strerror}.", hint=hint) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    _forget_old(folder)
    return path, written


def _free(folder: Path, name: str) -> Path:
    """A path with that name, or as much of it as a file may have, that nothing has yet."""
    whole = name.replace("/", "_")
    stem, ending = os.path.splitext(whole)  # noqa: PTH122 - what begins with a dot is a stem
    short = os.fsencode(stem)[:_NAME_BYTES].decode(errors="ignore")
    paths = (folder / f"{short}{number}{ending}" for number in chain([""], (f"-{again}" for again in count(2))))
    return next(path for path in paths if not os.path.lexists(path))


def _forget_old(folder: Path) -> None:
    """Keep the newest; one that another session has removed meanwhile is gone all the same."""
    with suppress(OSError):
        saved = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
        for path in saved[:-KEPT]:
            path.unlink(missing_ok=True)
