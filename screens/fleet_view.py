"""The fleet as screens see it: frozen views of slots and cells, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from screens.widgets.cells import is_faulty

if TYPE_CHECKING:
    from backends.model.agents import Agent
    from backends.model.state import CatalogueEntry, Operation, ServiceStatus, SlotStatus

Connection = Literal["connecting", "online", "reconnecting"]
Cell = tuple[str, str]
"""A slot's user and a service."""

INTEGRATION = "integration"


@dataclass(frozen=True, slots=True)
class Busy:
    """What runs on a cell now, in a word, and how much of it is done (0 to 1, None where nobody knows)."""

    word: str
    share: float | None = None


@dataclass(frozen=True)
class SlotView:
    """One slot: `head` without its services, these by name, and by id the operations and agents in it."""

    head: SlotStatus
    cells: Mapping[str, ServiceStatus] = field(default_factory=dict)
    operations: Mapping[str, Operation] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)

    @cached_property
    def faulty(self) -> tuple[ServiceStatus, ...]:
        """What of it is broken; found out once, as a large fleet is asked for it with every paint."""
        return tuple(cell for cell in self.cells.values() if is_faulty(cell))

    def with_cells(self, cells: Mapping[str, ServiceStatus], names: Collection[str]) -> SlotView:
        """The slot with other cells; but for those with these names they are the same."""
        slot = replace(self, cells=cells)
        if "faulty" in self.__dict__:
            kept = [one for one in self.faulty if one.service not in names]
            found = [cells[name] for name in names if name in cells and is_faulty(cells[name])]
            same = not found and len(kept) == len(self.faulty)
            slot.__dict__["faulty"] = self.faulty if same else (*kept, *found)
        return slot


@dataclass(frozen=True, slots=True)
class FleetView:
    """All that the screens know. It is replaced, never changed; `known` is False until the first snapshot."""

    box: str = ""
    trunk: str = ""
    known: bool = False
    connection: Connection = "connecting"
    why: str = ""
    catalogue: tuple[CatalogueEntry, ...] = ()
    slots: Mapping[str, SlotView] = field(default_factory=dict)
    busy: Mapping[Cell, Busy] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def cell(self, user: str, service: str) -> ServiceStatus | None:
        """The binding there; None where nothing is bound."""
        slot = self.slots.get(user)
        return slot.cells.get(service) if slot else None

    def agent(self, user: str, id: str) -> Agent | None:
        """The agent with this id in the slot of `user`."""
        slot = self.slots.get(user)
        return slot.agents.get(id) if slot else None

    def users(self) -> list[str]:
        """Everybody with a slot, the integration slot first."""
        return sorted(self.slots, key=lambda user: (user != INTEGRATION, user))

    def services(self) -> list[str]:
        """What the catalogue names, in its order, then what slots bind besides."""
        names = [entry.name for entry in self.catalogue]
        bound = {service for slot in self.slots.values() for service in slot.cells}
        return names + sorted(bound.difference(names))


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two views. `shape`: users or services came or went, or a slot's head changed."""

    shape: bool = True
    cells: frozenset[Cell] = frozenset()
    connection: bool = True

    def joined(self, later: Changes) -> Changes:
        """These and `later` ones."""
        shape, connection = self.shape or later.shape, self.connection or later.connection
        return Changes(shape=shape, cells=self.cells | later.cells, connection=connection)
