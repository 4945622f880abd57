"""What an agent's hooks had to say while the slot's daemon was away: read in its order, then removed."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.claude.private import Unreadable, read_own

_NAME = re.compile(r"([0-9]{20})-[0-9]{1,10}\.json")
_SIZE = 32 * 1024 * 1024


@dataclass(frozen=True)
class SpooledHook:
    """One event that nobody heard. `path` is to be removed once it is dealt with (`forget`)."""

    time: datetime
    event: str
    payload: dict[str, Any]
    path: Path


def read_spool(folder: Path) -> list[SpooledHook]:
    """The kept events, oldest first; what is no event is left out and removed. Blocks; never raises."""
    found = []
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            if match := _NAME.fullmatch(path.name):
                one = _read(path, int(match[1]))
                if one is None:
                    forget(path)
                else:
                    found.append(one)
    return found


def forget(path: Path) -> None:
    """Remove a kept event; one that is gone is fine."""
    with contextlib.suppress(OSError):
        path.unlink()


def _read(path: Path, nanoseconds: int) -> SpooledHook | None:
    try:
        told = json.loads(read_own(path, _SIZE))
        event, payload = told["event"], told["payload"]
        time = datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (OSError, Unreadable, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if not isinstance(event, str) or not isinstance(payload, dict):
        return None
    return SpooledHook(time, event[:100], payload, path)
