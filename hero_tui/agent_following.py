"""An agent's log that goes on through restarts of the daemons: entries have numbers, so none is told twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from backends.model.agent_calls import PeekAgentLogParams
from backends.model.agents import AgentLine
from backends.model.errors import HeroError
from hero_tui.following import AGAIN_SECONDS
from screens.log_source import AgentBatch

Opener = Callable[[PeekAgentLogParams], AsyncGenerator[tuple[AgentLine, ...], None]]
"""Opens a stream of entries; it raises HeroError when it breaks."""

_FINAL = frozenset({"denied", "not_found", "usage"})
_AT_MOST = 5000


async def follow_agent(opened: Opener, params: PeekAgentLogParams) -> AsyncGenerator[AgentBatch, None]:
    """Batches until the iterator is closed. Raises HeroError if the log is refused for good."""
    last, failures = params.after, 0
    while True:
        try:
            async with contextlib.aclosing(opened(params)) as stream:
                async for batch in stream:
                    failures = 0
                    fresh = tuple(line for line in batch if line.number > last)
                    last = max(last, *(line.number for line in fresh)) if fresh else last
                    yield AgentBatch(lines=fresh)
                raise HeroError("unreachable", "The log's stream ended.")
        except HeroError as error:
            if error.code in _FINAL:
                raise
            yield AgentBatch(lost=error.message)
        await asyncio.sleep(AGAIN_SECONDS[min(failures, len(AGAIN_SECONDS) - 1)])
        failures += 1
        if last:
            params = params.model_copy(update={"after": last, "limit": _AT_MOST})
