"""`hero_dev ask --wait`: a question seen through to its answer by events, whatever becomes of the box's daemon."""

from __future__ import annotations

import sys
import time
from typing import Any

from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.render.inbox import answer_of
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE, exit_code
from hero_tui.verbs.session import Session, box_client

_PATIENCE_SECONDS = 20.0
_AGAIN_SECONDS = 0.2

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
    own = client
    try:
        while True:
            try:
                return _listen(own, item_id, user)
            except HeroError as error:
                if error.code != "unreachable":
                    raise
            if own is not client:
                own.close()
            own = _subscribed_again(where)
    finally:
        if own is not client:
            own.close()


def _listen(client: SyncClient, item_id: str, user: str) -> Item:
    while True:
        item: Item = client.call("question.list", {"id": item_id, "user": user})["items"][0]
        if item["state"] not in ("open", "submitted"):
            return item
        for note in client.notifications():
            if note.params.get("kind") == "question.changed" and note.params.get("subject") == item_id:
                break


def _subscribed_again(where: Where) -> SyncClient:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            client = box_client(where)
            client.call("events.subscribe")
            return client
        except HeroError as error:
            if error.code != "unreachable" or time.monotonic() > deadline:
                raise
        time.sleep(_AGAIN_SECONDS)  # the one that was killed may still hold its socket


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
