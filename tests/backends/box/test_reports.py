"""What a slot's daemon may say."""

from __future__ import annotations

import pytest

from backends.box.reports import check_slot, own_events
from backends.model.box_calls import ReportParams
from backends.model.errors import HeroError
from tests.backends.box.events import audit, event


def test_events_are_the_slots_own_whatever_they_say() -> None:
    report = ReportParams(slot="mik", events=(audit("a", seq=3), event("no kind", seq=7)), last_outbox_id=7)
    first, second = own_events(report, "dev")
    assert (first.slot, first.box, first.seq, first.kind) == ("mik", "dev", 3, "audit.switch")
    assert second.kind == "slot.unknown"


@pytest.mark.parametrize(("ids", "last"), [((2, 1), 1), ((1, 1), 1), ((0,), 0), ((1,), 2), ((1 << 63,), 1 << 63)])
def test_outbox_ids_that_do_not_rise_are_refused(ids: tuple[int, ...], last: int) -> None:
    report = ReportParams(slot="mik", events=tuple(audit(seq=number) for number in ids), last_outbox_id=last)
    with pytest.raises(HeroError):
        own_events(report, "dev")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "root", "a" * 40])
def test_a_slot_cannot_have_such_a_name(name: str) -> None:
    with pytest.raises(HeroError) as caught:
        check_slot(name)
    assert caught.value.code == "usage"
