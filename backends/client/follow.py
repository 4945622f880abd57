"""A followed log as an async iterator: first the last lines, then the new ones as they are written."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from backends.model.errors import HeroError
from backends.model.slot_calls import LogsParams, LogsResult
from backends.model.state import LogLine
from backends.model.text import safe_line
from backends.rpc.connection import Connection
from backends.rpc.subscription import Subscription

_STOP_SECONDS = 2.0

Line = TypeVar("Line", covariant=True)


class Page(Protocol[Line]):
    """What the call that opens a stream answers."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """What was written last."""

    @property
    def stream(self) -> str | None:
        """The stream's name in what follows."""

    @classmethod
    def model_validate(cls, obj: Any) -> Page[Line]:
        """Raises ValidationError."""


def follow_logs(
    connection: Connection, method: str, params: LogsParams
) -> AsyncGenerator[tuple[LogLine, ...], None]:
    """Batches of lines of `slot.logs` or `peek.logs`, as `follow` gives them."""
    asked = params.model_dump(mode="json", by_alias=True, exclude_none=True)
    return follow(connection, (method, asked), "log", LogsResult)


async def follow(
    connection: Connection, call: tuple[str, dict[str, Any]], topic: str, page: type[Page[Line]]
) -> AsyncGenerator[tuple[Line, ...], None]:
    """Batches of what `call` answers and the notes of `topic` bring; close the iterator to end the stream.

    The first batch, which may be empty, says that the stream is open.
    Raises HeroError when the stream breaks or the daemon refuses.
    """
    method, asked = call
    async with Subscription(connection, topic) as notes:
        answer = _read(page, await connection.call(method, asked | {"follow": True}))
        try:
            yield answer.lines
            async for note in notes:
                if note.get("stream") == answer.stream:
                    yield _lines(note, page)
        finally:
            with contextlib.suppress(HeroError):
                await connection.call("logs.stop", {"stream": answer.stream}, timeout=_STOP_SECONDS)


def _lines(note: dict[str, Any], page: type[Page[Line]]) -> tuple[Line, ...]:
    if error := note.get("error"):
        raise HeroError("failed", safe_line(str(error)))
    return _read(page, {"lines": note.get("lines", [])}).lines


def _read(page: type[Page[Line]], told: object) -> Page[Line]:
    try:
        return page.model_validate(told)
    except ValidationError:
        raise HeroError("failed", "The daemon speaks another version.", hint="Restart the box.") from None
