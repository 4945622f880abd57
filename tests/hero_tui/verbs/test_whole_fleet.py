"""`hero_dev status --all` of a fleet that no single message holds."""

from __future__ import annotations

from backends.model.box_calls import SnapshotParams
from backends.model.state import FleetSnapshot, SlotStatus
from hero_tui.verbs.whole_fleet import PAGE
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line
from tests.hero_tui.verbs.test_agent import NOON

USERS = [f"user{number:03}" for number in range(2 * PAGE + 1)]


def page(asked: SnapshotParams) -> FleetSnapshot:
    rest = [user for user in USERS if user > asked.after]
    shown = rest[: asked.limit]
    slots = tuple(SlotStatus(box="x", slot=user, seen_at=NOON) for user in shown)
    return FleetSnapshot(box="x", seq=4, trunk="t", slots=slots, more=len(shown) < len(rest), time=NOON)


def test_it_is_asked_for_in_pages_and_told_as_one(box: Canned, hero_dev: Line) -> None:
    box.answers["fleet.snapshot"] = page
    told = hero_dev.answers("status", "--all")
    assert [slot["slot"] for slot in told["slots"]] == USERS
    assert told["more"] is False
    assert len(box.asked) == 3
