"""What the box has told of its fleet, from the first look to the newest event, and what was just asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from hero_tui import store
from hero_tui.store_batch import Untold
from screens.fleet_view import Cell, FleetView

if TYPE_CHECKING:
    from backends.client.live import State
    from backends.model.state import Event, FleetSnapshot


class FleetBook:
    """The own box's fleet; `changed` is called when somebody marks cells of it.

    `looked` is True while what is shown has not been told in words that hold, `told` is set once it has. `lost_at`
    is when the line was lost, while it is.
    """

    def __init__(self, look: FleetSnapshot | None, now: Callable[[], datetime], changed: Callable[[], None]):
        self._now = now
        self._changed = changed
        self._untold = Untold()
        self._known = store.with_look(store.Fleet(), look) if look else store.Fleet()
        self.lost_at: datetime | None = None
        self.looked = look is not None
        self.told = asyncio.Event()

    @property
    def view(self) -> FleetView:
        """The newest state."""
        return self._fleet.view

    @property
    def _fleet(self) -> store.Fleet:
        """All that was told; what has come since somebody asked last is looked at now."""
        self._known = self._untold.told(self._known)
        return self._known

    @_fleet.setter
    def _fleet(self, fleet: store.Fleet) -> None:
        self._known = fleet

    def connect(self, state: State, why: str) -> None:
        """What the line does. A look is not to be believed once it is lost: no word of it was told as such."""
        if state == "online":
            self.lost_at = None
        elif self.view.connection == "online":
            self.lost_at = self._now()
        if state == "reconnecting" and self.looked:
            self.looked = False
            self._fleet = store.Fleet(marks=self._fleet.marks)
        self._fleet = store.with_connection(self._fleet, state, why)

    def take(self, snapshot: FleetSnapshot) -> None:
        """A snapshot, which newer events may have overtaken."""
        self.looked = False
        self._fleet = store.with_snapshot(self._fleet, snapshot)
        self.told.set()

    def hear(self, event: Event) -> None:
        """An event; those that concern one cell or agent are looked at once somebody asks, or many have come."""
        if not self._untold.take(event):
            self._fleet = store.with_event(self._fleet, event)
        elif self._untold.many:
            self._known = self._untold.told(self._known)

    @contextmanager
    def marked(self, cells: Mapping[Cell, str]) -> Iterator[None]:
        """These cells are shown busy meanwhile, each with its word."""
        self._fleet = store.with_mark(self._fleet, cells)
        self._changed()
        try:
            yield
        finally:
            self._fleet = store.without_mark(self._fleet, cells)
            self._changed()
