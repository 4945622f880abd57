"""What the cockpit lends to its screens: the fleet as it stands, calls on slots, and the ways to other screens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from screens.question import Question
from screens.widgets.cells import is_faulty
from screens.widgets.keyfooter import KeyHint
from screens.widgets.progress import OperationView
from screens.widgets.statusbar import StatusView

if TYPE_CHECKING:
    from pydantic import BaseModel

    from backends.client.log_file import LogFile
    from backends.client.log_merged import MergedLog
    from backends.model.agents import Agent, AgentLine
    from backends.model.calls import PlanParams
    from backends.model.inbox import InboxItem
    from backends.model.state import CatalogueEntry, Event, Frozen, LogLine, Operation, ServiceStatus, SlotStatus

R = TypeVar("R", bound="BaseModel")

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


@dataclass(frozen=True, slots=True)
class Target:
    """What a key acts on: a slot, the service under the cursor ("" without one), and the marked services."""

    user: str
    service: str = ""
    marked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Lines of a followed log; `lost` says why the stream broke, where it did, and that it is taken up again."""

    lines: tuple[LogLine, ...] = ()
    lost: str = ""


@dataclass(frozen=True, slots=True)
class AgentBatch:
    """Entries of an agent's log that is followed; `lost` as in `LogBatch`."""

    lines: tuple[AgentLine, ...] = ()
    lost: str = ""


@dataclass(frozen=True, slots=True)
class InboxView:
    """What waits for this person, and what did. `known` is False until the box has answered once.

    `items` are all that are open or unread, and the newest of the others; `problem` says why the last question to
    the box was not answered.
    """

    items: tuple[InboxItem, ...] = ()
    known: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Doing:
    """An operation that this cockpit began: its line, and once it failed, what to read about it."""

    view: OperationView
    user: str
    service: str
    lines: tuple[str, ...] = ()
    number: int = 0
    """What the cockpit calls it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that a person asked for: the call, what it is called, what it holds meanwhile."""

    user: str
    method: str
    params: Frozen
    title: str
    services: tuple[str, ...]
    word: str


class Desk(Protocol):
    """The cockpit, as a screen sees it. Nothing here blocks."""

    @property
    def fleet(self) -> FleetView: ...

    @property
    def me(self) -> str:
        """Whose slot is mine; "" where this login has none."""

    @property
    def read_only(self) -> bool:
        """True in a cockpit that may only look."""

    @property
    def doings(self) -> Sequence[Doing]: ...

    @property
    def tray(self) -> Sequence[Doing]:
        """Every change that this cockpit began and nobody dismissed, newest first."""

    def dismiss(self, number: int | None = None) -> None:
        """Forget a change that has ended, or all of them."""

    def retry(self, number: int) -> None:
        """Begin a change again that has ended."""

    def now(self) -> datetime: ...

    def may_change(self, user: str) -> bool:
        """Whether this person may act on `user`'s slot here."""

    def status(self, place: str, note: str) -> StatusView: ...

    def hints(self) -> list[KeyHint]:
        """The keys that do something on the screen that is shown."""

    def key(self, id: str) -> str:
        """The key of an action, as a person reads it."""

    def tell(self, sentence: str, *, failed: bool = False) -> None:
        """Say something to the person that goes away by itself."""

    async def call(self, user: str, method: str, params: Frozen, result: type[R]) -> R:
        """Ask `user`'s slot. Raises HeroError."""

    async def ask_box(self, method: str, params: Frozen, result: type[R]) -> R:
        """Ask the box. Raises HeroError."""

    def watch_events(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Have `listener` called with every event that the box tells; the answer ends that."""

    def follow(
        self, user: str, services: Sequence[str], lines: int, build: str = "", since: float | None = None
    ) -> AsyncIterator[LogBatch]:
        """The logs as they come, of services or of one build, through restarts of the daemons.

        `since` in seconds since the epoch.
        """

    def log_file(self, user: str, services: Sequence[str], build: str = "") -> LogFile | MergedLog | None:
        """The log of services or of a build as files, where these are such that this person may open."""

    def open_file(self, path: Path, tool: str) -> None:
        """Show a file in the person's `pager` or `editor`."""

    @property
    def inbox(self) -> InboxView: ...

    def refresh_inbox(self) -> None:
        """Ask the box what is in the inbox now."""

    def follow_agent(self, user: str, agent: str, lines: int) -> AsyncIterator[AgentBatch]:
        """An agent's log from its last `lines` entries on, through restarts of the daemons."""

    def begin(self, asked: Asked) -> None:
        """Start a change; its cells are marked busy at once, its progress and end are told in `doings`."""

    def ask(self, asked: Asked, plan: PlanParams, action: str) -> None:
        """Show what the change would do, and begin it if the person agrees; `action` is its id in the table."""

    def confirm(self, action: str, question: Question, do: Callable[[], None], *, user: str = "") -> None:
        """Do an action of the table once it was asked for as its radius says, in the slot of `user` if in one."""

    def copy(self, text: str, what: str) -> None:
        """Put text on the clipboard of the person's terminal."""

    def copy_one(self, values: Mapping[str, str]) -> None:
        """Have the person choose which of these to copy, by their names; empty ones are left out."""

    def close_switch(self) -> None:
        """The change of a switch dialog has been begun: show what was there before it."""

    def show_slot(self, user: str, service: str = "") -> None: ...

    def show_logs(self, user: str, services: Iterable[str], build: str = "") -> None: ...

    def show_builds(self, service: str = "") -> None:
        """The queue and what went through it, of one service or of all."""

    def show_releases(self, service: str) -> None:
        """What is published of a service."""

    def show_agents(self, agent: str = "") -> None:
        """Everybody's agents, the cursor on the one with this name (`alice/3`)."""

    def show_agent(self, user: str, agent: str) -> None:
        """One agent's log, with a line to reply."""

    def show_inbox(self, item: str = "") -> None:
        """Questions and messages, the cursor on the one with this id."""

    def show_agent_form(self, service: str = "") -> None:
        """Where a new agent is described and started."""

    async def attach(self, agent: str) -> None:
        """Bring the window of an agent of my slot in front of the person. Raises HeroError."""

    def cancel(self, user: str, operation: str) -> None: ...

    def begin_build(self, user: str, service: str, branch: str, publish: bool) -> None:
        """Queue a build at the box; how that went is told."""

    def cancel_build(self, build: str) -> None:
        """Take a build out of the queue, or stop it."""
