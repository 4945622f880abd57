"""The slot's link to its box, against a box that the test plays over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backends.database import Database
from backends.model.box_calls import ReportParams, ReportResult
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.model.state import Event, Operation, ServiceStatus, SlotStatus
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.server import Server
from backends.rpc.wire import Request
from backends.slot.boxlink import BoxLink
from backends.slot.outbox import Outbox

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECONDS = 30


class PlayedBox:
    """Takes reports; `hold` keeps answers back, `refuse` answers with an error."""

    def __init__(self, path: Path):
        self.reports: asyncio.Queue[ReportParams] = asyncio.Queue()
        self.path = path
        self.open = asyncio.Event()
        self.open.set()
        self.refuse: HeroError | None = None
        self.acknowledged = 0
        self.connections: list[Connection] = []
        self.server: Server | None = None

    async def start(self) -> None:
        dispatcher = Dispatcher("box", "1")
        dispatcher.register(BY_NAME["slot.report"], self._report)
        self.server = Server(self.path, dispatcher)
        await self.server.start()

    async def stop(self) -> None:
        if self.server:
            await self.server.close(grace=0)
        self.server = None

    async def next(self) -> ReportParams:
        async with asyncio.timeout(SECONDS):
            return await self.reports.get()

    async def _report(self, call: Call, params: ReportParams) -> ReportResult:
        if call.connection not in self.connections:
            self.connections.append(call.connection)
        self.reports.put_nowait(params)
        await self.open.wait()
        if self.refuse:
            raise self.refuse
        self.acknowledged = max(self.acknowledged, params.last_outbox_id)
        return ReportResult(acknowledged=self.acknowledged)


class Slot:
    """The slot's side: its cells, its outbox, its link."""

    def __init__(self, folder: Path, socket: Path):
        self.database = Database(folder / "slot.sqlite")
        self.outbox = Outbox(self.database)
        self.cells: dict[str, ServiceStatus] = {}
        self.asked: list[str] = []
        self.link = BoxLink(socket, "alice", self.outbox, self.status, self._answer)
        self.task = asyncio.create_task(self.link.run())

    def status(self) -> SlotStatus:
        return SlotStatus(box="dev", slot="alice", services=tuple(self.cells.values()), seen_at=NOON)

    def change(self, service: str, **more: Any) -> None:
        fields = {"service": service, "repo": "o/r", "branch": "development", "from": "release"} | more
        self.cells[service] = ServiceStatus.model_validate(fields)
        self.link.cell(self.cells[service])

    async def record(self, subject: str) -> None:
        await self.outbox.add(Event(seq=0, time=NOON, box="dev", slot="alice", kind="audit.x", subject=subject))
        self.link.recorded()

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.database.close()

    async def _answer(self, _: Connection, request: Request) -> object:
        self.asked.append(request.method)
        return {"slot": "alice"}


@pytest.fixture
async def box(short_dir: Path) -> AsyncIterator[PlayedBox]:
    made = PlayedBox(short_dir / "rpc.sock")
    yield made
    made.open.set()
    await made.stop()


@pytest.fixture
async def slot(short_dir: Path, box: PlayedBox) -> AsyncIterator[Slot]:
    made = Slot(short_dir, box.path)
    yield made
    await made.close()


async def test_a_connection_begins_with_the_whole_status(box: PlayedBox, slot: Slot) -> None:
    slot.change("web")
    await box.start()
    report = await box.next()
    assert report.status is not None
    assert [cell.service for cell in report.status.services] == ["web"]
    assert report.cells == ()


async def test_a_change_after_a_rest_goes_out_by_itself_and_a_burst_is_merged(box: PlayedBox, slot: Slot) -> None:
    await box.start()
    await box.next()
    await slot.link.connected.wait()
    slot.change("web", health="crashed")
    report = await box.next()
    assert [(cell.service, cell.health) for cell in report.cells] == [("web", "crashed")]
    box.open.clear()
    slot.change("web", restarts=1)
    assert (await box.next()).cells[0].restarts == 1
    for restarts in range(2, 100):
        slot.change("web", restarts=restarts)
    slot.change("db")
    slot.link.gone("old")
    box.open.set()
    report = await box.next()
    assert {cell.service: cell.restarts for cell in report.cells} == {"web": 99, "db": 0}
    assert report.removed == ("old",)


async def test_progress_is_told_only_as_it_last_was(box: PlayedBox, slot: Slot) -> None:
    await box.start()
    await box.next()
    await slot.link.connected.wait()
    box.open.clear()
    slot.change("web")
    await box.next()
    for done in range(50):
        slot.link.operation(Operation(id="1", kind="switch", started_at=NOON, done=done))
    box.open.set()
    assert [operation.done for operation in (await box.next()).operations] == [49]


async def test_events_go_out_until_the_box_has_them(box: PlayedBox, slot: Slot) -> None:
    for n in range(120):
        await slot.record(str(n))
    await box.start()
    told = await events_told(box, "119")
    assert [event.subject for event in told] == [str(n) for n in range(120)]
    await pending_becomes(slot, 0)


async def test_events_that_were_not_acknowledged_come_again_after_a_restart_of_the_box(
    box: PlayedBox, slot: Slot
) -> None:
    await box.start()
    await box.next()
    await slot.link.connected.wait()
    box.open.clear()
    await slot.record("a")
    first = await events_told(box, "a")
    await box.stop()
    box.open.set()
    await box.start()
    assert await events_told(box, "a") == first
    await pending_becomes(slot, 0)


async def test_a_lost_box_is_connected_to_again_with_the_whole_status(box: PlayedBox, slot: Slot) -> None:
    await box.start()
    await box.next()
    await box.stop()
    slot.change("web")
    await box.start()
    report = await box.next()
    assert report.status is not None
    assert len(report.status.services) == 1


async def test_a_slot_changes_freely_while_the_box_does_not_answer(box: PlayedBox, slot: Slot) -> None:
    await box.start()
    box.open.clear()
    await box.next()
    for restarts in range(1000):
        slot.change("web", restarts=restarts)
        slot.link.operation(Operation(id="1", kind="switch", started_at=NOON, done=restarts))
    await slot.record("a")
    assert box.reports.empty()
    box.open.set()
    async with asyncio.timeout(SECONDS):
        while (report := await box.next()).events:
            pass
    assert report.cells[0].restarts == 999


async def test_a_changed_status_is_told_whole(box: PlayedBox, slot: Slot) -> None:
    await box.start()
    await box.next()
    await slot.link.connected.wait()
    slot.link.status_changed()
    assert (await box.next()).status is not None


async def test_the_box_calls_back_over_the_same_connection(box: PlayedBox, slot: Slot) -> None:
    await box.start()
    await box.next()
    assert await box.connections[0].call("forge.changed", {"repo": "o/r"}) == {"slot": "alice"}
    assert slot.asked == ["forge.changed"]


async def test_the_box_is_called_over_the_connection_as_long_as_it_is_there(box: PlayedBox, slot: Slot) -> None:
    with pytest.raises(HeroError, match="away") as error:
        slot.link.reach()
    assert error.value.code == "unreachable"
    await box.start()
    await asyncio.wait_for(slot.link.connected.wait(), SECONDS)
    connection = slot.link.reach()
    assert (await connection.call("rpc.ping"))["name"] == "box"
    await box.stop()
    await asyncio.wait_for(connection.wait_lost(), SECONDS)
    async with asyncio.timeout(SECONDS):
        while slot.link.connected.is_set():
            await asyncio.sleep(0)
    with pytest.raises(HeroError, match="away"):
        slot.link.reach()


async def test_a_box_that_refuses_the_report_is_tried_again(box: PlayedBox, slot: Slot) -> None:
    box.refuse = HeroError("failed", "not now")
    await box.start()
    await box.next()
    await box.next()
    box.refuse = None
    await asyncio.wait_for(slot.link.connected.wait(), SECONDS)


async def events_told(box: PlayedBox, last: str) -> list[Event]:
    """The events of the reports, up to the one called `last`."""
    found: list[Event] = []
    while not found or found[-1].subject != last:
        found += (await box.next()).events
    return found


async def pending_becomes(slot: Slot, wanted: int) -> None:
    async with asyncio.timeout(SECONDS):
        while len(await slot.outbox.pending()) != wanted:
            await asyncio.sleep(0)
