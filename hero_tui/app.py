"""The cockpit as a Textual app: its keys, its screens and the ways between them; the work is the desk's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import Screen

from backends.client.locate import Where
from hero_tui import image, keys
from hero_tui.collecting import Collecting
from hero_tui.deep_link import HOME, Link, follow_link
from hero_tui.desk import CockpitDesk
from hero_tui.hands import Hands
from hero_tui.line import LineMaker
from hero_tui.live_keys import LiveKeys
from hero_tui.manners import Facts
from hero_tui.own_app import OwnApp
from hero_tui.painting import Painting
from hero_tui.places import Places
from hero_tui.preferences import Preferences
from screens import textual_gate
from screens.desk import Target
from screens.fleet import FleetScreen
from screens.frame import HeroScreen
from screens.spots import Pointer
from screens.widgets.keyfooter import KeyFooter, KeyHint
from screens.widgets.progress import OperationBar
from styles import themes

if TYPE_CHECKING:
    from backends.model.state import FleetSnapshot
    from hero_tui.asking import Asking
    from hero_tui.cell_actions import CellActions
    from hero_tui.prompts import Prompts
    from hero_tui.settings_plain import Loaded

_TWICE_SECONDS = 2.0
_LATER_SECONDS = 3.0
"""After the start: nobody waits for anything then, and all that one uses has been loaded."""
_STYLES = Path(themes.__file__).parent
_LATER_SHEETS = [_STYLES / "widgets.tcss", _STYLES / "frame.tcss"]
_USUAL = Facts()


class HeroApp(OwnApp, inherit_bindings=False):
    """One person's view of one box."""

    CSS_PATH: ClassVar[list[str | Path]] = [  # type: ignore[assignment]
        _STYLES / "base.tcss",
        _STYLES / "first.tcss",
        _STYLES / "fleet.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            key.keys,
            f"app.act('{key.id}')",
            key.label,
            id=key.id,
            priority=key.id == "app.interrupt",
            tooltip=key.help,
        )
        for key in keys.TABLE
        if key.action
    ]

    def __init__(
        self,
        where: Where,
        make_line: LineMaker,
        loaded: Loaded,
        *,
        facts: Facts = _USUAL,
        settings_file: Path | None = None,
        read_only: bool = False,
        link: Link = HOME,
        beside: Mapping[str, LineMaker] | None = None,
        look: FleetSnapshot | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.where = where
        self.box_name = where.box.root.name
        self.preferences = Preferences(self, self, loaded, facts, settings_file)
        self._first = link
        self._interrupted = -_TWICE_SECONDS
        self._begun = True
        self._live = LiveKeys(self)
        self.painting = Painting(self)
        self.hands = Hands(lambda: textual_gate.keys_wait(self))
        self.collecting = Collecting()
        self._pointer = Pointer()
        self._locked = read_only
        looking = read_only or loaded.settings.read_only
        self.desk = CockpitDesk(self, make_line, where.user, read_only=looking, beside=beside, look=look, now=now)
        self.preferences.begin()

    def refresh_css(self, animate: bool = True) -> None:
        """Textual asks for it before there is a screen, too: then the colours are all that it takes."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def get_default_screen(self) -> Screen[None]:
        """The fleet is the ground that other screens lie on."""
        screen = FleetScreen(self.desk, self.preferences.settings.fleet_density)
        screen.fit(self.size)
        return screen

    @property
    def table(self) -> tuple[keys.Key, ...]:
        """All actions, with a person's own keys."""
        return self.preferences.table

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the settings, a sentence each."""
        return self.preferences.problems

    def on_mount(self) -> None:
        """Begin; where there is something to look at already, once it is on the terminal."""
        self._begun = not self.desk.looked
        if self._begun:
            self._begin()

    def post_display_hook(self) -> None:
        """A frame has been sent; the first one did not wait for what others need."""
        if not self._begun:
            self._begun = True
            self.call_later(self._begin)

    def _begin(self) -> None:
        """Connect, and look at the clock once a second."""
        self.stylesheet.read_all(_LATER_SHEETS)
        self.stylesheet.parse()
        self.run_worker(self.desk.line.run(), name="line", group="line", exit_on_error=True)
        self.run_worker(self.desk.others.run(), name="other boxes", group="other boxes", exit_on_error=True)
        self.set_interval(1.0, self._tick)
        self.run_worker(follow_link(self, self._first), name="first place", group="first")
        self.run_worker(self.preferences.follow(), name="settings", group="settings")
        self.collecting.begin()
        self.set_timer(_LATER_SECONDS, self._keep_for_next_start)

    async def _keep_for_next_start(self) -> None:
        await asyncio.to_thread(image.renew)

    async def on_unmount(self) -> None:
        """Leave no task and no connection behind."""
        await self.desk.close()
        self.collecting.end()

    def _tick(self) -> None:
        self.desk.tick()
        self.collecting.tick(self.hands.rested)
        self.painting.tick()

    def hints(self) -> list[KeyHint]:
        """The footer of the current screen, from the bindings that are live."""
        return self._live.hints()

    def live_keys(self) -> list[keys.Key]:
        """Every key that does something on the current screen, in the table's order."""
        return self._live.all()

    def on_key_footer_pressed(self, event: KeyFooter.Pressed) -> None:
        """A click on a hint is its key."""
        event.stop()
        self._live.press(event.key)

    # -- where we are -----------------------------------------------------------------------------

    @property
    def here(self) -> HeroScreen:
        """The screen under the dialogs."""
        return self.painting.places[-1]

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
    def asking(self) -> Asking:
        """The question before an action."""
        from hero_tui.asking import Asking

        return Asking(self)

    def help_of(self, action: str) -> str:
        """What an action of the table does, and its keys."""
        entry = self.preferences.by_id[action]
        return f"{entry.help} ({entry.all_shown})"

    @cached_property
    def prompts(self) -> Prompts:
        """What a person types or looks up."""
        from hero_tui.prompts import Prompts

        return Prompts(self)

    async def on_event(self, event: events.Event) -> None:
        """Pass over a pointer that rests; a screen that is still being made stands before its first key."""
        if isinstance(event, events.MouseMove) and self.screen_stack and self._pointer.rests(self.screen, event):
            return
        if isinstance(event, events.Key) and self.screen_stack:
            self.hands.pressed()
            if isinstance(self.screen, HeroScreen):
                await self.screen.stand()
        await super().on_event(event)

    def key_answered(self) -> None:
        """Show what a key did where the person looks, before whatever else follows from it."""
        if self.focused is not None:
            textual_gate.paint_now(self.focused)
        self.hands.answered()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An action is offered where its place is, and a verb only where it can do something."""
        if action == "act":
            return self._live.offers(str(parameters[0]))
        if action != "verb":
            return True
        return self.here.ACTS and self.actions.enabled(str(parameters[0]), self.target)

    async def action_act(self, id: str) -> None:
        """Do an action of the table."""
        await self.run_action(self.preferences.by_id[id].action)

    def action_verb(self, name: str) -> None:
        """Act on the cell under the cursor."""
        if target := self.target:
            self.actions.run(name, target)

    def action_place(self, name: str) -> None:
        """Go to a screen by name."""
        self.places.go(name)

    async def action_back(self) -> None:
        """Take back the last thing: a result, a filter, the screen."""
        if self.desk.doings.set_aside() or (self.here.ready and self.here.clear()):
            return
        if not self.places.leave():
            self.desk.tell(":q or ctrl-c twice quits")

    def action_history(self, steps: int) -> None:
        """Back or forward through the places that were visited."""
        self.places.move(steps)

    def action_last(self) -> None:
        """The place that was shown before this one."""
        self.places.go_last()

    def action_interrupt(self) -> None:
        """Twice within two seconds: quit."""
        before, self._interrupted = self._interrupted, monotonic()
        if self._interrupted - before < _TWICE_SECONDS:
            self.exit(0)
        else:
            self.desk.tell("ctrl-c again quits")

    def action_refresh_fleet(self) -> None:
        """A fresh snapshot, what the screen shows besides, and the terminal anew, if something wrote on it."""
        textual_gate.repaint(self)
        self.desk.refresh_fleet()
        self.here.again()

    def action_next_theme(self) -> None:
        """The next theme, a person's own after the cockpit's."""
        names = self.preferences.themes
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]

    def action_ask(self, name: str) -> None:
        """Open a prompt, a list or a form: `Prompts.ask` has their names."""
        self.prompts.ask(name)

    def look_only(self, on: bool) -> bool:
        """Look only, or change things again; False where it was started to look only."""
        if self._locked and not on:
            return False
        self.desk.set_read_only(on)
        self.preferences.refresh()
        return True

    def tell_of_settings(self, sentence: str) -> None:
        """What is wrong with the settings."""
        self.desk.tell(sentence, failed=True)

    def action_tray(self) -> None:
        """What this cockpit began, running and ended."""
        from screens.tray import TrayScreen

        self.push_screen(TrayScreen(self.desk))

    def on_operation_bar_cancel_requested(self, event: OperationBar.CancelRequested) -> None:
        """The hint in a progress line was clicked."""
        for doing in self.desk.doings.all():
            if doing.view.id == event.operation_id:
                self.desk.doings.cancel(doing.user, event.operation_id)

    def on_operation_bar_opened(self, event: OperationBar.Opened) -> None:
        """A progress line was clicked: the logs of what it works on."""
        for doing in self.desk.doings.all():
            if doing.view.id == event.operation_id and doing.service:
                self.places.show_logs(doing.user, (doing.service,))
