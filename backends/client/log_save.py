"""Lines of a log saved as a file of one's own, whole or not at all; the newest few are kept."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from backends.model.errors import HeroError

KEPT = 20
"""Saved files that stay; older ones go when another is saved."""
_SLICE = 400


def saved_logs() -> Path:
    """Where they lie."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "hero" / "logs"


async def save_lines(lines: Iterable[str], name: str) -> tuple[Path, int]:
    """Write `lines` to a file with `name` in it, letting others run meanwhile; its path and how many there were.

    Raises HeroError.
    """
    folder = saved_logs()
    path = folder / name.replace("/", "_")
    temporary = folder / f".{path.name}.{secrets.token_hex(4)}.tmp"
    count, rest = 0, iter(lines)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with temporary.open("x", encoding="utf-8", errors="replace") as out:
            temporary.chmod(0o600)
            while part := list(islice(rest, _SLICE)):
                out.writelines(f"{line}\n" for line in part)
                count += len(part)
                await asyncio.sleep(0)
        temporary.replace(path)
        _forget_old(folder)
    except OSError as error:
        raise HeroError(
            "failed", f"{path} cannot be written: {error.strerror}.", hint="Is the disk full?"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path, count


def _forget_old(folder: Path) -> None:
    saved = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
    for path in saved[:-KEPT]:
        path.unlink(missing_ok=True)
