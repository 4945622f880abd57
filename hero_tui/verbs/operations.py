"""`hero_dev operations` and `cancel`: what runs in the slot, and how to stop it."""

from __future__ import annotations

import argparse
import time

from backends.model.errors import HeroError, nearest
from backends.rpc.sync_client import FOREVER, SyncClient
from hero_tui.render.records import operation_lines
from hero_tui.verbs.exits import DONE, FAILED
from hero_tui.verbs.session import Session, slot_client


def configure(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    if verb == "cancel":
        parser.add_argument("operation", metavar="ID", help="as `hero_dev operations` lists it")


def run(session: Session, asked: argparse.Namespace) -> int:
    """List them, or cancel one. Raises HeroError."""
    with slot_client(session.where()) as client:
        return _cancel(session, client, asked.operation) if asked.verb == "cancel" else _list(session, client)


def _list(session: Session, client: SyncClient) -> int:
    answer = client.call("operation.list")
    if session.json:
        session.answer(answer)
    elif not answer["operations"]:
        session.show(["Nothing runs, and nothing ran since the slot's daemon was started."])
    else:
        session.show(operation_lines(answer["operations"], session.terminal(), time.time()))
    return DONE


def _cancel(session: Session, client: SyncClient, operation: str) -> int:
    try:
        client.call("operation.cancel", {"operation": operation})
    except HeroError as error:
        raise _nearest_running(client, operation, error) from None
    ended = client.call("operation.wait", {"operation": operation}, timeout=FOREVER)
    if session.json:
        session.answer(ended)
    elif ended["state"] == "cancelled":
        session.confirm([f"Cancelled: {ended['title']}. What ran before runs on."])
    else:
        session.confirm([f"Too late: {ended['title']} has {ended['state']}."])
    return DONE if ended["state"] == "cancelled" else FAILED


def _nearest_running(client: SyncClient, operation: str, error: HeroError) -> HeroError:
    if error.code != "not_found":
        return error
    known = [one["id"] for one in client.call("operation.list")["operations"] if one["state"] == "running"]
    if not known:
        return HeroError(error.code, error.message, hint="Nothing runs in this slot.")
    close = nearest(operation, known, 1) or known
    return HeroError(error.code, error.message, hint=f"What runs is {', '.join(f'`{one}`' for one in close)}.")
