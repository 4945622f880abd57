"""The broker's record of everything that it was asked for, granted or refused: who, what, when, never the key."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.broker.ledger import Clock
from backends.model.errors import HeroError
from backends.model.text import safe_line

FILE_BYTES = 16 << 20
FILES = 4
"""Older ones, besides the one that is written."""
SELDOM_SECONDS = 60.0

_SESSION = re.compile(r"(?!.*sk-ant-)[A-Za-z0-9_][A-Za-z0-9_./@+-]{0,199}")
_NOT_SHOWN = "(not shown)"

Told = Callable[[dict[str, Any]], None]


def shown_session(session: str) -> str:
    """A session's name as it may stand in a log: whoever pastes a key there must not find it again."""
    return session if not session or _SESSION.fullmatch(session) else _NOT_SHOWN


class Audit:
    """Lines are only ever added to `path`, which is its owner's alone; `told` gets each of them too."""

    def __init__(self, path: Path, now: Clock, told: Told):
        self._path = path
        self._now = now
        self._told = told
        self._lock = asyncio.Lock()
        self._seldom: dict[tuple[object, ...], float] = {}

    async def add(self, kind: str, *, ok: bool, sentence: str = "", **more: Any) -> None:
        """Add a line. Raises HeroError where it cannot be kept: what is not recorded is not done."""
        moment = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        line = {"time": moment, "kind": kind, "ok": ok, "sentence": safe_line(sentence, 500), **more}
        async with self._lock:
            await asyncio.to_thread(self._write, json.dumps(line, ensure_ascii=True).encode() + b"\n")
        self._told(line)

    async def add_seldom(self, *same: object, kind: str, sentence: str, ok: bool = False, **more: Any) -> None:
        """Add a line unless one about the `same` was added within the last minute. Raises HeroError."""
        now = self._now()
        self._seldom = {one: at for one, at in self._seldom.items() if now - at < SELDOM_SECONDS}
        if (kind, *same) in self._seldom:
            return
        self._seldom[(kind, *same)] = now
        await self.add(kind, ok=ok, sentence=sentence, **more)

    def _write(self, line: bytes) -> None:
        try:
            handle = self._open()
            try:
                os.write(handle, line)
                os.fsync(handle)
                full = os.fstat(handle).st_size > FILE_BYTES
            finally:
                os.close(handle)
            if full:
                self._turn_over()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise HeroError(
                    "no_space",
                    f"The disk of {self._path} is full, and what is not recorded is not done.",
                    hint="Free some space.",
                ) from error
            raise HeroError("failed", f"{self._path} cannot be written: {error.strerror}.") from error

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._path, flags, 0o600)

    def _turn_over(self) -> None:
        for number in range(FILES - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
