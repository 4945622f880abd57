"""What a person does here: begun where it may be, marked on its cells at once, cancelled, tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from backends.model.errors import HeroError
from hero_tui.doings import Doings
from screens.doings import Asked

if TYPE_CHECKING:
    from hero_tui.desk import CockpitDesk
    from hero_tui.fleet_book import FleetBook


class OwnDoings(Doings):
    """Implements `screens.doings.Doings`."""

    def __init__(self, desk: CockpitDesk, fleet: FleetBook, changed: Callable[[], None]):
        super().__init__(desk.call, desk.now, changed)
        self._desk = desk
        self._fleet = fleet

    def begin(self, asked: Asked) -> None:
        """Mark its cells at once, carry it out as a task."""
        if not self._desk.may_change(asked.user):
            self._desk.tell(f"The slot of {asked.user} is read-only here.", failed=True)
            return
        self._desk.own(self._begin(asked), f"{asked.method} {asked.user}")

    async def _begin(self, asked: Asked) -> None:
        with self._fleet.marked({(asked.user, service): asked.word for service in asked.services}):
            await self.carry_out(asked)

    def retry(self, number: int) -> None:
        """Begin a change again that has ended."""
        if asked := self.asked(number):
            self.dismiss(number)
            self.begin(asked)

    def cancel(self, user: str, operation: str) -> None:
        """Ask the slot of `user` to stop the operation."""
        self._desk.own(self._cancel(user, operation), f"cancel {operation}")

    async def _cancel(self, user: str, operation: str) -> None:
        from backends.model.method import Empty
        from backends.model.slot_calls import OperationParams

        try:
            await self._desk.call(user, "operation.cancel", OperationParams(operation=operation), Empty)
        except HeroError as error:
            self._desk.tell(f"{error.message} {error.hint}".strip(), failed=True)

    def cancel_newest(self) -> bool:
        """Cancel what this cockpit began last and still runs; False where there is nothing."""
        running = self.newest_running()
        if running:
            self.cancel(*running)
        return running is not None
