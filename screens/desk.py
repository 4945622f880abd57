"""What the cockpit lends to its screens: the fleet as it stands, calls, questions, logs, ways to other screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from screens.fleet_view import FleetView
from screens.question import Question
from screens.widgets.keyfooter import KeyHint
from screens.widgets.statusbar import StatusView

if TYPE_CHECKING:
    from pydantic import BaseModel

    from backends.model.frozen import Frozen
    from backends.model.inbox import InboxItem
    from backends.model.slot_calls import PlanParams
    from backends.model.state import Event
    from screens.doings import Asked, Doings
    from screens.log_source import LogSource
    from screens.ways import Ways

R = TypeVar("R", bound="BaseModel")


@dataclass(frozen=True, slots=True)
class Target:
    """What a key acts on: a slot, the service under the cursor ("" without one), and the marked services."""

    user: str
    service: str = ""
    marked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InboxView:
    """What waits for this person, and what did. `known` is False until the box has answered once.

    `items` are all that are open or unread, and the newest of the others; `problem` says why the last question to
    the box was not answered.
    """

    items: tuple[InboxItem, ...] = ()
    known: bool = False
    problem: str = ""


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
    def doings(self) -> Doings:
        """What is begun and told of changes."""

    @property
    def logs(self) -> LogSource:
        """Where logs come from."""

    @property
    def ways(self) -> Ways:
        """To the other screens."""

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

    def open_file(self, path: Path, tool: str) -> None:
        """Show a file in the person's `pager` or `editor`."""

    @property
    def inbox(self) -> InboxView: ...

    def refresh_inbox(self) -> None:
        """Ask the box what is in the inbox now."""

    def ask(self, asked: Asked, plan: PlanParams, action: str) -> None:
        """Show what the change would do, and begin it if the person agrees; `action` is its id in the table."""

    def confirm(self, action: str, question: Question, do: Callable[[], None], *, user: str = "") -> None:
        """Do an action of the table once it was asked for as its radius says, in the slot of `user` if in one."""

    def copy(self, text: str, what: str) -> None:
        """Put text on the clipboard of the person's terminal."""

    def copy_one(self, values: Mapping[str, str]) -> None:
        """Have the person choose which of these to copy, by their names; empty ones are left out."""

    async def attach(self, agent: str) -> None:
        """Bring the window of an agent of my slot in front of the person. Raises HeroError."""

    def begin_build(self, user: str, service: str, branch: str, publish: bool) -> None:
        """Queue a build at the box; how that went is told."""

    def cancel_build(self, build: str) -> None:
        """Take a build out of the queue, or stop it."""
