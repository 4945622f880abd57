"""`hero_dev ask --wait`: a question seen through to its answer by events, whatever becomes of the box's daemon."""

from __future__ import annotations

import sys
from typing import Any

from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.render.inbox import answer_of
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE, exit_code
from hero_tui.verbs.listening import through_restarts
from hero_tui.verbs.session import Session

Item = dict[str, Any]


def ask_and_wait(session: Session, where: Where, client: SyncClient, params: dict[str, Any]) -> int:
    """Ask, and print the answer; returns the exit code. Raises HeroError `cancelled` where none comes."""
    client.call("events.subscribe")  # before the question is there, so that nothing of it is missed
    item: Item = client.call("question.ask", params)
    name = clean(item["id"])
    if not session.quiet and not session.json:
        print(f"Asked {clean(item['to'])}: {name}. Waiting for the answer.", file=sys.stderr)
    try:
        item = until_ended(where, client, item["id"], where.user)
    except KeyboardInterrupt:
        print(f"\nThe question stays; `hero_dev inbox {name}` tells the answer.", file=sys.stderr)
        raise
    return _tell_end(session, item)


def until_ended(where: Where, client: SyncClient, item_id: str, user: str) -> Item:
    """The item once it is over; `client` has subscribed to events. Raises HeroError."""
    return through_restarts(where, client, lambda own: _listen(own, item_id, user))


def _listen(client: SyncClient, item_id: str, user: str) -> Item:
    while True:
        item: Item = client.call("question.list", {"id": item_id, "user": user})["items"][0]
        if item["state"] not in ("open", "submitted"):
            return item
        for note in client.notifications():
            if note.params.get("kind") == "question.changed" and note.params.get("subject") == item_id:
                break


def _tell_end(session: Session, item: Item) -> int:
    if item["state"] == "answered":
        if session.json:
            session.answer(item)
        else:
            session.show([clean(line, 2000) for line in answer_of(item).splitlines()])
        return DONE
    over = "Its time is over" if item["state"] == "expired" else "It was taken back"
    error = HeroError("cancelled", f"{over}: {item['to']} has not answered {item['id']}.")
    if not session.json:
        raise error
    from hero_tui.verbs.faults import error_object

    session.answer(error_object(error, item=item))
    return exit_code(error.code)
