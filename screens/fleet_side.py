"""What stands beside the fleet's grid: all that is broken, and the selected cell in full."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import Container

from screens.desk import Desk
from screens.widgets.detail import DetailPane, DetailView, detail_of
from screens.widgets.faultlist import Fault, FaultList, faults_of
from screens.widgets.fleet_rows import head_detail
from screens.widgets.grid_data import GridRow
from screens.widgets.no_answer import slot_doubt
from screens.widgets.titles import set_titles


class FleetSide(Container):
    """Two panels; the one with the faults is there only while there are some."""

    def __init__(self, desk: Desk) -> None:
        self._list = FaultList(id="faults")
        self._pane = DetailPane(id="detail")
        self._broken = Container(self._list, id="fleet-faults", classes="panel")
        self._detail = Container(self._pane, id="fleet-detail", classes="panel")
        super().__init__(self._broken, self._detail, id="fleet-side")
        self._desk = desk

    @property
    def faults(self) -> Sequence[Fault]:
        """All that is broken, the worst first."""
        return self._list.faults

    def show_faults(self) -> None:
        """As they are now."""
        desk = self._desk
        cells = [(user, cell) for user, slot in desk.fleet.slots.items() for cell in slot.faulty]
        faults = faults_of(cells, desk.now(), desk.me)
        self._list.show(faults, desk.key("cell.faults"))
        self._broken.display = bool(faults)
        set_titles(self._broken, "needs attention" if faults else "")

    def show_cell(self, user: str, service: str) -> None:
        """All that is known of it, or how to bind it."""
        desk, fleet = self._desk, self._desk.fleet
        stale = user in fleet.slots and fleet.slots[user].head.stale
        doubt = slot_doubt(lost=fleet.connection == "reconnecting", stale=stale)
        set_titles(self._detail, f"{user} · {service}", doubt)
        mine = desk.may_change(user)
        self._detail.set_class(not mine, "foreign")
        status, busy = fleet.cell(user, service), fleet.busy.get((user, service))
        if status is not None:
            self._pane.show(detail_of(status, desk.now(), busy.word if busy else ""))
            return
        how = f" Press {desk.key('cell.switch')} to bind and run it." if mine else ""
        self._pane.show(DetailView(sentence=f"{user} does not run {service}.{how}"))

    def show_head(self, row: GridRow, members: Sequence[str]) -> None:
        """What is under the head of a group."""
        self._detail.set_class(False, "foreign")
        set_titles(self._detail, row.title)
        self._pane.show(head_detail(row, self.faults, members, self._desk.key("grid.fold")))

    def show_nothing(self) -> None:
        """No cell is selected."""
        self._detail.set_class(False, "foreign")
        set_titles(self._detail, "")
        self._pane.show(DetailView(sentence="Nothing is selected."))
