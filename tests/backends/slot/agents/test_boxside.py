"""What a slot tells the box's inbox, whenever that is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backends.model.agent_calls import AgentStartParams
from backends.model.agents import Waiting
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import InboxResult
from backends.model.method import Empty
from backends.rpc.connection import Connection, connect
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.server import Server
from backends.slot.agents.boxside import InboxLink
from backends.slot.agents.making import new_record
from backends.slot.agents.places import Place

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
AGENT = new_record("3", "alice", AgentStartParams(), Place(Path("/w")), "opus", NOON).agent
ITEM = InboxItem(id="q1", kind="message", sender="mik", to="alice/3", text="hi", asked_at=NOON)


class Inbox:
    """The box's end. `refuses` is raised once for each call."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.refuses: list[HeroError] = []
        self.connection: Connection | None = None

    def reach(self) -> Connection:
        if self.connection is None:
            raise HeroError("unreachable", "The box's daemon is away.")
        return self.connection

    async def settle(self, _: Call, params: Any) -> Empty:
        self.told.append(("settle", params.waiting))
        if self.refuses:
            raise self.refuses.pop()
        return Empty()

    async def ask(self, _: Call, params: Any) -> InboxItem:
        self.told.append(("ask", params.waiting))
        return ITEM

    async def take(self, _: Call, params: Any) -> InboxResult:
        self.told.append(("take", params.agents or params.taken))
        return InboxResult(items=(ITEM,) if params.agents else ())

    async def until(self, *told: str) -> None:
        async with asyncio.timeout(20):
            while [name for name, _ in self.told] != list(told):
                await asyncio.sleep(0.005)


@pytest.fixture
async def inbox(short_dir: Path) -> AsyncIterator[Inbox]:
    made = Inbox()
    dispatcher = Dispatcher("hero_boxd", "1")
    dispatcher.register(BY_NAME["question.ask"], made.ask)
    dispatcher.register(BY_NAME["question.settle"], made.settle)
    dispatcher.register(BY_NAME["message.take"], made.take)
    server = Server(short_dir / "rpc.sock", dispatcher)
    await server.start()
    yield made
    if made.connection:
        await made.connection.close()
    await server.close(grace=0)


async def test_what_the_box_cannot_hear_it_is_told_in_order_once_it_is_there(
    inbox: Inbox, short_dir: Path
) -> None:
    link = InboxLink()
    link.use(inbox.reach)
    link.ask(AGENT, Waiting(id="w1", text="Bash: ls", since=NOON))
    link.settle(AGENT, "w1", answered=True)
    inbox.connection = await connect(short_dir / "rpc.sock")
    link.connected()
    await inbox.until("ask", "settle")
    await link.close()


async def test_a_refusal_is_an_end_and_a_busy_box_is_asked_again(inbox: Inbox, short_dir: Path) -> None:
    link = InboxLink()
    inbox.connection = await connect(short_dir / "rpc.sock")
    inbox.refuses = [HeroError("denied", "no"), HeroError("busy", "later")]
    link.use(inbox.reach)
    link.settle(AGENT, "w1", answered=True)
    await inbox.until("settle")
    link.connected()
    await inbox.until("settle", "settle")
    link.settle(AGENT, "w2", answered=True)
    await inbox.until("settle", "settle", "settle")
    assert [waiting for _, waiting in inbox.told] == ["w1", "w1", "w2"]
    await link.close()


async def test_what_waits_for_an_agent_that_is_back_is_fetched(inbox: Inbox, short_dir: Path) -> None:
    got: list[InboxItem] = []
    link = InboxLink(lambda result: got.extend(result.items))
    inbox.connection = await connect(short_dir / "rpc.sock")
    link.use(inbox.reach)
    link.fetch(AGENT)
    link.taken(["q1"])
    await inbox.until("take", "take")
    assert got == [ITEM]
    assert inbox.told[1] == ("take", ("q1",))
    await link.close()
