"""An agent's log through restarts: taken up after its last entry, none told twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from backends.model.agent_calls import PeekAgentLogParams
from backends.model.agents import AgentLine
from backends.model.errors import HeroError
from hero_tui import agent_following
from hero_tui.agent_following import follow_agent
from tests.hero_tui.agents import entry

PARAMS = PeekAgentLogParams(user="alice", agent="1", limit=50)


def lines(*numbers: int) -> tuple[AgentLine, ...]:
    return tuple(entry(number, "answer", str(number)) for number in numbers)


async def test_it_goes_on_after_the_last_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_following, "AGAIN_SECONDS", (0.0,))
    asked: list[PeekAgentLogParams] = []
    streams = [[lines(1, 2), lines(3)], [lines(3, 4), lines(5)]]

    async def opened(params: PeekAgentLogParams) -> AsyncGenerator[tuple[AgentLine, ...], None]:
        asked.append(params)
        for batch in streams[len(asked) - 1]:
            yield batch
        raise HeroError("unreachable", "The box has gone.")

    told: list[int] = []
    lost: list[str] = []
    async with aclosing(follow_agent(opened, PARAMS)) as batches:
        async for batch in batches:
            told += [line.number for line in batch.lines]
            lost += [batch.lost] if batch.lost else []
            if 5 in told:
                break
    assert told == [1, 2, 3, 4, 5]
    assert lost == ["The box has gone."]
    assert [one.after for one in asked] == [0, 3]


async def test_a_refusal_ends_it() -> None:
    async def opened(params: PeekAgentLogParams) -> AsyncGenerator[tuple[AgentLine, ...], None]:
        raise HeroError("denied", "mik does not let you look.")
        yield ()

    with pytest.raises(HeroError, match="mik does not let"):
        async for _ in follow_agent(opened, PARAMS):
            pass
