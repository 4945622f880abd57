"""The box's inbox: questions, dialogs and messages on disk, each brought to one end, whatever is killed."""

from __future__ import annotations

import logging
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from backends.box.inbox import approvals, limits, rows, rules
from backends.box.inbox.callers import ADMINS, Caller, agent_of, owner_of
from backends.box.inbox.changes import Changes
from backends.box.inbox.clock import EndClock
from backends.box.inbox.delivery import Delivery
from backends.box.links import Links
from backends.database import Database
from backends.failpoints import failpoint
from backends.model.errors import HeroError, unknown_name
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import (
    AnswerParams,
    AskParams,
    InboxParams,
    InboxResult,
    SettleParams,
    StandingParams,
    TakeParams,
    TellParams,
)
from backends.model.policy import Rule

log = logging.getLogger(__name__)

TAKEN_AT_ONCE = 100
"""Messages that a slot's daemon is given in one answer."""

T = TypeVar("T")
Tell = Callable[[Sequence[InboxItem]], Awaitable[None]]


class Inbox:
    """Items of all people and agents in `database`; `tell` is given each change once it is on the disk.

    To be made before the database's first use; then `open`, and at the end `close`. Every change is one
    transaction, which first ends what is overdue: so an item is answered once, and never after its time.
    """

    def __init__(
        self,
        database: Database,
        links: Links,
        tell: Tell,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: secrets.token_hex(4),
    ):
        self._database = database
        database.add_schema(rows.create)
        self._tell = tell
        self._now = now
        self._new_id = new_id
        self._pace = limits.Pace()
        self._delivery = Delivery(database, links, self._refused)
        self._clock = EndClock(database, self.expire, now)

    async def open(self) -> None:
        """Tell what an earlier process had not, and end what is overdue. Raises HeroError."""
        await self._database.run(self._hold_anew)
        await self._told(await self._database.run(rows.untold))
        await self.expire()
        self._clock.start()

    async def close(self) -> None:
        """End the timer and the deliveries; what was not delivered is after the next start."""
        await self._clock.close()
        await self._delivery.close()

    def slot_came(self, slot: str) -> None:
        """A slot's daemon has connected: it is given what waits for it."""
        self._delivery.kick(slot)

    async def ask(self, params: AskParams, by: Caller, to: str) -> InboxItem:
        """A new question; asked again, a dialog's is the one that is there. Raises HeroError: usage, busy."""
        item = rules.question(self._new_id(), params, by.name, to, self._now())

        def known(changes: Changes) -> InboxItem | None:
            found = rows.dialog(changes.db, by.name, item.waiting) if item.waiting else None
            if found is not None and found.state == "submitted":
                # Its slot asks again, so whatever it was handed did not reach the dialog.
                rows.hand_again(changes.db, found.id)
                changes.slots.add(by.login)
            return found

        return await self._ask(item, by, known)

    async def propose(self, params: AskParams, by: Caller, to: str, rule: Rule) -> InboxItem:
        """A new approval; proposed again while it waits, it is the one that is there. Raises HeroError: usage,
        busy, conflict."""
        item = approvals.approval(self._new_id(), params, by.name, to, rule, self._now())

        def known(changes: Changes) -> InboxItem | None:
            found = rows.dialog(changes.db, by.name, item.waiting)
            return found if found and found.state not in rules.ENDED else None

        return await self._ask(item, by, known)

    async def _ask(self, item: InboxItem, by: Caller, known: Callable[[Changes], InboxItem | None]) -> InboxItem:
        if item.kind != "permission":
            self._pace.count(by.name, time.monotonic())

        def step(changes: Changes) -> InboxItem:
            if (found := known(changes)) is not None:
                return found
            limits.refuse_many(changes.db, by.name, item.to)
            return changes.put(item)

        return await self._change("asked", step)

    async def send(self, params: TellParams, by: Caller, to: str) -> InboxItem:
        """A new message. Raises HeroError: usage, busy."""
        if to == by.name:
            raise HeroError("usage", f"{to} need not be told by itself.")
        item = rules.message(self._new_id(), by.name, to, params.text, self._now())
        self._pace.count(by.name, time.monotonic())

        def step(changes: Changes) -> InboxItem:
            limits.refuse_many(changes.db, by.name, to)
            return changes.put(item)

        return await self._change("sent", step)

    async def answer(self, params: AnswerParams, by: Caller) -> InboxItem:
        """Answer a question, once. Raises HeroError: not_found, denied, conflict, usage."""

        def step(changes: Changes) -> InboxItem:
            found = _known(changes.db, params.id, by)
            if found.kind != "approval":
                return changes.put(rules.answered(found, params, by, changes.now))
            rules.refuse_answerer(found, by)
            answer = rules.chosen(found, params)
            return changes.put(approvals.decided(found, params, answer, by, changes.now))

        return await self._change("answered", step)

    async def cancel(self, item_id: str, by: Caller) -> InboxItem:
        """Take a question back. Raises HeroError: not_found, denied, conflict."""
        return await self._change(
            "cancelled", lambda changes: changes.put(rules.cancelled(_known(changes.db, item_id, by), by))
        )

    async def read(self, item_id: str, by: Caller) -> InboxItem:
        """Mark as seen. Raises HeroError: not_found, denied."""

        def step(changes: Changes) -> InboxItem:
            found = _known(changes.db, item_id, by)
            seen = rules.read(found, by, changes.now)
            return seen if seen == found else changes.put(seen)

        return await self._change("read", step)

    async def settle(self, params: SettleParams, by: Caller) -> None:
        """A slot tells what became of a dialog; of one that is over or was never asked about, nothing."""

        def step(changes: Changes) -> None:
            found = rows.dialog(changes.db, by.name, params.waiting)
            if found is None or found.state in rules.ENDED:
                return
            is_dialog = found.kind == "permission"
            over = rules.settled(found, params, by.login, changes.now) if is_dialog else None
            changes.put(over or approvals.settled(found, params))

        await self._change("settled", step)

    async def standing(self, params: StandingParams, slot: str) -> None:
        """The daemon of `slot` tells all that stands open there: the rest of it is over, with the reason."""
        there = set(params.waiting)

        def step(changes: Changes) -> None:
            for item in rows.stands_for(changes.db, slot):
                if item.waiting not in there:
                    changes.put(rules.lost(item))

        await self._change("standing", step)

    async def take(self, params: TakeParams, slot: str) -> InboxResult:
        """What waits for the agents of `slot`, after what is `taken` was marked so."""

        def step(changes: Changes) -> None:
            for item_id in params.taken:
                item = rows.find(changes.db, item_id)
                if item and item.state == "open" and agent_of(item.to) and owner_of(item.to) == slot:
                    changes.put(rules.delivered(item, changes.now))

        if params.taken:
            await self._change("taken", step)
            self._delivery.kick(slot)
        numbers = {agent_of(name) or name for name in params.agents}
        waiting = await self._database.run(lambda db: rows.for_agents(db, slot, TAKEN_AT_ONCE))
        items = tuple(item for item in waiting if not numbers or agent_of(item.to) in numbers)
        return InboxResult(items=items, unread=len(items))

    async def listed(self, params: InboxParams, by: Caller) -> InboxResult:
        """Items to or from `whose`, newest first. Raises HeroError: denied, not_found."""
        await self.expire()
        if params.id:
            return InboxResult(items=(await self._one(params.id, by),))
        whose = params.whose or by.name
        if owner_of(whose) != by.login:
            raise HeroError("denied", f"{whose}'s inbox is {owner_of(whose)}'s alone.")
        names = [whose, ADMINS] if whose == by.login and by.admin else [whose]

        def look(db: sqlite3.Connection) -> InboxResult:
            if params.sent:
                items = rows.sent(db, whose, ended=params.ended, limit=params.limit)
            else:
                items = rows.received(db, names, ended=params.ended, limit=params.limit)
            return InboxResult(items=tuple(items), unread=rows.unread(db, names))

        return await self._database.run(look)

    async def _one(self, item_id: str, by: Caller) -> InboxItem:
        item = await self._database.run(lambda db: _known(db, item_id, by))
        if not by.may_see(item.sender, item.to):
            raise HeroError("denied", f"{item.id} is between {item.sender} and {item.to}.")
        return item

    async def expire(self) -> None:
        """End what is overdue."""
        if await self._database.run(lambda db: bool(rows.due(db, self._now()))):
            await self._change("expired", lambda _: None)

    async def _refused(self, item: InboxItem, error: HeroError, begun: bool) -> None:
        """A slot did not take an answer: because of the answer, or because the dialog is gone."""
        if error.code == "usage":
            outcome = rules.reopened(item, error.message)
        elif begun and error.code == "conflict" and item.kind == "permission":
            outcome = rules.unconfirmed(item)
        else:
            outcome = rules.failed(item, error.message)

        def step(changes: Changes) -> None:
            found = rows.find(changes.db, item.id)
            if found is not None and found.state == "submitted":
                changes.put(outcome)

        await self._change("refused", step)

    def _hold_anew(self, db: sqlite3.Connection) -> None:
        rows.synced(db)
        moment = self._now()
        for item in rows.due(db, moment):
            if approvals.is_held(item):
                rows.put(db, approvals.held_anew(item, moment), moment)

    async def _change(self, name: str, step: Callable[[Changes], T]) -> T:
        """Carry `step` out in one transaction, and tell what changed. A step raises before it writes."""

        def work(db: sqlite3.Connection) -> tuple[Changes, T | HeroError]:
            changes = Changes(db, self._now(), self._new_id)
            changes.end_overdue()
            try:
                return changes, step(changes)
            except HeroError as error:
                return changes, error

        changes, result = await self._database.run(work)
        if changes.items:
            failpoint(f"inbox.{name}")
            await self._told(changes.items)
            self._clock.look_again()
        for slot in changes.slots:
            self._delivery.kick(slot)
        if isinstance(result, HeroError):
            raise result
        return result

    async def _told(self, items: Sequence[InboxItem]) -> None:
        if not items:
            return
        await self._tell(items)
        failpoint("inbox.told")
        try:
            await self._database.run(lambda db: rows.mark_told(db, items))
        except HeroError as error:
            log.warning("what was told of the inbox is told again after a restart: %s", error.message)


def _known(db: sqlite3.Connection, item_id: str, by: Caller) -> InboxItem:
    """The item. Raises HeroError `not_found` with the nearest ids that the caller could mean."""
    if found := rows.find(db, item_id):
        return found
    theirs = rows.received(db, [by.name], ended=False, limit=200)
    raise unknown_name("question or message", item_id, (item.id for item in theirs))
