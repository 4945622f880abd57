"""What a slot's units do now, kept up to date by what systemd tells, and passed on to whoever watches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.supervisors.base import ProcessState, SupervisorLost
from backends.supervisors.launch_errors import likely_error, why_not
from backends.supervisors.systemd_state import state_of, was_not_launched

BACKLOG = 1000
"""Changes kept for a reader; one that lags further behind gets the state of every process anew."""


class Mirror:
    """The processes that are known, by name, and their readers."""

    def __init__(self) -> None:
        self._units: dict[str, dict[str, Any]] = {}
        self.states: dict[str, ProcessState] = {}
        self._readers: set[_Reader] = set()
        self._lost = ""

    def take(self, name: str, properties: dict[str, Any], *, complete: bool = True) -> None:
        """Merge what systemd told of `name`; readers hear of it if it is `complete` and changed anything."""
        unit = self._units.setdefault(name, {})
        unit |= properties
        if not complete:
            return
        before = self.states.get(name)
        state = state_of(name, unit, before, datetime.now(UTC))
        if state.state == "fatal" and was_not_launched(unit):
            state = replace(state, reason=_why_not_launched(unit) or state.reason)
        if state != before:
            self.states[name] = state
            self._tell(state)

    def forget(self, name: str) -> None:
        """Drop `name`, and tell so."""
        self._units.pop(name, None)
        before = self.states.pop(name, None)
        if before is not None:
            gone = replace(before, state="unknown", pid=None, reason="removed", since=datetime.now(UTC))
            self._tell(gone)

    def end(self, why: str) -> None:
        """No more will come: readers get what waits for them, then SupervisorLost."""
        self._lost = why
        for reader in self._readers:
            reader.news.set()

    async def read(self) -> AsyncIterator[ProcessState]:
        """The state of every process, then each change; ends with SupervisorLost."""
        reader = _Reader(lambda: self.states.values())
        self._readers.add(reader)
        try:
            while True:
                while reader.waiting:
                    yield reader.waiting.popleft()
                if self._lost:
                    raise SupervisorLost(self._lost)
                reader.news.clear()
                await reader.news.wait()
        finally:
            self._readers.discard(reader)

    def _tell(self, state: ProcessState) -> None:
        for reader in self._readers:
            reader.tell(state)


class _Reader:
    def __init__(self, everything: Callable[[], Iterable[ProcessState]]):
        self._everything = everything
        self.waiting: deque[ProcessState] = deque(everything())
        self.news = asyncio.Event()

    def tell(self, state: ProcessState) -> None:
        if len(self.waiting) < BACKLOG:
            self.waiting.append(state)
        else:
            self.waiting = deque(self._everything())
        self.news.set()


def _why_not_launched(unit: dict[str, Any]) -> str:
    command, folder = unit.get("ExecStart"), unit.get("WorkingDirectory")
    if not command or not folder:
        return ""
    path, argv = command[0][0], command[0][1]
    cwd = Path(folder.removeprefix("!"))  # systemd's mark for a folder that may be missing
    return why_not(argv[0] if argv else path, cwd, likely_error(Path(path), cwd))
