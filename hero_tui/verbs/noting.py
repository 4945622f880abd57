"""What a verb did by itself, without a daemon, is in the audit log all the same: told to one, or left for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.render.text import clean

if TYPE_CHECKING:
    from backends.client.locate import Where
    from backends.model.paths import SlotPaths

Complain = Callable[[str], None]
"""Hears that something was done and could not be noted."""


def on_stderr(sentence: str) -> None:
    """How a verb complains."""
    if sys.stderr is not None:
        print(sentence, file=sys.stderr)


def note(
    where: Where,
    user: str,
    action: str,
    subject: str,
    *,
    done: bool,
    detail: str = "",
    complain: Complain = on_stderr,
) -> None:
    """Have it in the audit log, as the slot of `user`'s. Where nothing takes it, `complain` is told:
    what was done stays done."""
    params = _params(action, subject, done, detail)
    try:
        paths = where.slot(user)
        try:
            _tell(paths, params)
        except HeroError as error:
            if error.code != "unreachable":
                raise
            _leave(where, paths, user, params)
    except HeroError as error:
        complain(_not_noted(action, error))


def note_on_box(
    where: Where,
    user: str,
    action: str,
    subject: str,
    *,
    done: bool,
    detail: str = "",
    complain: Complain = on_stderr,
) -> None:
    """As `note`, for root, who leaves nothing in anybody's home; `user` is whose slot was changed, "" the box."""
    try:
        with SyncClient(where.box.rpc_socket) as client:
            client.call("audit.note", {**_params(action, subject, done, detail), "slot": user})
    except HeroError as error:
        complain(_not_noted(action, error))


def _params(action: str, subject: str, done: bool, detail: str) -> dict[str, Any]:
    outcome = "succeeded" if done else "failed"
    return {"action": action, "subject": subject[:200], "outcome": outcome, "detail": detail[:2000]}


def _tell(paths: SlotPaths, params: dict[str, Any]) -> None:
    with SyncClient(paths.rpc_socket) as client:
        client.call("audit.note", params)


def _leave(where: Where, paths: SlotPaths, user: str, params: dict[str, Any]) -> None:
    """Keep it in the slot's outbox, from which its daemon tells the box once it runs. Raises HeroError."""
    import asyncio
    from datetime import UTC, datetime

    from backends.database import Database
    from backends.model.audit_calls import AuditNoteParams, noted
    from backends.model.state import Event
    from backends.slot.outbox import Outbox
    from backends.system_box import login_of

    if paths.root.stat().st_uid != os.geteuid():
        # A file of ours among its own would keep the slot's daemon from them.
        raise HeroError("denied", f"{user}'s slot is {user}'s alone.")
    kind, subject, data = noted(AuditNoteParams.model_validate(params), login_of(os.geteuid()))
    name, now = where.box.root.name, datetime.now(UTC)
    event = Event(seq=0, time=now, box=name, slot=user, kind=kind, subject=subject, data=data)

    async def keep() -> None:
        database = Database(paths.database)
        try:
            await Outbox(database).add(event)
        finally:
            await database.close()

    asyncio.run(keep())


def _not_noted(action: str, error: HeroError) -> str:
    return f"{action} was done, but is not in the audit log: {clean(error.message)}"
