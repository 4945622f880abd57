"""How a slot asks the broker; where it does not answer, that is said, and nobody else pays."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from backends.claude.broker_client import BrokerClient
from backends.model.errors import HeroError
from backends.rpc.spawn import answers
from backends.rpc.sync_client import SyncClient
from tests.backends.broker.made_broker import DEADLINE, ONE, SECRET_ONE, MadeBroker, Session


def end(broker: MadeBroker) -> None:
    """The broker that a client has started."""
    if answers(broker.box.broker_socket):
        broker.call("down")
        broker.wait(lambda: not broker.box.broker_socket.exists(), "its end")


async def test_the_broker_of_a_rootless_box_is_started_when_it_is_asked(broker: MadeBroker) -> None:
    client = BrokerClient(broker.box, "sara")
    try:
        grant = await client.status()
        assert (grant.state, grant.names[0]) == ("missing", ONE)
        await asyncio.to_thread(broker.keep)
        assert (await client.status()).key == ONE
        key = await client.get("sara/1")
        session = Session(key.model_dump())
        assert (await asyncio.to_thread(session.ask)).status == 200
        await client.release(key.lease)
        assert (await asyncio.to_thread(session.ask)).status == 403
    finally:
        await asyncio.to_thread(end, broker)


async def test_many_that_start_it_at_once_start_one(broker: MadeBroker) -> None:
    try:
        states = await asyncio.gather(*(BrokerClient(broker.box, "sara").status() for _ in range(4)))
        assert {one.state for one in states} == {"missing"}
        assert broker.log.count("its relay") == 1
    finally:
        await asyncio.to_thread(end, broker)


async def test_a_broker_that_cannot_start_is_unreachable_and_nobody_else_pays(broker: MadeBroker) -> None:
    broker.box.config.write_text("schema = ")
    client = BrokerClient(broker.box, "sara")
    assert (await client.status()).state == "unreachable"
    with pytest.raises(HeroError) as caught:
        await client.get("sara/1")
    assert caught.value.code == "unreachable"
    assert "Nobody else's credential is used instead" in caught.value.message


async def test_a_broker_that_is_silent_is_unreachable(broker: MadeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    process = await asyncio.to_thread(broker.start)
    monkeypatch.setattr("backends.claude.broker_client.SECONDS", 0.2)
    os.kill(process.pid, signal.SIGSTOP)
    try:
        assert (await BrokerClient(broker.box, "sara").status()).state == "unreachable"
    finally:
        os.kill(process.pid, signal.SIGCONT)


async def test_a_refusal_is_told_as_it_is(running: MadeBroker) -> None:
    client = BrokerClient(running.box, "bob")
    assert (await client.status()).state == "not_assigned"
    with pytest.raises(HeroError) as caught:
        await client.get("bob/1")
    assert caught.value.code == "denied"


async def test_ends_of_leases_are_heard_over_a_restart_of_the_broker(
    broker: MadeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.claude.broker_client.RETRY_SECONDS", 0.02)
    broker.box.config.write_text(broker.box.config.read_text().replace('"relay"', '"key"'))
    await asyncio.to_thread(broker.start)
    await asyncio.to_thread(broker.keep)
    client, heard = BrokerClient(broker.box, "sara"), asyncio.Queue[tuple[str, str]]()
    key = await client.get("sara/1")
    assert (key.secret, key.base_url) == (SECRET_ONE, "")
    listening = asyncio.create_task(client.leases(lambda lease, reason: heard.put_nowait((lease, reason))))
    await asyncio.to_thread(broker.kill)
    await asyncio.to_thread(broker.start)
    await asyncio.to_thread(broker.call, "claude_key.revoke", slot=ONE)
    lease, reason = await asyncio.wait_for(heard.get(), DEADLINE)
    assert lease == key.lease
    assert "was revoked" in reason
    listening.cancel()


async def test_sessions_that_need_the_broker_have_it_started_again(
    broker: MadeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.claude.broker_client.RETRY_SECONDS", 0.02)
    needed = asyncio.Event()
    listening = asyncio.create_task(BrokerClient(broker.box, "sara").leases(lambda *_: None, needed.is_set))
    needed.set()
    try:
        await asyncio.to_thread(broker.wait, lambda: answers(broker.box.broker_socket), "the broker")
    finally:
        listening.cancel()
        await asyncio.to_thread(end, broker)


def test_the_command_line_starts_it_too(broker: MadeBroker) -> None:
    from backends.client.broker import connect_broker
    from backends.client.locate import Where

    try:
        with connect_broker(Where(broker.box)) as client:
            assert isinstance(client, SyncClient)
            assert client.call("aibroker.claude_key.list")["keys"] == []
    finally:
        end(broker)
