"""The changes that this cockpit began: carried out one after the other or side by side, told until dismissed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Protocol, TypeVar

from backends.model.errors import HeroError
from screens.doings import Asked, Doing
from screens.widgets.cells import BYTE_PHASES, phase_of
from screens.widgets.progress import OperationView

if TYPE_CHECKING:
    from pydantic import BaseModel

    from backends.model.frozen import Frozen
    from backends.model.state import Operation

R = TypeVar("R", bound="BaseModel")

_AGAIN_SECONDS = 0.3
_PATIENCE_SECONDS = 20.0
_LAST_LINES = 4
_KEPT = 100
"""Ended changes that stay in the tray at most."""


class Caller(Protocol):
    """How a slot is called."""

    async def __call__(self, user: str, method: str, params: Frozen, result: type[R]) -> R: ...


@dataclass(frozen=True)
class _Entry:
    asked: Asked
    begun: datetime
    operation: Operation | None = None
    error: HeroError | None = None
    ended: datetime | None = None
    lines: tuple[str, ...] = field(default=())
    aside: bool = False
    """In the tray only: the person has seen how it ended."""


class Doings:
    """Begun changes by number; `changed` is called after each change of what `all` answers."""

    def __init__(self, call: Caller, now: Callable[[], datetime], changed: Callable[[], None]):
        self._call = call
        self._now = now
        self._changed = changed
        self._entries: dict[int, _Entry] = {}
        self._numbers = count(1)

    def all(self) -> tuple[Doing, ...]:
        """What runs, and what ended and was not set aside yet; oldest first."""
        return tuple(self._shown(number, entry) for number, entry in self._entries.items() if not entry.aside)

    def tray(self) -> tuple[Doing, ...]:
        """All that was not dismissed, newest first."""
        return tuple(self._shown(number, entry) for number, entry in reversed(self._entries.items()))

    @property
    def running(self) -> bool:
        """True while one of them has not ended."""
        return any(entry.ended is None for entry in self._entries.values())

    def newest_running(self) -> tuple[str, str] | None:
        """User and operation id of the change that was begun last and runs."""
        for entry in reversed(self._entries.values()):
            if entry.ended is None and entry.operation:
                return entry.asked.user, entry.operation.id
        return None

    def set_aside(self) -> bool:
        """Take what has ended off the screens, into the tray alone; False where nothing has."""
        ended = [number for number, entry in self._entries.items() if entry.ended and not entry.aside]
        for number in ended:
            self._entries[number] = replace(self._entries[number], aside=True)
        if ended:
            self._changed()
        return bool(ended)

    def dismiss(self, number: int | None = None) -> None:
        """Forget the change with this number, or all, as far as they have ended."""
        for known in [number] if number is not None else list(self._entries):
            if known in self._entries and self._entries[known].ended is not None:
                del self._entries[known]
        self._changed()

    def asked(self, number: int) -> Asked | None:
        """What was asked for, where that has ended and may be asked for again."""
        entry = self._entries.get(number)
        return entry.asked if entry is not None and entry.ended is not None else None

    def heard(self, user: str, operation: Operation) -> None:
        """Progress as the box tells it."""
        if operation.state != "running":
            return
        for number, entry in self._entries.items():
            known = entry.operation
            if known and known.id == operation.id and entry.asked.user == user and entry.ended is None:
                self._set(number, replace(entry, operation=operation))

    async def carry_out(self, asked: Asked) -> bool:
        """Begin the change and see it through; how it ends is told by `all`. True if it succeeded."""
        from backends.model.slot_calls import OperationRef

        number = next(self._numbers)
        self._make_room()
        entry = _Entry(asked, self._now())
        self._set(number, entry)
        try:
            reference = await self._call(asked.user, asked.method, asked.params, OperationRef)
            operation = await self._wait(number, asked.user, reference.operation)
        except HeroError as error:
            self._set(number, replace(self._entries.get(number, entry), error=error, ended=self._now()))
            return False
        lines = await self._last_lines(asked, operation) if operation.state == "failed" else ()
        ended = operation.finished_at or self._now()
        self._set(number, replace(self._entries.get(number, entry), operation=operation, ended=ended, lines=lines))
        return operation.state == "succeeded"

    async def _wait(self, number: int, user: str, operation: str) -> Operation:
        """The operation, ended, even if its daemon is started anew meanwhile."""
        from backends.model.slot_calls import OperationParams
        from backends.model.state import Operation

        params = OperationParams(operation=operation)
        lost_at: float | None = None
        loop = asyncio.get_running_loop()
        while True:
            try:
                first = await self._call(user, "operation.get", params, Operation)
                lost_at = None
                self._set(number, replace(self._entries[number], operation=first))
                return await self._call(user, "operation.wait", params, Operation)
            except HeroError as error:
                lost_at = loop.time() if lost_at is None else lost_at
                if error.code != "unreachable" or loop.time() - lost_at > _PATIENCE_SECONDS:
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _last_lines(self, asked: Asked, operation: Operation) -> tuple[str, ...]:
        """What a person reads first: the end of the build's output, or of the service's log."""
        told = operation.result.get("last_lines")
        if isinstance(told, list):
            return tuple(str(line) for line in told[-_LAST_LINES:])
        if operation.error is None or operation.error.code not in ("unhealthy", "failed", "timeout"):
            return ()
        if len(asked.services) != 1:
            return ()
        from backends.model.slot_calls import LogsParams, LogsResult

        params = LogsParams(services=asked.services, lines=_LAST_LINES)
        try:
            result = await self._call(asked.user, "slot.logs", params, LogsResult)
        except HeroError:
            return ()
        return tuple(line.text for line in result.lines)

    def _set(self, number: int, entry: _Entry) -> None:
        self._entries[number] = entry
        self._changed()

    def _make_room(self) -> None:
        """What went well makes room on the screens for the next; the oldest that ended leave the tray."""
        for number, entry in list(self._entries.items()):
            if self._is_good(entry):
                self._entries[number] = replace(entry, aside=True)
        ended = [number for number, entry in self._entries.items() if entry.ended is not None]
        for number in ended[: max(0, len(ended) - _KEPT)]:
            del self._entries[number]

    @staticmethod
    def _is_good(entry: _Entry) -> bool:
        return entry.ended is not None and entry.operation is not None and entry.operation.state == "succeeded"

    def _shown(self, number: int, entry: _Entry) -> Doing:
        asked, operation, error = entry.asked, entry.operation, entry.error
        service = asked.services[0] if len(asked.services) == 1 else ""
        elapsed = ((entry.ended or self._now()) - entry.begun).total_seconds()
        if error is not None:
            view = OperationView(asked.title, asked.title, state="failed", message=error.message, elapsed=elapsed)
            return Doing(view, asked.user, service, _texts((error.hint,)), number)
        if operation is None:
            view = OperationView("", asked.title, "asking", elapsed=elapsed, cancellable=False)
            return Doing(view, asked.user, service, (), number)
        view = OperationView(
            id=operation.id,
            title=asked.title,
            phase=phase_of(operation),
            state=operation.state,
            done=operation.done,
            total=operation.total,
            elapsed=elapsed,
            bytes=operation.phase in BYTE_PHASES,
            message=_outcome(operation),
        )
        hint = (operation.error.hint,) if operation.error and operation.state == "failed" else ()
        return Doing(view, asked.user, service, _texts((*entry.lines, *hint)), number)


def _texts(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line.strip())


def _outcome(operation: Operation) -> str:
    """How it ended, in one line."""
    if operation.error is not None:
        return next(iter(operation.error.message.splitlines()), operation.error.code)
    if operation.state != "succeeded":
        return ""
    if operation.result.get("nothing_to_do"):
        return "nothing to do"
    tag = operation.result.get("tag")
    return f"done: {tag}" if isinstance(tag, str) and tag else "done"
