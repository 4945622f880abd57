"""The reconciler's own record of all that it did, one JSON line each, whatever becomes of the box's."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.model.errors import HeroError
from backends.model.text import safe_line


class AuditLog:
    """Lines are only ever added to `path`; `group` (a gid) may read it."""

    def __init__(self, path: Path, group: int | None):
        self._path = path
        self._group = group

    def add(self, kind: str, sentence: str, **more: Any) -> None:
        """Add a line. Raises HeroError where it cannot be kept: what is not recorded is not done."""
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "kind": kind}
        text = json.dumps({**line, **more, "sentence": safe_line(sentence, 1000)}, ensure_ascii=True) + "\n"
        try:
            handle = self._open()
            try:
                os.write(handle, text.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise HeroError("failed", f"{self._path} cannot be written: {error.strerror}.") from error

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self._path, flags)
        except FileNotFoundError:
            if not self._path.parent.is_dir():
                self._path.parent.mkdir(parents=True)
                self._path.parent.chmod(0o755)
            handle = os.open(self._path, flags | os.O_CREAT, 0o640)
            if self._group is not None:
                os.fchown(handle, -1, self._group)
            os.fchmod(handle, 0o640)
            return handle
