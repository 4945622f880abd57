"""Keys that were handed over themselves: who may have one no more is told at once."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from backends.broker.assignments import Assignments
from backends.broker.broker import Broker
from backends.broker.ending import Endings
from backends.broker.store import KeyStore
from backends.model.broker_calls import KeyGetParams, KeySetParams
from backends.model.errors import HeroError
from backends.rpc.connection import Connection
from backends.rpc.sockets import Peer
from tests.backends.broker.made_broker import ONE, SECRET_ONE, SECRET_TWO, TEAM, TWO, user_file

PEER = Peer(4711, os.geteuid(), os.getegid())


class Listening:
    """A connection that keeps what it is told."""

    def __init__(self, uid: int = PEER.uid):
        self.peer = Peer(1, uid, uid)
        self.told: list[dict[str, Any]] = []
        self.heard = asyncio.Event()

    def notify(self, method: str, params: dict[str, Any]) -> None:
        assert method == "lease.ended"
        self.told.append(params)
        self.heard.set()

    def when_lost(self, callback: object) -> None:
        """It never is."""

    def connection(self) -> Connection:
        return cast(Connection, self)


def assign(folder: Path, *names: str, **more: bool) -> None:
    (folder / "team" / "users").mkdir(parents=True, exist_ok=True)
    (folder / "team" / "team.toml").write_text(TEAM)
    fresh = folder / "fresh.toml"
    fresh.write_text(user_file(*names, **more))
    fresh.replace(folder / "team" / "users" / "sara.toml")


async def opened(folder: Path, hand_over: str = "key") -> Broker:
    broker = Broker(
        folder,
        KeyStore(folder / "store", None),
        Assignments(folder / "team"),
        system=False,
        hand_over=hand_over,
        told=lambda _: None,
        now=time.time,
    )
    await broker.open()
    return broker


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    assign(tmp_path, ONE, TWO)
    made = await opened(tmp_path)
    for slot, secret in ((ONE, SECRET_ONE), (TWO, SECRET_TWO)):
        await made.set(PEER, KeySetParams(slot=slot, secret=secret), rotate=False)
    yield made
    await made.close()


async def test_a_key_is_handed_over_with_a_lease_and_no_address(broker: Broker) -> None:
    key = await broker.get(PEER, KeyGetParams(user="sara", session="sara/1"))
    assert (key.slot, key.secret, key.base_url, key.oauth) == (ONE, SECRET_ONE, "", False)
    assert key.lease
    assert SECRET_ONE not in repr(key)


@pytest.mark.parametrize("how", ["revoked", "replaced", "no longer assigned", "disabled"])
async def test_its_end_is_told_at_once_and_once(broker: Broker, tmp_path: Path, how: str) -> None:
    key = await broker.get(PEER, KeyGetParams(user="sara", session="sara/1"))
    other = await broker.get(PEER, KeyGetParams(user="sara", session="sara/2", slot=TWO))
    ours, others = Listening(), Listening(PEER.uid + 1)
    for one in (ours, others):
        broker.endings.listen(one.connection())
    if how == "revoked":
        await broker.revoke(PEER, ONE)
    elif how == "replaced":
        await broker.set(PEER, KeySetParams(slot=ONE, secret="sk-ant-api03-fresh"), rotate=True)
    else:
        assign(tmp_path, TWO, enabled=how != "disabled")
        await broker.endings.look()
    told = {one["lease"]: one["reason"] for one in ours.told}
    assert how in told[key.lease]
    assert (other.lease in told) is (how == "disabled")
    assert not others.told
    await broker.endings.look()
    assert len(ours.told) == len(told)


async def test_a_change_of_the_team_repo_is_found_by_looking(broker: Broker, tmp_path: Path) -> None:
    broker.endings = Endings(broker.leases, Assignments(tmp_path / "team"), broker.store, every=0.01)
    await broker.get(PEER, KeyGetParams(user="sara", session="sara/1"))
    ours = Listening()
    broker.endings.listen(ours.connection())
    assign(tmp_path)
    await asyncio.wait_for(ours.heard.wait(), 30)
    await broker.endings.close()


async def test_a_slot_that_was_away_is_told_when_it_listens_again(broker: Broker, tmp_path: Path) -> None:
    key = await broker.get(PEER, KeyGetParams(user="sara", session="sara/1"))
    await broker.revoke(PEER, ONE)
    await broker.close()
    again = await opened(tmp_path)
    ours = Listening()
    again.endings.listen(ours.connection())
    assert [one["lease"] for one in ours.told] == [key.lease]
    await again.close()


async def test_what_ended_while_the_broker_was_away_is_found_after_its_start(
    broker: Broker, tmp_path: Path
) -> None:
    key = await broker.get(PEER, KeyGetParams(user="sara", session="sara/1"))
    await broker.close()
    assign(tmp_path)
    again = await opened(tmp_path)
    ours = Listening()
    again.endings.listen(ours.connection())
    await asyncio.wait_for(ours.heard.wait(), 30)
    assert ours.told[0]["lease"] == key.lease
    await again.close()


async def test_where_nothing_is_handed_over_nobody_looks(tmp_path: Path) -> None:
    assign(tmp_path, ONE)
    broker = await opened(tmp_path, "relay")
    await broker.set(PEER, KeySetParams(slot=ONE, secret=SECRET_ONE), rotate=False)
    await broker.get(PEER, KeyGetParams(user="sara", session="sara/1"))
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "look-after-keys"]
    await broker.close()


async def test_what_cannot_be_recorded_is_not_done(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object, **__: object) -> None:
        raise HeroError("no_space", "The disk is full.")

    monkeypatch.setattr(broker.audit, "add", full)
    before = broker.leases.live()
    with pytest.raises(HeroError, match="full"):
        await broker.get(PEER, KeyGetParams(user="sara", session="sara/9"))
    with pytest.raises(HeroError, match="full"):
        await broker.set(PEER, KeySetParams(slot=ONE, secret="sk-ant-api03-fresh"), rotate=True)
    with pytest.raises(HeroError, match="full"):
        await broker.revoke(PEER, ONE)
    assert broker.leases.live() == before
    kept = broker.store.get(ONE)
    assert kept
    assert kept.secret == SECRET_ONE
