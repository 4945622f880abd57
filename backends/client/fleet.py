"""The whole fleet from its box, page by page: a large one is more than a message may hold, or a client should."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backends.model.box_calls import SnapshotParams
from backends.model.errors import HeroError
from backends.model.kept import compact
from backends.model.state import FleetSnapshot, SlotStatus

PAGE = 25
"""Slots in one message."""


async def whole_fleet(ask: Callable[[SnapshotParams], Awaitable[FleetSnapshot]]) -> FleetSnapshot:
    """All pages as one snapshot. Raises what `ask` raises, and HeroError for pages that do not go on.

    Its `seq` is the first page's: events after it, which later pages may contain already, are told once more.
    """
    first = page = await ask(SnapshotParams(limit=PAGE))
    slots = [_kept(slot) for slot in page.slots]
    while page.more and page.slots:
        last = page.slots[-1].slot
        page = await ask(SnapshotParams(after=last, limit=PAGE))
        if any(slot.slot <= last for slot in page.slots):
            raise HeroError("failed", "The box tells its slots again and again.", hint="Restart the box.")
        slots += [_kept(slot) for slot in page.slots]
    return first.model_copy(update={"slots": tuple(slots), "more": False})


def _kept(slot: SlotStatus) -> SlotStatus:
    return slot.model_copy(update={"services": tuple(compact(one) for one in slot.services)})
