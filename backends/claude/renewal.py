"""Whether a process renews the user's own login just now: ended amid that, it is lost to all their sessions.

The token by which a login is renewed is good once. Who ends a session between the answer and the file throws the
next one away. The program's own lock in the login's folder says who is at it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from backends.claude.private import Unreadable, read_own

LOGIN_FOLDER = "CLAUDE_SECURESTORAGE_CONFIG_DIR"
"""The variable by which a session finds the login's folder."""

_LOCK = ".oauth_refresh.lock"
_OWNER = f"{_LOCK}.owner"
_STALE_SECONDS = 30.0
"""Whoever holds the lock touches it every few seconds."""


def is_renewing(folder: Path, pid: int) -> bool:
    """Whether the process `pid` renews the login in `folder`. Never raises."""
    try:
        age = time.time() - (folder / _LOCK).lstat().st_mtime
        owner = json.loads(read_own(folder / _OWNER))
    except (OSError, Unreadable, ValueError, RecursionError):
        return False
    return age < _STALE_SECONDS and isinstance(owner, dict) and owner.get("pid") == pid
