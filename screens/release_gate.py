"""The gate of a service's trunk over its releases: asked for again and again, and who runs what."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Container

from backends.model.errors import HeroError
from backends.model.forge import Gate
from backends.model.forge_calls import GatesParams, GatesResult
from screens.desk import Desk
from screens.widgets.gateline import GateLine, gate_lines
from screens.widgets.release_model import Runners
from screens.widgets.release_text import running_parts
from screens.widgets.titles import set_titles


class ReleaseGate(Container):
    """Asks when it is told to; feed it with `show`."""

    def __init__(self, desk: Desk, service: str, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self._desk = desk
        self._service = service
        self._feed = GateFeed(desk, service, self._paint)
        self._runners = Runners()

    def compose(self) -> ComposeResult:
        """The lamps, and below them who runs what."""
        yield GateLine(id="gate")

    def ask(self, *, fresh: bool = False) -> None:
        """Ask the box, and where it is to be `fresh`, through it the forge."""
        self.run_worker(self._feed.ask(fresh=fresh), name="gate", group="gate")

    def show(self, runners: Runners) -> None:
        """These run it."""
        self._runners = runners
        self._paint()

    def on_resize(self) -> None:
        """As many versions as there is room for."""
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        if not self.query(GateLine) or not self.app.is_running:  # an answer may come while it is being left
            return
        gate, line = self._feed.gate, self.query_one(GateLine)
        line.show([*gate_lines(gate, self._feed.problem), running_parts(self._runners, line.size.width)])
        trunk = f"{gate.branch} {gate.commit[:8]}" if gate else self._desk.fleet.trunk
        set_titles(self, f"gate of {self._service} · {trunk}".rstrip(" ·"))


class GateFeed:
    """The gate of `service`; `changed` is called when it differs."""

    def __init__(self, desk: Desk, service: str, changed: Callable[[], None]):
        self._desk = desk
        self._service = service
        self._changed = changed
        self._asking = False
        self._again = False
        self._fresh = False
        self.gate: Gate | None = None
        self.problem = ""

    async def ask(self, *, fresh: bool = False) -> None:
        """Ask the box; questions that come while it is being asked are one, which waits for the answer."""
        self._fresh |= fresh
        self._again = True
        if self._asking:
            return
        self._asking = True
        try:
            while self._again:
                self._again, wanted, self._fresh = False, self._fresh, False
                await self._ask(wanted)
        finally:
            self._asking = False

    async def _ask(self, fresh: bool) -> None:
        before = (self.gate, self.problem)
        try:
            params = GatesParams(service=self._service, fresh=fresh)
            found = await self._desk.ask_box("gate.list", params, GatesResult)
            self.gate, self.problem = next(iter(found.gates), None), ""
        except HeroError as error:
            self.problem = f"{error.message} {error.hint}".strip()
        if before != (self.gate, self.problem):
            self._changed()
