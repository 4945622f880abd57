"""The whole fleet from its box, page by page: a large one is more than a message may hold, or a client should."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backends.model.calls import SnapshotParams
from backends.model.kept import compact
from backends.model.state import FleetSnapshot, SlotStatus

PAGE = 25
"""Slots in one message."""


async def whole_fleet(ask: Callable[[SnapshotParams], Awaitable[FleetSnapshot]]) -> FleetSnapshot:
    """All pages as one snapshot. Raises what `ask` raises.

    Its `seq` is the first page's: events after it, which later pages may contain already, are told once more.
    """
    first = page = await ask(SnapshotParams(limit=PAGE))
    slots = [_kept(slot) for slot in page.slots]
    while page.more and page.slots:
        page = await ask(SnapshotParams(after=page.slots[-1].slot, limit=PAGE))
        slots += [_kept(slot) for slot in page.slots]
    return first.model_copy(update={"slots": tuple(slots), "more": False})


def _kept(slot: SlotStatus) -> SlotStatus:
    return slot.model_copy(update={"services": tuple(compact(one) for one in slot.services)})
