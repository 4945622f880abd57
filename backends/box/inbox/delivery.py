"""What waits for a slot's agents goes to that slot's daemon: as soon as it can, until it has it, whoever dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby

from pydantic import BaseModel

from backends.box.inbox import rows
from backends.box.inbox.callers import agent_of
from backends.box.inbox.rules import ALLOW_OR_DENY
from backends.box.links import Links
from backends.database import Database
from backends.failpoints import failpoint
from backends.model.agent_calls import AgentAnswerParams, AgentDecideParams, AgentDeliverParams
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.rpc.connection import Connection

log = logging.getLogger(__name__)

ANSWER_SECONDS = 30.0
AGAIN_SECONDS = 5.0
"""Before a slot's daemon that is connected, and did not take something, is asked again."""
AT_ONCE = 100

_PASSING = {"unreachable", "timeout", "busy"}
"""Errors of a slot's daemon after which it is worth another try."""

Refused = Callable[[InboxItem, HeroError, bool], Awaitable[None]]


class Delivery:
    """One task a slot while there is something for it. `refused` is told of an answer that a slot does not take,
    and whether it may have taken it before.

    A message is pushed once over each connection and stays until the slot's daemon says that it is taken; an
    answer to a dialog is handed over until the daemon took or refused it.
    """

    def __init__(self, database: Database, links: Links, refused: Refused):
        self._database = database
        self._links = links
        self._refused = refused
        self._wanted: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pushed: dict[str, tuple[Connection, set[str]]] = {}

    def kick(self, slot: str) -> None:
        """There is, or may be, something for `slot`."""
        self._wanted.setdefault(slot, asyncio.Event()).set()
        if slot not in self._tasks:
            self._tasks[slot] = asyncio.create_task(self._run(slot), name=f"inbox of {slot}")

    async def close(self) -> None:
        """Give up what runs."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, slot: str) -> None:
        wanted = self._wanted[slot]
        try:
            # A slot that is away is come back to when its daemon's coming is told.
            while wanted.is_set() and (link := self._links.get(slot)) is not None:
                wanted.clear()
                try:
                    await self._hand_over(slot, link)
                    await self._push(slot, link)
                except HeroError as error:
                    log.info("%s's slot does not take what waits for it: %s", slot, error.message)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(AGAIN_SECONDS):
                            await wanted.wait()
                    wanted.set()
        finally:
            del self._tasks[slot]

    async def _hand_over(self, slot: str, link: Connection) -> None:
        for item, begun in await self._database.run(lambda db: rows.to_hand_over(db, slot)):
            await self._mark_handed(item.id, taken=False)
            try:
                method, asked = _answer_of(item)
                await link.call(method, asked.model_dump(mode="json"), timeout=ANSWER_SECONDS)
            except HeroError as error:
                if error.code in _PASSING:
                    raise
                await self._refused(item, error, begun)
                continue
            failpoint("inbox.handed")
            await self._mark_handed(item.id, taken=True)

    async def _push(self, slot: str, link: Connection) -> None:
        known, pushed = self._pushed.get(slot, (link, set[str]()))
        if known is not link:
            pushed = set()
        self._pushed[slot] = (link, pushed)
        waiting = await self._database.run(lambda db: rows.for_agents(db, slot, AT_ONCE))
        fresh = [item for item in waiting if item.id not in pushed]
        pushed &= {item.id for item in waiting}
        for agent, items in groupby(sorted(fresh, key=lambda item: item.to), key=lambda item: agent_of(item.to)):
            await _deliver(slot, link, agent, tuple(items), pushed)

    async def _mark_handed(self, item_id: str, *, taken: bool) -> None:
        await self._database.run(lambda db: rows.mark_handed(db, item_id, taken=taken))


async def _deliver(slot: str, link: Connection, agent: str, items: Sequence[InboxItem], pushed: set[str]) -> None:
    ids = tuple(item.id for item in items)
    told = AgentDeliverParams(agent=agent, messages=tuple(item.as_message for item in items), ids=ids)
    try:
        await link.call("agent.deliver", told.model_dump(mode="json"), timeout=ANSWER_SECONDS)
    except HeroError as error:
        if error.code in _PASSING:
            raise
        log.info("%s's slot has no use for messages to %s now: %s", slot, agent, error.message)
    pushed.update(ids)


def _answer_of(item: InboxItem) -> tuple[str, BaseModel]:
    """What the slot is asked: to do what was allowed, or in a dialog to allow, deny, or take an option; with the
    words beside it."""
    if item.kind == "approval":
        decided = AgentDecideParams(
            agent=agent_of(item.sender), waiting=item.waiting, item=item.id, by=item.answered_by
        )
        return "agent.decide", decided
    return "agent.answer", _answer_to_dialog(item)


def _answer_to_dialog(item: InboxItem) -> AgentAnswerParams:
    label = item.options[item.choice - 1] if item.choice else ""
    text = item.answer if item.answer != label else ""
    agent, waiting = agent_of(item.sender), item.waiting
    if item.options != ALLOW_OR_DENY:
        return AgentAnswerParams(agent=agent, waiting=waiting, choice="option", option=item.choice, text=text)
    choice = "allow" if item.choice == 1 else "deny"
    return AgentAnswerParams(agent=agent, waiting=waiting, choice=choice, text=text)
