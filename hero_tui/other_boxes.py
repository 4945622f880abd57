"""More boxes than the own one in the same cockpit: each with a line of its own, their slots named `user@box`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from hero_tui import store
from hero_tui.line import Line, LineMaker
from screens.fleet_view import FleetView, SlotView

if TYPE_CHECKING:
    from backends.client.live import State
    from backends.model.state import Event, FleetSnapshot


class _Box:
    """One of them: its line, and what is known of it."""

    def __init__(self, name: str, make_line: LineMaker, changed: Callable[[], None]):
        self.name = name
        self.fleet = store.Fleet()
        self._changed = changed
        self._made: dict[str, tuple[SlotView, bool, SlotView]] = {}
        self.line: Line = make_line(
            on_state=self._on_state, on_snapshot=self._on_snapshot, on_event=self._on_event
        )

    def _on_state(self, state: State, why: str) -> None:
        self.fleet = store.with_connection(self.fleet, state, why)
        self._changed()

    def _on_snapshot(self, snapshot: FleetSnapshot) -> None:
        self.fleet = store.with_snapshot(self.fleet, snapshot)
        self._changed()

    def _on_event(self, event: Event) -> None:
        self.fleet = store.with_event(self.fleet, event)
        self._changed()

    def slots(self) -> Iterator[tuple[str, SlotView]]:
        """Its slots by the names that they have here; what is not told any more is stale."""
        away = self.fleet.view.connection != "online"
        slots = self.fleet.view.slots
        self._made = {user: self._made_of(user, slot, away) for user, slot in slots.items()}
        for user, (_, _, made) in self._made.items():
            yield f"{user}@{self.name}", made

    def _made_of(self, user: str, slot: SlotView, away: bool) -> tuple[SlotView, bool, SlotView]:
        """From the same slot the same object, so that only what changed is painted."""
        known = self._made.get(user)
        if known is not None and known[0] is slot and known[1] == away:
            return known
        names = {"slot": f"{user}@{self.name}", "box": self.name, "stale": slot.head.stale or away}
        return slot, away, replace(slot, head=slot.head.model_copy(update=names))


class OtherBoxes:
    """All of them; `changed` is called when something about one of them differs."""

    def __init__(self, makers: Mapping[str, LineMaker], changed: Callable[[], None]):
        self._boxes = {name: _Box(name, maker, changed) for name, maker in makers.items()}
        self._merged: tuple[tuple[FleetView, ...], FleetView] | None = None

    async def run(self) -> None:
        """Keep the lines until this is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for box in self._boxes.values():
                tasks.create_task(box.line.run(), name=f"line to {box.name}")

    async def close(self) -> None:
        """Close the lines."""
        await asyncio.gather(*(box.line.close() for box in self._boxes.values()), return_exceptions=True)

    def set_read_only(self, on: bool) -> None:
        """Refuse what changes before it is sent, or no longer."""
        for box in self._boxes.values():
            box.line.read_only = on

    def line_of(self, user: str) -> tuple[Line, str] | None:
        """The line to the box of `user@box`, and who that is there; None for somebody of the own box."""
        name, _, box = user.rpartition("@")
        return (self._boxes[box].line, name) if name and box in self._boxes else None

    def merged(self, home: FleetView) -> FleetView:
        """The own box's fleet with everybody else's; the same object while nothing differs."""
        if not self._boxes:
            return home
        views = (home, *(box.fleet.view for box in self._boxes.values()))
        if self._merged is None or any(old is not new for old, new in zip(self._merged[0], views, strict=True)):
            self._merged = (views, self._merge(home))
        return self._merged[1]

    def _merge(self, home: FleetView) -> FleetView:
        slots, busy, entries = dict(home.slots), dict(home.busy), {one.name: one for one in home.catalogue}
        problems = list(home.problems)
        for box in self._boxes.values():
            view = box.fleet.view
            slots |= box.slots()
            busy |= {(f"{user}@{box.name}", service): what for (user, service), what in view.busy.items()}
            entries = {one.name: one for one in view.catalogue} | entries
            problems += [f"{box.name}: {view.why}"] if view.connection == "reconnecting" else []
            problems += [f"{box.name}: {problem}" for problem in view.problems]
        return replace(
            home,
            slots=MappingProxyType(slots),
            busy=MappingProxyType(busy),
            catalogue=tuple(entries.values()),
            problems=tuple(problems),
        )
