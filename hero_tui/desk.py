"""The cockpit's desk: one line to a box, what comes over it shared out, and what screens and keys ask for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from backends.model.errors import HeroError
from backends.model.text import safe_text
from hero_tui.agents_paint import AgentsPaint
from hero_tui.build_queue import BuildQueue
from hero_tui.fleet_book import FleetBook
from hero_tui.fleet_paint import FleetPaint
from hero_tui.host_book import HostBook
from hero_tui.inbox_book import InboxBook
from hero_tui.line import Line, LineMaker, same_words
from hero_tui.other_boxes import OtherBoxes
from hero_tui.own_doings import OwnDoings
from screens.desk import InboxView
from screens.doings import Asked
from screens.fleet_view import Changes, FleetView
from screens.question import Question
from screens.widgets.keyfooter import KeyHint
from screens.widgets.no_answer import old
from screens.widgets.statusbar import Connection as Shown
from screens.widgets.statusbar import StatusView

if TYPE_CHECKING:
    from pydantic import BaseModel

    from backends.client.live import State
    from backends.model.frozen import Frozen
    from backends.model.slot_calls import PlanParams
    from backends.model.state import Event, FleetSnapshot
    from hero_tui.app import HeroApp
    from screens.log_source import LogSource
    from screens.ways import Ways

R = TypeVar("R", bound="BaseModel")

_TOLD = 600
"""Characters of a toast."""
_CONNECTION: dict[State, Shown] = {
    "connecting": "connecting",
    "online": "connected",
    "reconnecting": "reconnecting",
}


def _harmless(sentence: str) -> str:
    """Names that others have chosen stand in it; a toast is no place for a page."""
    return safe_text(sentence[:_TOLD])


class CockpitDesk:
    """Implements `screens.desk.Desk` over one line to one box."""

    def __init__(
        self,
        app: HeroApp,
        make_line: LineMaker,
        me: str,
        *,
        read_only: bool = False,
        beside: Mapping[str, LineMaker] | None = None,
        look: FleetSnapshot | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self._app = app
        self._me = me
        self._read_only = read_only
        self._now = now
        self._told = FleetBook(look, now, self._soon)
        self.known = self._told.told
        self._cells = FleetPaint(lambda: self.fleet, app.painting.paint, app.hands)
        self._agents = AgentsPaint(lambda: self.fleet, app.painting.paint_agents, app.hands)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.doings = OwnDoings(self, self._told, self._soon)
        self._queue = BuildQueue(self.ask_box, self.tell, self._soon)
        self._inbox = InboxBook(me, self.ask_box, self._announce, self._soon)
        self._host = HostBook(self.ask_box, self._soon)
        self._listeners: list[Callable[[Event], None]] = []
        self.others = OtherBoxes(beside or {}, self._soon)
        self._cells.painted()  # by each screen, when it is made
        self._agents.painted()
        self.line = make_line(on_state=self._on_state, on_snapshot=self._on_snapshot, on_event=self._on_event)
        self.line.read_only = read_only

    # -- what screens see -------------------------------------------------------------------------

    @property
    def fleet(self) -> FleetView:
        """The newest state, of the other boxes too."""
        return self.others.merged(self._told.view)

    @property
    def me(self) -> str:
        """Whose slot is mine."""
        return self._me

    @property
    def read_only(self) -> bool:
        """True in a cockpit that may only look."""
        return self._read_only

    def set_read_only(self, on: bool) -> None:
        """From now on only look, or change things again; the line refuses what changes before it is sent."""
        self._read_only = on
        self.line.read_only = on
        self.others.set_read_only(on)
        self._soon()

    @property
    def waiting(self) -> int:
        """How many questions wait for this person."""
        return self._inbox.waiting

    @property
    def looked(self) -> bool:
        """Whether what is shown has not been told yet in words that hold."""
        return self._told.looked

    @property
    def ways(self) -> Ways:
        """To the other screens."""
        return self._app.places

    @cached_property
    def logs(self) -> LogSource:
        """See `Desk`."""
        from hero_tui.log_source import DeskLogs

        return DeskLogs(self, self._app.where)

    def now(self) -> datetime:
        """The present."""
        return self._now()

    def may_change(self, user: str) -> bool:
        """Only one's own slot, and not in a read-only cockpit."""
        there = self.others.line_of(user)
        return bool(user) and (there[1] if there else user) == self._me and not self._read_only

    def status(self, place: str, note: str) -> StatusView:
        """The status line of a screen."""
        fleet = self.fleet
        faults = sum(len(slot.faulty) for slot in fleet.slots.values())
        why = (fleet.why,) if fleet.connection == "reconnecting" else ()
        own = fleet.slots.get(self._me)
        problems = [*why, *(own.head.problems if own else ()), *fleet.problems, *self._app.problems]
        return StatusView(
            box=fleet.box or self._app.box_name,
            connection=_CONNECTION[fleet.connection],
            age=old(self._told.lost_at, self.now()),
            place=place,
            faults=faults,
            waiting=self._inbox.waiting,
            running=sum(len(slot.operations) for slot in fleet.slots.values()),
            building=self._queue.building,
            queued=self._queue.queued,
            host=self._host.says,
            host_is_bad=self._host.is_bad,
            read_only=self._read_only,
            note=note or (problems[0] if problems else ""),
        )

    def hints(self) -> list[KeyHint]:
        """The keys of the current screen."""
        return self._app.hints()

    def key(self, id: str) -> str:
        """The first key of an action of the table."""
        return next(key.shown for key in self._app.table if key.id == id)

    # -- what comes from the box ------------------------------------------------------------------

    def _on_state(self, state: State, why: str) -> None:
        before = self._told.view.connection
        self._told.connect(state, why)
        if state == "online" and before == "reconnecting":
            self.refresh_fleet()
        if state == "online":
            self.own(self._queue.fill(), "builds")
            self.own(self._host.fill(), "host")
            self.refresh_inbox()
        self._soon()

    def _on_snapshot(self, snapshot: FleetSnapshot) -> None:
        self._told.take(snapshot)
        self._app.collecting.keep()
        self._soon()
        self._agents.soon()

    def _on_event(self, event: Event) -> None:
        self._told.hear(event)
        if event.kind.startswith("agent."):
            self._agents.soon()  # there may be many a second, and they concern no other screen's cells
            return
        if self._inbox.concerns(event):
            self.refresh_inbox()
        if event.kind == "operation.changed":
            self._heard(event)
        self._queue.heard(event)
        self._host.heard(event)
        for listener in tuple(self._listeners):
            listener(event)
        self._soon()

    def _heard(self, event: Event) -> None:
        from pydantic import ValidationError

        from backends.model.state import Operation

        with contextlib.suppress(ValidationError):
            self.doings.heard(event.slot, Operation.model_validate(event.data))

    def watch_events(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Have `listener` called with every event that the box tells; the answer ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def refresh_fleet(self) -> None:
        """Ask the box for everything again."""
        self.own(self._refresh(), "refresh")

    async def _refresh(self) -> None:
        from backends.client.fleet import whole_fleet
        from backends.model.state import FleetSnapshot

        try:
            ask = self.ask_box
            self._on_snapshot(await whole_fleet(lambda params: ask("fleet.snapshot", params, FleetSnapshot)))
        except HeroError as error:
            self.tell(error.message, failed=True)

    # -- painting ---------------------------------------------------------------------------------

    def _soon(self) -> None:
        """Paint before long; what comes until then is painted with it."""
        self._cells.soon()

    def flush(self) -> None:
        """Have the screens paint what changed since the last flush."""
        self._cells.flush()

    def tick(self) -> None:
        """A second has passed."""
        if self.doings.running or self._told.lost_at:
            self._app.painting.paint(Changes(shape=False, connection=False))

    # -- what screens ask for ---------------------------------------------------------------------

    def tell(self, sentence: str, *, failed: bool = False) -> None:
        """A toast."""
        self._app.notify(
            _harmless(sentence),
            severity="error" if failed else "information",
            timeout=8 if failed else 3,
            markup=False,
        )

    async def call(self, user: str, method: str, params: Frozen, result: type[R]) -> R:
        """Ask `user`'s slot. Raises HeroError."""
        line, name = self.line_of(user)
        with same_words(f"The slot of {user}", method):
            return await line.slot(name, method, params, result)

    def line_of(self, user: str) -> tuple[Line, str]:
        """The line to `user`'s box, and who that is there."""
        return self.others.line_of(user) or (self.line, user)

    async def ask_box(self, method: str, params: Frozen, result: type[R]) -> R:
        """Ask the box. Raises HeroError."""
        with same_words("The box", method):
            return await self.line.box(method, params, result)

    def open_file(self, path: Path, tool: str) -> None:
        """See `Desk`."""
        self.own(self._open_file(path, tool), tool)

    async def _open_file(self, path: Path, tool: str) -> None:
        from hero_tui.log_tools import open_file

        try:
            await open_file(self._app, path, tool)
        except HeroError as error:
            self.tell(f"{error.message} {error.hint}".strip(), failed=True)

    @property
    def inbox(self) -> InboxView:
        """See `Desk`."""
        return self._inbox.view

    def refresh_inbox(self) -> None:
        """See `Desk`."""
        self.own(self._inbox.fill(), "inbox")

    def _announce(self, sentence: str) -> None:
        """A bell, which tmux passes on to whoever looks elsewhere, and a toast that stays a while."""
        self._app.bell()
        self._app.notify(_harmless(sentence), title="waits for you", severity="warning", timeout=8, markup=False)

    async def attach(self, agent: str) -> None:
        """See `Desk`."""
        from backends.model.agent_calls import AgentAttach, AgentParams
        from hero_tui.attach import attach

        told = await self.call(self.me, "agent.attach", AgentParams(agent=agent), AgentAttach)
        if sentence := await attach(self._app, told):
            self.tell(sentence)

    def ask(self, asked: Asked, plan: PlanParams, action: str) -> None:
        """The plan first."""
        self._app.places.show_plan(asked, plan, yes=self._app.asking.radius(action) != "low")

    def confirm(self, action: str, question: Question, do: Callable[[], None], *, user: str = "") -> None:
        """See `Desk`."""
        self._app.asking.confirm(action, question, do, user)

    def begin_build(self, user: str, service: str, branch: str, publish: bool) -> None:
        """Queue a build at the box; how that went is told."""
        if self._writable():
            self.own(self._queue.submit(user, service, branch, publish), f"build {service}")

    def cancel_build(self, build: str) -> None:
        """Take a build out of the queue, or stop it."""
        if self._writable():
            self.own(self._queue.cancel(build), f"cancel {build}")

    def _writable(self) -> bool:
        if self._read_only:
            self.tell("This cockpit is read-only.", failed=True)
        return not self._read_only

    def copy(self, text: str, what: str) -> None:
        """Onto the clipboard of the person's terminal."""
        self._app.copy_to_clipboard(text)
        self.tell(f"copied {what}")

    def copy_one(self, values: Mapping[str, str]) -> None:
        """See `Desk`."""
        self._app.actions.copy_one(values)

    # -- tasks ------------------------------------------------------------------------------------

    def own(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Run `work`; the desk holds it until it ends."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.tell(f"{task.get_name()}: {type(error).__name__}: {error}", failed=True)

    async def close(self) -> None:
        """End what this desk runs; operations go on in their slots."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.others.close()
        await self.line.close()
