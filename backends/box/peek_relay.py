"""One followed log of a slot, passed on to who follows it at the box, made harmless on its way."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from backends.box.harmless import harmless_agent_line, harmless_line
from backends.model.agent_calls import AgentLogResult
from backends.model.agents import AgentLine
from backends.model.slot_calls import LogsResult
from backends.model.state import LogLine
from backends.model.text import safe_line
from backends.rpc.connection import Connection

EARLY = 1000
"""Notifications kept while the slot's answer is on its way."""

BEHIND = 1024 * 1024
"""Bytes that a slow reader may be behind; lines that come meanwhile are counted instead of kept."""

Result = LogsResult | AgentLogResult


@dataclass(frozen=True)
class Kind:
    """A kind of log: the slot's `call` for it, the `notification` that carries its lines, and what those are."""

    call: str
    notification: str
    checked: Callable[[Any], Result]
    harmless: Callable[[Iterable[Any]], list[BaseModel]]
    note: Callable[[str], BaseModel]


def _agent_note(text: str) -> AgentLine:
    return AgentLine(number=0, time=datetime.now(UTC), kind="error", text=text)


SERVICE_LOGS = Kind(
    "slot.logs",
    "log",
    LogsResult.model_validate,
    lambda lines: [harmless_line(line) for line in lines],
    lambda text: LogLine(source="", text=text),
)
AGENT_LOG = Kind(
    "agent.log",
    "agent_log",
    AgentLogResult.model_validate,
    lambda lines: [harmless_agent_line(line) for line in lines],
    _agent_note,
)


class Relay:
    """A followed log: `stream` is its name towards the asker, `inner` towards the slot."""

    def __init__(self, kind: Kind, asker: Connection, source: Connection, on_error: Callable[[Relay], None]):
        self._on_error: Callable[[], None] = lambda: on_error(self)
        self.kind = kind
        self.stream = secrets.token_hex(8)
        self.inner = ""
        self.ended = False
        self.asker = asker
        self.source = source
        self._skipped = 0
        self._early: deque[dict[str, Any]] = deque(maxlen=EARLY)
        self._unlisten = source.listen(kind.notification, self._take)

    def begin(self, inner: str) -> None:
        """The slot calls the stream `inner`. Lines that came before its answer follow ours."""
        self.inner = inner
        asyncio.get_running_loop().call_soon(self._tell_early)

    def end(self) -> None:
        self.ended = True
        self._unlisten()

    def tell(self, lines: list[BaseModel], error: str = "") -> None:
        """Send lines to the asker, or count them where it is too far behind."""
        if self.ended:
            return
        if self.asker.link.unsent > BEHIND and not error:
            self._skipped += len(lines)
            return
        if self._skipped:
            text = f"… {self._skipped} lines were left out, because this connection is slow"
            lines = [self.kind.note(text), *lines]
            self._skipped = 0
        params: dict[str, Any] = {"stream": self.stream, "lines": [line.model_dump(mode="json") for line in lines]}
        self.asker.notify(self.kind.notification, params | ({"error": error} if error else {}))

    def _tell_early(self) -> None:
        early = tuple(self._early)
        self._early.clear()
        for params in early:
            self._take(params)

    def _take(self, params: dict[str, Any]) -> None:
        if not self.inner or self._early:
            # The slot's answer, which says what our stream is called, has not been read yet.
            self._early.append(params)
            return
        if params.get("stream") != self.inner:
            return
        with contextlib.suppress(ValidationError):
            lines = self.kind.checked({"lines": params.get("lines", [])}).lines
            error = safe_line(str(params.get("error") or ""))
            self.tell(self.kind.harmless(lines), error)
            if error:
                self._on_error()
