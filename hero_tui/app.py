"""The cockpit as a Textual app: its keys, its screens and the ways between them; the work is the desk's."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from backends.client.locate import Where
from hero_tui import keys
from hero_tui.desk import CockpitDesk
from hero_tui.line import LineMaker
from hero_tui.places import Places
from hero_tui.settings import THEMES, Settings
from screens.desk import Cell, Changes, Target
from screens.fleet import FleetScreen
from screens.frame import HeroScreen
from screens.widgets.keyfooter import KeyFooter, KeyHint
from screens.widgets.progress import OperationBar
from styles import themes

if TYPE_CHECKING:
    from hero_tui.cell_actions import CellActions
    from hero_tui.prompts import Prompts

_TWICE_SECONDS = 2.0
_STYLES = Path(themes.__file__).parent


class HeroApp(App[int], inherit_bindings=False):
    """One person's view of one box."""

    CSS_PATH: ClassVar[list[str | Path]] = [  # type: ignore[assignment]
        _STYLES / "base.tcss",
        _STYLES / "widgets.tcss",
        _STYLES / "frame.tcss",
        _STYLES / "fleet.tcss",
    ]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.label, id=key.id, priority=key.id == "app.interrupt", tooltip=key.help)
        for key in keys.TABLE
        if key.action
    ]

    def __init__(
        self,
        where: Where,
        make_line: LineMaker,
        settings: Settings,
        *,
        read_only: bool = False,
        screen: str = "fleet",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.where = where
        self.box_name = where.box.root.name
        self.settings = settings
        self.table, clashes = keys.overridden(settings.keys)
        self.problems = (*settings.problems, *clashes)
        self._first = screen
        self._interrupted = -_TWICE_SECONDS
        self._by_id = {key.id: key for key in self.table}
        self.desk = CockpitDesk(self, make_line, where.user, read_only=read_only, now=now)
        themes.register(self)
        self.theme = settings.theme
        self.animation_level = "none"
        self.set_keymap(keys.keymap(self.table))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our colour names, under whatever theme."""
        return themes.domain_colours(self.current_theme.dark)

    def get_default_screen(self) -> Screen[None]:
        """The fleet is the ground that other screens lie on."""
        return FleetScreen(self.desk, self.settings.density)

    def on_mount(self) -> None:
        """Connect, and look at the clock once a second."""
        self.run_worker(self.desk.line.run(), name="line", group="line", exit_on_error=True)
        self.set_interval(1.0, self._tick)
        if self._first == "releases":
            self.run_worker(self._open_releases(), name="first place", group="first")
        elif self._first != "fleet":
            self.action_place(self._first)
        self.call_after_refresh(_settle)

    async def _open_releases(self) -> None:
        """The releases are of a service, and those are known only once the box has answered."""
        await self.desk.known.wait()
        if services := self.desk.fleet.services():
            self.places.show_releases(services[0])
        else:
            self.desk.tell("The catalogue names no services yet.", failed=True)

    async def on_unmount(self) -> None:
        """Leave no task and no connection behind."""
        await self.desk.close()

    # -- painting ---------------------------------------------------------------------------------

    def _places(self) -> list[HeroScreen]:
        stack = self.screen_stack if self.is_running else ()
        return [screen for screen in stack if isinstance(screen, HeroScreen)]

    def paint(self, changes: Changes) -> None:
        """Have every screen that is open paint `changes`."""
        for screen in self._places():
            if screen.ready and (changes.shape or changes.cells or changes.connection):
                screen.show(changes)
            screen.refresh_frame()

    def paint_agents(self, agents: frozenset[Cell]) -> None:
        """Have every screen that is open paint these agents; nothing else of it is looked at."""
        for screen in self._places():
            if screen.ready:
                screen.show_agents(agents)

    def _tick(self) -> None:
        self.desk.tick()
        for screen in self._places():
            if screen.ready and screen.is_active:
                screen.tick()

    def hints(self) -> list[KeyHint]:
        """The footer of the current screen, from the bindings that are live."""
        shown = [key for key in self.live_keys() if key.hint]
        shown.sort(key=lambda key: key.hint if key.hint > 0 else 1000 - key.hint)
        return [KeyHint(key.shown, key.label, always=key.hint < 0) for key in shown]

    def live_keys(self) -> list[keys.Key]:
        """Every key that does something on the current screen, in the table's order."""
        live = {binding.binding.id for binding in self.screen.active_bindings.values() if binding.enabled}
        return [key for key in self.table if key.id in live]

    def on_key_footer_pressed(self, event: KeyFooter.Pressed) -> None:
        """A click on a hint is its key."""
        event.stop()
        hinted = {key.id for key in self.table if key.hint and key.shown == event.key}
        for name, live in self.screen.active_bindings.items():
            if live.binding.id in hinted:
                self.simulate_key(name)
                return

    # -- where we are -----------------------------------------------------------------------------

    @property
    def here(self) -> HeroScreen:
        """The screen under the dialogs."""
        return self._places()[-1]

    @property
    def target(self) -> Target | None:
        """What keys act on."""
        return self.here.target if self.here.ready else None

    @cached_property
    def places(self) -> Places:
        """The ways between the screens."""
        return Places(self)

    # -- keys -------------------------------------------------------------------------------------

    @cached_property
    def actions(self) -> CellActions:
        """What keys and commands do to cells."""
        from hero_tui.cell_actions import CellActions

        return CellActions(self)

    @cached_property
    def prompts(self) -> Prompts:
        """What a person types or looks up."""
        from hero_tui.prompts import Prompts

        return Prompts(self)

    async def on_event(self, event: events.Event) -> None:
        """Do what a key is bound to before the next one is looked at, however fast they come.

        Textual sends each key through the queues of widget, screen and app: of keys that a slow line delivers in
        one piece, those after the one that opens a dialog would be lost.
        """
        if isinstance(event, events.Key) and not event.is_forwarded and not self._is_typed(event):
            live = self.screen.active_bindings.get(event.key)
            if live and live.enabled and await self.run_action(live.binding.action, live.node):
                return
        await super().on_event(event)

    def _is_typed(self, event: events.Key) -> bool:
        """Whether the key goes into a field, which has all of its keys where it is a line."""
        field = self.focused
        return isinstance(field, Input) or (
            field is not None and field.check_consume_key(event.key, event.character)
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A verb is offered only where it can do something."""
        if action != "verb":
            return True
        return self.here.ACTS and self.actions.enabled(str(parameters[0]), self.target)

    def action_verb(self, name: str) -> None:
        """Act on the cell under the cursor."""
        if target := self.target:
            self.actions.run(name, target)

    def action_place(self, name: str) -> None:
        """Go to a screen by name."""
        self.places.go(name)

    async def action_back(self) -> None:
        """Take back the last thing: a result, a filter, the screen."""
        if self.desk.dismiss() or self.here.clear():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        else:
            self.desk.tell(":q or ctrl-c twice quits")

    def action_interrupt(self) -> None:
        """Twice within two seconds: quit."""
        before, self._interrupted = self._interrupted, monotonic()
        if self._interrupted - before < _TWICE_SECONDS:
            self.exit(0)
        else:
            self.desk.tell("ctrl-c again quits")

    def action_refresh_fleet(self) -> None:
        """A fresh snapshot, and what the screen shows besides."""
        self.desk.refresh_fleet()
        self.here.again()

    def action_next_theme(self) -> None:
        """Dark or light."""
        self.theme = THEMES[(THEMES.index(self.theme) + 1) % len(THEMES)] if self.theme in THEMES else THEMES[0]

    def action_help(self) -> None:
        """The keys of the screen that is shown, from its live bindings."""
        self.prompts.show_help()

    def action_peek(self) -> None:
        """Choose a user, look into the slot."""
        self.prompts.choose_user()

    def action_command(self) -> None:
        """Type a command."""
        self.prompts.ask_command()

    def action_palette(self) -> None:
        """Find anything."""
        self.prompts.ask_palette()

    def on_operation_bar_cancel_requested(self, event: OperationBar.CancelRequested) -> None:
        """The hint in a progress line was clicked."""
        for doing in self.desk.doings:
            if doing.view.id == event.operation_id:
                self.desk.cancel(doing.user, event.operation_id)

    def on_operation_bar_opened(self, event: OperationBar.Opened) -> None:
        """A progress line was clicked: the logs of what it works on."""
        for doing in self.desk.doings:
            if doing.view.id == event.operation_id and doing.service:
                self.places.show_logs(doing.user, (doing.service,))


def _settle() -> None:
    """What start-up made will stay: the collector, which `make_app` has stopped, need not look at it ever."""
    gc.freeze()
    gc.enable()
