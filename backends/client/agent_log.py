"""A followed log of an agent as an async iterator: first its last entries, then the new ones as they come."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from pydantic import ValidationError

from backends.client.follow import STOP_SECONDS
from backends.model.agent_calls import AgentLogResult, PeekAgentLogParams
from backends.model.agents import AgentLine
from backends.model.errors import HeroError
from backends.rpc.connection import Connection
from backends.rpc.subscription import Subscription


async def follow_agent_log(
    connection: Connection, params: PeekAgentLogParams
) -> AsyncGenerator[tuple[AgentLine, ...], None]:
    """Batches of entries of `peek.agent_log` at the box; close the iterator to end the stream.

    The first batch, which may be empty, says that the stream is open.
    Raises HeroError when the stream breaks or the box refuses.
    """
    asked = params.model_dump(mode="json", exclude_none=True) | {"follow": True}
    async with Subscription(connection, "agent_log") as notes:
        answer = AgentLogResult.model_validate(await connection.call("peek.agent_log", asked))
        try:
            yield answer.lines
            async for note in notes:
                if note.get("stream") == answer.stream:
                    yield _lines(note)
        finally:
            with contextlib.suppress(HeroError):
                await connection.call("logs.stop", {"stream": answer.stream}, timeout=STOP_SECONDS)


def _lines(note: dict[str, Any]) -> tuple[AgentLine, ...]:
    if error := note.get("error"):
        raise HeroError("failed", str(error))
    try:
        return AgentLogResult.model_validate({"lines": note.get("lines", [])}).lines
    except ValidationError:
        raise HeroError("failed", "The daemon speaks another version.", hint="Restart the box.") from None
