"""A followed log of an agent as an async iterator."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from backends.client.follow import follow
from backends.model.agent_calls import AgentLogResult, PeekAgentLogParams
from backends.model.agents import AgentLine
from backends.rpc.connection import Connection


def follow_agent_log(
    connection: Connection, params: PeekAgentLogParams
) -> AsyncGenerator[tuple[AgentLine, ...], None]:
    """Batches of entries of `peek.agent_log` at the box, as `follow` gives them."""
    asked = params.model_dump(mode="json", exclude_none=True)
    return follow(connection, ("peek.agent_log", asked), "agent_log", AgentLogResult)
