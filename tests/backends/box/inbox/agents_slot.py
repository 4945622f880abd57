"""A slot's daemon as far as the inbox knows one: it takes messages for its agents, and answers their dialogs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from backends.model.agents import Agent
from backends.model.box_calls import ReportParams
from backends.model.errors import HeroError
from backends.model.state import SlotStatus
from backends.rpc.connection import Connection, connect
from backends.rpc.wire import Request
from tests.backends.box.conftest import MadeBox, eventually

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def agent(slot: str, number: str, **more: Any) -> Agent:
    return Agent.model_validate(
        {"id": number, "slot": slot, "session": "s", "since": NOW, "started_at": NOW} | more
    )


@dataclass
class AgentsSlot:
    """Knows messages and answers by their ids over every restart, as a slot has to; `takes` says that it takes."""

    box: MadeBox
    name: str = "alice"
    agents: tuple[str, ...] = ("3", "4")
    takes: bool = True
    heard: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    dialogs: set[str] = field(default_factory=set)
    answers: list[dict[str, Any]] = field(default_factory=list)
    decided: list[dict[str, Any]] = field(default_factory=list)
    refuses: HeroError | None = None
    connection: Connection | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def come(self) -> Connection:
        """Connect, tell the slot's state, take what waits."""
        self.connection = await eventually(lambda: connect(self.box.paths.rpc_socket, self._answer))
        agents = tuple(agent(self.name, number) for number in self.agents)
        status = SlotStatus(box="dev", slot=self.name, agents=agents, seen_at=NOW)
        report = ReportParams(slot=self.name, status=status)
        await self.connection.call("slot.report", report.model_dump(mode="json", by_alias=True))
        return self.connection

    async def leave(self) -> None:
        if self.connection is not None:
            await self.connection.close()
            self.connection = None

    async def take(self) -> None:
        """Ask for what waits, hear it, and say that it is taken."""
        assert self.connection
        found = (await self.connection.call("message.take", {}))["items"]
        self._hear([item["id"] for item in found], [item["text"] for item in found])
        await self.connection.call("message.take", {"taken": [item["id"] for item in found]})

    async def until_heard(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()

    def _hear(self, ids: list[str], texts: list[str]) -> None:
        for item, text in zip(ids, texts, strict=True):
            if item not in self.heard:
                self.heard.append(item)
                self.texts.append(text)
        self.news.set()

    async def _answer(self, connection: Connection, request: Request) -> Any:
        if request.method == "agent.deliver":
            ids = request.params["ids"]
            self._hear(ids, request.params["messages"])
            if self.takes:
                await connection.call("message.take", {"taken": ids})
        elif request.method == "agent.decide":
            self.decided.append(request.params)
        elif request.method == "agent.answer":
            self._answer_dialog(request.params)
        return {}

    def _answer_dialog(self, params: dict[str, Any]) -> None:
        if self.refuses:
            raise self.refuses
        if params["waiting"] not in self.dialogs:
            raise HeroError("conflict", "That dialog is not open any more.")
        self.dialogs.discard(params["waiting"])
        self.answers.append(params)
        self.news.set()
