"""`audit.note` of a slot: from its owner alone, of a closed list, harmless."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from backends.model.audit_calls import AuditNoteParams
from backends.model.errors import HeroError
from backends.rpc.connection import Connection, connect
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.server import Server
from backends.rpc.sockets import Peer
from backends.slot.handlers import _Handlers, register
from tests.backends.slot.slots import Bench, bench

STRANGER = Peer(1, 4_000_000_000, 4_000_000_000)


async def _no_end(_: bool) -> None:
    raise AssertionError("nobody ends this slot")


@dataclass
class Served:
    bench: Bench
    client: Connection


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with bench() as made:
        dispatcher = Dispatcher("hero_slotd", "1")
        register(dispatcher, made.slot, _no_end)
        path = made.slot.context.paths.rpc_socket
        path.parent.mkdir(parents=True)
        server = Server(path, dispatcher)
        await server.start()
        client = await connect(path)
        yield Served(made, client)
        await client.close()
        await server.close(grace=0)


async def noted_by(served: Served, **params: Any) -> dict[str, Any]:
    """The event that comes of it, as the box will have it."""
    await served.client.call("audit.note", params)
    async with asyncio.timeout(20):
        while not (found := await served.bench.slot.outbox.pending()):
            await asyncio.sleep(0.01)
    return found[-1].model_dump()


async def test_what_the_owner_did_is_an_audit_event_of_the_slot(served: Served) -> None:
    event = await noted_by(
        served, action="secrets.push", subject="org/alice_secrets", outcome="succeeded", detail="abcdef12"
    )
    assert (event["kind"], event["subject"], event["slot"]) == ("audit.secrets.push", "org/alice_secrets", "alice")
    assert event["data"] == {
        "actor": "alice",
        "title": "secrets push org/alice_secrets",
        "slot": "",
        "outcome": "succeeded",
        "detail": "abcdef12",
        "error": "",
    }


async def test_what_failed_says_why_in_one_harmless_line(served: Served) -> None:
    event = await noted_by(
        served, action="doctor.mend", subject="x\x1b[2J", outcome="failed", detail="no\x1b]0;owned\x07\nway"
    )
    assert (event["subject"], event["data"]["outcome"], event["data"]["error"]) == ("x", "failed", "no way")


@pytest.mark.parametrize(
    "params",
    [
        {"action": "team.apply", "outcome": "succeeded"},
        {"action": "secrets.push", "outcome": "running"},
        {"action": "secrets.push", "outcome": "succeeded", "actor": "mik"},
        {"action": "secrets.push", "outcome": "succeeded", "detail": "x" * 3000},
    ],
)
async def test_another_action_or_somebody_elses_name_cannot_be_told(
    served: Served, params: dict[str, Any]
) -> None:
    with pytest.raises(HeroError):
        await served.client.call("audit.note", params)
    assert await served.bench.slot.outbox.pending() == []


@pytest.mark.parametrize("peer", [STRANGER, Peer(1, STRANGER.uid + 1, 0)])
async def test_nobody_else_tells_what_was_done_in_a_slot(served: Served, peer: Peer) -> None:
    handlers = _Handlers(served.bench.slot, _no_end)
    params = AuditNoteParams(action="secrets.push", outcome="succeeded")
    with pytest.raises(HeroError) as caught:
        await handlers.note(Call(peer, served.client), params)
    assert caught.value.code == "denied"
