"""`audit.note` of a box: what root mended in somebody's slot, or whoever runs a rootless one."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from backends.box.handlers import _Handlers
from backends.box.rights import Rights
from backends.model.audit_calls import AuditNoteParams
from backends.model.errors import HeroError
from backends.rpc.dispatcher import Call
from backends.rpc.sockets import Peer
from tests.backends.box.conftest import MadeBox


async def test_a_mend_is_in_the_boxs_audit_log_with_whose_slot_it_was(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    told = {"action": "doctor.mend", "subject": "sockets.stale", "slot": "alice", "outcome": "succeeded"}
    await client.call("audit.note", {**told, "detail": "Removed it."})
    (event,) = (await client.call("audit.list"))["events"]
    assert (event["kind"], event["subject"]) == ("audit.doctor.mend", "sockets.stale")
    assert event["data"]["title"] == "doctor mend sockets.stale of alice"
    assert (event["data"]["slot"], event["data"]["detail"]) == ("alice", "Removed it.")


async def test_a_teammate_or_admin_tells_the_box_nothing() -> None:
    rights = Rights(system=True, admins=lambda: ["4000000000"])
    handlers = cast("_Handlers", SimpleNamespace(_box=SimpleNamespace(rights=rights)))
    call = Call(Peer(1, 4_000_000_000, 4_000_000_000), cast("Any", None))
    with pytest.raises(HeroError) as caught:
        async with asyncio.timeout(20):
            await _Handlers.note(handlers, call, AuditNoteParams(action="doctor.mend", outcome="succeeded"))
    assert caught.value.code == "denied"
