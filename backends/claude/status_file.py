"""What a session says of itself in `sessions/<pid>.json`: the truth where no hook speaks."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from backends.claude.private import Unreadable, read_own
from backends.model.text import safe_line

Doing = Literal["busy", "idle", "waiting"]

_NAME = re.compile(r"([1-9][0-9]{0,9})\.json")
_DOING: tuple[Doing, ...] = ("busy", "idle", "waiting")
_START_TIME = 22 - 3
"""Where the start time is in /proc/<pid>/stat behind the command's name: field 22, the third being the first."""


@dataclass(frozen=True)
class SessionStatus:
    """One session that runs. `waiting_for` is the program's word, like `permission prompt` or `input needed`."""

    pid: int
    session: str
    doing: Doing
    waiting_for: str = ""
    name: str = ""
    updated_at: datetime | None = None


def sessions_folder(config: Path) -> Path:
    """Where the program keeps these files below a config directory."""
    return config / "sessions"


def read_status(path: Path) -> SessionStatus | None:
    """The session of one file; None where it does not run (any more) or the file makes no sense. Never raises."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        found = json.loads(read_own(path))
    except (OSError, Unreadable, ValueError, RecursionError):
        return None
    pid = int(match[1])
    if not isinstance(found, dict) or found.get("pid") != pid or found.get("status") not in _DOING:
        return None
    # After a kill the file stays, and the number may be another process's by now.
    if str(found.get("procStart")) != start_time(pid):
        return None
    return SessionStatus(
        pid=pid,
        session=_line(found.get("sessionId")),
        doing=found["status"],
        waiting_for=_line(found.get("waitingFor")),
        name=_line(found.get("name")),
        updated_at=_moment(found.get("statusUpdatedAt")),
    )


def running_sessions(config: Path) -> list[SessionStatus]:
    """All sessions that run on a config directory. Never raises."""
    try:
        paths = sorted(sessions_folder(config).iterdir())
    except OSError:
        return []
    return [one for path in paths if (one := read_status(path))]


def start_time(pid: int) -> str:
    """When the process began, in the kernel's ticks; "" where there is none."""
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The command's name is in parentheses and may hold blanks and parentheses itself.
    fields = told.rpartition(b")")[2].split()
    return fields[_START_TIME].decode("ascii", "replace") if len(fields) > _START_TIME else ""


def _line(value: Any) -> str:
    return safe_line(value, 200) if isinstance(value, str) else ""


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
