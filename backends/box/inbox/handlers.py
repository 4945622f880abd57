"""The calls of the inbox: who calls, what is done, and that it is audited, without a word of the text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from backends.box.inbox.approvals import RuleOf, approver
from backends.box.inbox.callers import ADMINS, Caller, Callers, agent_of, owner_of
from backends.box.inbox.inbox import Inbox
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import (
    AnswerParams,
    AskParams,
    InboxParams,
    InboxResult,
    ItemParams,
    SettleParams,
    StandingParams,
    TakeParams,
    TellParams,
)
from backends.model.method import Empty
from backends.model.state import Event
from backends.rpc.dispatcher import Call

Record = Callable[[str, str, dict[str, Any]], Awaitable[None]]


def inbox_calls(
    inbox: Inbox, callers: Callers, record: Record, rule_of: RuleOf
) -> dict[str, Callable[[Call, Any], Awaitable[BaseModel]]]:
    """The handler of each call of the inbox; `record(kind, subject, data)` keeps an event, `rule_of` is policy's
    word on an action of an agent."""
    handlers = _Handlers(inbox, callers, record, rule_of)
    return {
        "question.ask": handlers.ask,
        "question.list": handlers.listed,
        "question.answer": handlers.answer,
        "question.cancel": handlers.cancel,
        "question.settle": handlers.settle,
        "question.standing": handlers.standing,
        "message.send": handlers.send,
        "message.read": handlers.read,
        "message.take": handlers.take,
    }


def changed_event(item: InboxItem, box: str, now: datetime) -> Event:
    """`question.changed`. The log is the whole team's: an event says that something is asked, never what."""
    data: Mapping[str, str] = item.model_dump(mode="json", include={"id", "kind", "sender", "to", "state"})
    agents = (name for name in (item.sender, item.to) if agent_of(name))
    slot = owner_of(next(agents, ""))
    return Event(seq=0, time=now, box=box, slot=slot, kind="question.changed", subject=item.id, data=dict(data))


class _Handlers:
    def __init__(self, inbox: Inbox, callers: Callers, record: Record, rule_of: RuleOf):
        self._rule_of = rule_of
        self._inbox = inbox
        self._callers = callers
        self._record = record

    async def ask(self, call: Call, params: AskParams) -> InboxItem:
        by = self._callers.caller(call, user=params.user, agent=params.agent)
        if not params.to and not by.agent:
            raise HeroError(
                "usage", "Who should answer?", hint=f"Name somebody, or {ADMINS} for any admin of the team."
            )
        if params.approval is not None:
            return await self._propose(call, params, params.approval.action, by)
        item = await self._inbox.ask(params, by, self._callers.person(params.to or by.login))
        await self._audit("question.ask", by, item)
        return item

    async def _propose(self, call: Call, params: AskParams, action: str, by: Caller) -> InboxItem:
        self._callers.refuse_others_than_daemon(call, by)
        rule = self._rule_of(action)
        item = await self._inbox.propose(params, by, self._callers.person(approver(rule, by.login)), rule)
        await self._audit("approval.ask", by, item)
        return item

    async def answer(self, call: Call, params: AnswerParams) -> InboxItem:
        by = self._callers.caller(call, user=params.user)
        item = await self._inbox.answer(params, by)
        await self._audit("question.answer" if item.kind != "approval" else "approval.decide", by, item)
        return item

    async def cancel(self, call: Call, params: ItemParams) -> InboxItem:
        by = self._callers.caller(call, user=params.user, agent=params.agent)
        item = await self._inbox.cancel(params.id, by)
        await self._audit("question.cancel", by, item)
        return item

    async def send(self, call: Call, params: TellParams) -> InboxItem:
        by = self._callers.caller(call, user=params.user, agent=params.agent)
        item = await self._inbox.send(params, by, self._callers.anyone(params.to))
        await self._audit("message.send", by, item)
        return item

    async def read(self, call: Call, params: ItemParams) -> InboxItem:
        by = self._callers.caller(call, user=params.user, agent=params.agent)
        return await self._inbox.read(params.id, by)

    async def settle(self, call: Call, params: SettleParams) -> Empty:
        await self._inbox.settle(params, self._callers.caller(call, agent=params.agent))
        return Empty()

    async def standing(self, call: Call, params: StandingParams) -> Empty:
        by = self._callers.caller(call, user=params.user)
        self._callers.refuse_others_than_daemon(call, by)
        await self._inbox.standing(params, by.login)
        return Empty()

    async def take(self, call: Call, params: TakeParams) -> InboxResult:
        slots = {owner_of(name) for name in params.agents if agent_of(name)}
        if len(slots) > 1:
            raise HeroError("usage", "A slot takes what is for its own agents.")
        by = self._callers.caller(call, user=next(iter(slots), ""))
        return await self._inbox.take(params, by.login)

    async def listed(self, call: Call, params: InboxParams) -> InboxResult:
        by = self._callers.caller(call, user=params.user or owner_of(params.whose))
        return await self._inbox.listed(params, by)

    async def _audit(self, action: str, by: Caller, item: InboxItem) -> None:
        told = {"actor": by.name, "to": item.to, "sender": item.sender, "kind": item.kind, "outcome": item.state}
        if held := item.approval:
            chosen = f"{item.options[item.choice - 1].lower()} " if item.choice else "propose "
            told |= {"title": f"{chosen}{held.action} {held.subject} of {item.sender}", "radius": held.radius}
        await self._record(f"audit.{action}", item.id, told)
