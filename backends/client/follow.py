"""A followed log as an async iterator: first the last lines, then the new ones as they are written."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from pydantic import ValidationError

from backends.model.calls import LogsParams, LogsResult
from backends.model.errors import HeroError
from backends.model.state import LogLine
from backends.rpc.connection import Connection
from backends.rpc.subscription import Subscription

STOP_SECONDS = 2.0


async def follow_logs(
    connection: Connection, method: str, params: LogsParams
) -> AsyncGenerator[tuple[LogLine, ...], None]:
    """Batches of lines of `slot.logs` or `peek.logs`; close the iterator to end the stream.

    The first batch, which may be empty, says that the stream is open.
    Raises HeroError when the stream breaks or the daemon refuses.
    """
    asked: dict[str, Any] = params.model_dump(mode="json", by_alias=True, exclude_none=True) | {"follow": True}
    async with Subscription(connection, "log") as notes:
        answer = LogsResult.model_validate(await connection.call(method, asked))
        try:
            yield answer.lines
            async for note in notes:
                if note.get("stream") == answer.stream:
                    yield _lines(note)
        finally:
            with contextlib.suppress(HeroError):
                await connection.call("logs.stop", {"stream": answer.stream}, timeout=STOP_SECONDS)


def _lines(note: dict[str, Any]) -> tuple[LogLine, ...]:
    if error := note.get("error"):
        raise HeroError("failed", str(error))
    try:
        return LogsResult.model_validate({"lines": note.get("lines", [])}).lines
    except ValidationError:
        raise HeroError("failed", "The daemon speaks another version.", hint="Restart the box.") from None
