"""From a slot's state to its row in the fleet's grid, and to what is said of a head's rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from screens.fleet_view import INTEGRATION, SlotView
from screens.widgets.detail import DetailView, Fact
from screens.widgets.faultlist import Fault
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.grid_data import GridRow
from screens.widgets.inbox_model import is_open

if TYPE_CHECKING:
    from backends.model.inbox import InboxItem

_AGENTS_FIRST = ("waiting", "error", "working", "starting", "idle")
"""Which state of an agent stands for those of its slot."""


def row_of(slot: SlotView, *, tagged: bool, waits: int) -> GridRow:
    """The slot's row, with its credential where `tagged`; `waits` counts what of it waits for this person."""
    head = slot.head
    live = [agent.state for agent in slot.agents.values() if agent.state != "gone"]
    return GridRow(
        head.slot,
        head.slot,
        pinned=head.slot == INTEGRATION,
        tag=head.credential if tagged else "",
        stale=head.stale,
        short_tag=head.credential.removeprefix("org-") if tagged else "",
        tag_state=head.credential_state if tagged else "",
        agents=len(live),
        agents_state=min(live, key=_AGENTS_FIRST.index, default=""),
        waits=waits,
        problems=len(head.problems),
        role=head.role,
        box=head.box,
        leads=head.slot.startswith(f"{INTEGRATION}@"),
    )


def waits_by_slot(items: Iterable[InboxItem]) -> Mapping[str, int]:
    """How many open questions came from each slot, from its person or its agents."""
    return Counter(item.sender.partition("/")[0] for item in items if is_open(item))


def head_detail(row: GridRow, faults: Iterable[Fault], members: Iterable[str], fold: str) -> DetailView:
    """What is under a head: how many slots, what of them is broken; `fold` is the key that hides them."""
    names = sorted(members)
    theirs = [fault for fault in faults if fault.user in names]
    facts = [
        Fact("slots", ((f"{row.members}", "detail--strong"), (f"  {', '.join(names)}", "detail--quiet"))),
        *(_fault_fact(fault) for fault in theirs),
        Fact("", ((f"{fold} {'shows' if row.folded else 'hides'} its rows", "detail--quiet"),)),
    ]
    return DetailView(tuple(facts))


def _fault_fact(fault: Fault, glyphs: Glyphs = UNICODE) -> Fact:
    health = fault.kind if fault.kind in ("crashed", "unhealthy") else "unhealthy"
    text = f"{glyphs.health[health]} {fault.service}  {fault.text}"
    return Fact(fault.user, ((text, f"health--{health}"),), urgent=True)
