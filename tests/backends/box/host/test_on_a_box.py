"""The machine on a real box daemon: looked at while somebody watches, slots asked over their links, warnings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.model.host import DiskPart, DiskReport, HostSample, HostStatus, SlotDisk
from backends.model.host_calls import HostWatched
from backends.model.state import SlotStatus
from backends.rpc.connection import Connection, connect
from backends.rpc.subscription import Subscription
from backends.rpc.wire import Request
from tests.backends.box.conftest import SECONDS, MadeBox, eventually, next_event, subscribed
from tests.backends.box.conftest import box as box
from tests.hero_tui.fleets import cell

Disk = Callable[[dict[str, Any]], Any]


async def slot(
    box: MadeBox, user: str, disk: Disk, *, stopped: asyncio.Event | None = None, pid: int | None = None
) -> Connection:
    """A slot's link to the box, whose daemon is this test; its one service has this `pid`."""

    async def answer(_: Connection, request: Request) -> object:
        if request.method == "slot.disk":
            told = disk(request.params)
            return await told if asyncio.iscoroutine(told) else told
        if request.method == "slot.disk_stop" and stopped:
            stopped.set()
        return {}

    connection = await connect(box.paths.rpc_socket, answer)
    box.stack.push_async_callback(connection.close)
    status = SlotStatus(box="dev", slot=user, services=(cell("hero_db", pid=pid),), seen_at=datetime.now(UTC))
    await connection.call("slot.report", {"slot": user, "status": status.model_dump(mode="json", by_alias=True)})
    return connection


def disk_of(size: int, name: str = "hero_db development target/") -> dict[str, Any]:
    part = DiskPart(kind="target", name=name, size=size, reclaimable=size)
    return SlotDisk(slot="somebody", parts=(part,), measured_at=datetime.now(UTC)).model_dump(mode="json")


async def measured(client: Connection) -> DiskReport:
    async def done() -> bool:
        return not (await client.call("host.disk"))["measuring"]

    await eventually(done)
    return DiskReport.model_validate(await client.call("host.disk"))


async def test_who_takes_what_is_told_and_goes_on_while_somebody_watches(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    child = box.start(["sleep", "1000"])
    await slot(box, "mik", lambda _: disk_of(5), pid=child.pid)
    status = HostStatus.model_validate(await client.call("host.status"))
    shares = {(one.slot, one.kind, one.name): one for one in status.sample.shares}
    assert shares["mik", "service", "hero_db"].processes == 1
    assert shares["mik", "daemon", "hero_slotd"].memory > 1_000_000
    assert shares["", "daemon", "hero_boxd"].processes == 1
    assert not status.sample.warming
    assert status.sample.machine.memory_total > 0
    assert any("box" in disk.holds for disk in status.sample.machine.disks)
    async with Subscription(client, "host") as notes:
        watched = HostWatched.model_validate(await client.call("host.watch"))
        async with asyncio.timeout(SECONDS):
            async for note in notes:
                assert note["stream"] == watched.stream
                if not HostSample.model_validate(note["sample"]).warming:
                    break
    await client.call("host.unwatch", {"stream": watched.stream})


async def test_a_connection_does_not_watch_without_end(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    streams = [await client.call("host.watch") for _ in range(8)]
    with pytest.raises(HeroError, match="often enough"):
        await client.call("host.watch")
    await client.call("host.unwatch", {"stream": streams[0]["stream"]})
    await client.call("host.watch")
    other = await box.client()
    await other.call("host.unwatch", {"stream": streams[1]["stream"]})
    with pytest.raises(HeroError, match="often enough"):
        await client.call("host.watch")


async def test_each_slot_measures_its_own_and_the_box_its_own(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    events = await subscribed(client)
    await slot(box, "mik", lambda params: disk_of(7_000_000 if params.get("measure") else 5, "a\x1b[2Jb target/"))
    before = DiskReport.model_validate(await client.call("host.disk"))
    assert {one.slot: one.size for one in before.slots}["mik"] == 5
    assert "away" in {one.slot: one.problem for one in before.slots}["alice"]
    begun = DiskReport.model_validate(await client.call("host.measure"))
    assert set(begun.measuring) <= {"", "alice", "mik", "thabet"}
    await next_event(events, "host.disk", subject="mik")
    told = {one.slot: one for one in (await measured(client)).slots}
    assert told["mik"].parts[0].name == "ab target/"
    assert told["mik"].size == 7_000_000
    assert told[""].measured_at is not None
    assert {"forge", "data"} <= {part.kind for part in told[""].parts}


async def test_a_slot_that_lies_about_its_disk_is_told_as_that(box: MadeBox) -> None:
    huge = {"slot": "x", "parts": [{"kind": "target", "name": "x", "size": 1 << 70}]}
    lies: list[Any] = [{}, {"slot": 5}, [], huge]
    box.boxd()
    client = await box.client()
    await slot(box, "mik", lambda _: lies.pop())
    while lies:
        await client.call("host.measure", {"slots": ["mik"]})
        told = {one.slot: one for one in (await measured(client)).slots}["mik"]
        assert "another version" in told.problem
        assert told.parts == ()


async def test_a_measurement_is_given_up_and_begun_again(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def never(params: dict[str, Any]) -> object:
        if params.get("measure") and not stopped.is_set():
            begun.set()
            await asyncio.Event().wait()
        return disk_of(9)

    await slot(box, "mik", never, stopped=stopped)
    await client.call("host.measure", {"slots": ["mik"]})
    await asyncio.wait_for(begun.wait(), SECONDS)
    await client.call("host.measure_stop")
    await asyncio.wait_for(stopped.wait(), SECONDS)
    assert (await measured(client)).measuring == ()
    await client.call("host.measure", {"slots": ["mik"]})
    assert {one.slot: one.size for one in (await measured(client)).slots}["mik"] == 9


async def test_a_threshold_that_is_exceeded_is_an_event_once_over_restarts(box: MadeBox) -> None:
    with box.paths.config.open("a") as file:
        file.write("[host]\ndisk = [0.0001, 0.0002]\ninodes = [100.0, 100.0]\n")
    first = box.boxd()
    client = await box.client()
    events = await subscribed(client, 0)
    event = await next_event(events, "host.warning")
    assert event.data["level"] == "bad"
    assert event.subject.startswith("disk /")
    warned = HostStatus.model_validate(await client.call("host.status", {"shares": False}))
    assert [one.subject for one in warned.sample.warnings] == [event.subject]
    first.terminate()
    first.wait(SECONDS)
    box.boxd()
    again = await box.client()

    async def warns() -> bool:
        status = await again.call("host.status", {"shares": False})
        return bool(status["sample"]["warnings"])

    await eventually(warns)
    await slot(box, "mik", lambda _: disk_of(9))
    kinds = []
    async with asyncio.timeout(SECONDS):
        async for params in await subscribed(again, 0):
            kinds.append(params["kind"])
            if kinds[-1] == "slot.online":
                break
    assert kinds.count("host.warning") == 1
