"""A large fleet comes in pages, and none of its slots is lost between two of them."""

from __future__ import annotations

from datetime import UTC, datetime

from backends.client.fleet import PAGE, whole_fleet
from backends.model.box_calls import SnapshotParams
from backends.model.state import FleetSnapshot, ServiceStatus, SlotStatus

NOW = datetime(2026, 11, 20, tzinfo=UTC)
CELL = ServiceStatus.model_validate({"service": "db", "repo": "t/db", "branch": "development", "from": "release"})


def slots(count: int) -> list[SlotStatus]:
    return [SlotStatus(box="b", slot=f"user{n:03d}", services=(CELL,), seen_at=NOW) for n in range(count)]


async def test_all_pages_are_one_snapshot_as_of_the_first() -> None:
    asked: list[SnapshotParams] = []
    every = slots(2 * PAGE + 3)

    async def ask(params: SnapshotParams) -> FleetSnapshot:
        asked.append(params)
        left = [slot for slot in every if slot.slot > params.after]
        page = tuple(left[: params.limit])
        return FleetSnapshot(box="b", seq=len(asked), trunk="t", slots=page, time=NOW, more=len(page) < len(left))

    fleet = await whole_fleet(ask)
    assert [slot.slot for slot in fleet.slots] == [slot.slot for slot in every]
    assert fleet.slots[0].services[0] == CELL
    assert (fleet.seq, fleet.more, len(asked)) == (1, False, 3)


async def test_a_box_that_knows_no_pages_answers_all_at_once() -> None:
    async def ask(params: SnapshotParams) -> FleetSnapshot:
        return FleetSnapshot(box="b", seq=7, trunk="t", slots=tuple(slots(60)), time=NOW)

    assert len((await whole_fleet(ask)).slots) == 60
