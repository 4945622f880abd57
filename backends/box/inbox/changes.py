"""What one transaction changes in the inbox, with what follows from it: an agent that asked is told the answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from backends.box.inbox import approvals, rows, rules
from backends.box.inbox.callers import agent_of, owner_of
from backends.model.inbox import InboxItem


class Changes:
    """To be made at the transaction's begin. `items` as they were written, in their order; `slots` are those whose
    daemons have something to take."""

    def __init__(self, db: sqlite3.Connection, now: datetime, new_id: Callable[[], str]):
        rows.synced(db)
        self.db = db
        self.now = now
        self.items: list[InboxItem] = []
        self.slots: set[str] = set()
        self._new_id = new_id

    def put(self, item: InboxItem) -> InboxItem:
        """Write `item`, and what its new state brings with it."""
        rows.put(self.db, item, self.now)
        self.items.append(item)
        if item.kind == "message" and item.state == "open" and agent_of(item.to):
            self.slots.add(owner_of(item.to))
        if item.kind in rules.HANDED and item.state == "submitted":
            self.slots.add(owner_of(item.sender))
        if agent_of(item.sender) and (word := _word_of(item)):
            by_person = item.kind == "question" or item.choice == approvals.DENY
            said_by = (item.answered_by if by_person else "") or rules.BOX
            self.put(rules.message(self._new_id(), said_by, item.sender, word, self.now))
        return item

    def end_overdue(self) -> None:
        """End every item whose time is over."""
        for item in rows.due(self.db, self.now):
            self.put(approvals.overdue(item, self.now))


def _word_of(item: InboxItem) -> str:
    """What the agent that asked is told of the state of `item`; mostly nothing."""
    if item.kind == "approval":
        return approvals.word_of(item)
    is_told = item.kind == "question" and item.state in ("answered", "expired")
    return rules.word_of_answer(item) if is_told else ""
