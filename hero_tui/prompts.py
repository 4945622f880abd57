"""What a person types or looks up: the `:` line, the palette, whose slot to look into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from backends.model.errors import HeroError
from backends.model.text import safe_line
from hero_tui import commands
from screens.result_model import Run
from screens.widgets.grid_layout import DENSITIES
from screens.widgets.picker_model import PickerItem, in_columns

if TYPE_CHECKING:
    from hero_tui.app import HeroApp
    from hero_tui.command_line import CommandLineRunner

_ON_SERVICES = ("logs", "switch", "restart", "builds", "releases")
"""Commands that the palette offers for each service."""


class Prompts:
    """The prompts of one app."""

    def __init__(self, app: HeroApp):
        self._app = app
        self._desk = app.desk
        self._actions = app.actions
        self._earlier: list[str] = []
        self._named: dict[str, Callable[[], None]] = {
            "help": self.show_help,
            "peek": self.choose_user,
            "command": self.ask_command,
            "palette": self.ask_palette,
            "jump": self.jump,
            "settings": self.show_settings,
            "results": self.show_results,
        }

    def ask(self, name: str) -> None:
        """Open one of them by its name."""
        self._named[name]()

    def show_help(self) -> None:
        """The keys of the screen below, as they are bound now."""
        from screens.help import HelpDialog, HelpEntry

        entries = [HelpEntry(one.all_shown, one.help, one.context) for one in self._app.live_keys()]
        self._app.push_screen(HelpDialog(self._app.here.place, entries))

    def choose_user(self) -> None:
        """Whose slot to look into."""
        fleet = self._desk.fleet
        items = [PickerItem(user, user, self._told_of(user)) for user in fleet.users() if user != self._desk.me]
        self._actions.choose("peek at", in_columns(items), lambda user: self._app.places.show_slot(user))

    def _told_of(self, user: str) -> str:
        slot = self._desk.fleet.slots[user]
        broken = sum(cell.health in ("crashed", "unhealthy") for cell in slot.cells.values())
        told = [f"{len(slot.cells)} services"] + ([f"{broken} broken"] if broken else [])
        told += ["its daemon is away"] if slot.head.stale else []
        return " · ".join(told)

    def ask_command(self, text: str = "") -> None:
        """The `:` line."""
        from screens.command import CommandLine

        def answered(line: str | None) -> None:
            if line:
                self._earlier = [*(one for one in self._earlier if one != line), line][-50:]
                self.command(line)

        only = self._desk.read_only
        themes = self._app.preferences.themes
        complete = commands.completer(lambda: self._desk.fleet, read_only=only, themes=themes)
        told = commands.offered(read_only=only)
        self._app.push_screen(CommandLine(complete, self._earlier, text, told), answered)

    def command(self, line: str) -> None:
        """Carry out a line of the `:` prompt; what is wrong with it is told."""
        try:
            self.runner.run(line)
        except HeroError as error:
            self._desk.tell(str(error), failed=True)

    @cached_property
    def runner(self) -> CommandLineRunner:
        """What carries out the lines."""
        from hero_tui.command_line import CommandLineRunner

        return CommandLineRunner(self._app)

    # -- results of commands ----------------------------------------------------------------------

    def show_results(self) -> None:
        """What the commands printed, the newest first; said where none was given."""
        from screens.results import Answer, ResultScreen

        runs = self.runner.runs
        if not runs.runs:
            self._desk.tell("Nothing was run yet: `:status`, for example, runs `hero_dev status`.")
            return

        def answered(answer: Answer | None) -> None:
            if answer is None:
                return
            runs.forget(answer.run)
            if answer.wish == "again":
                self.command(f"!{answer.run.line}")

        self._app.push_screen(
            ResultScreen(runs.runs, stop=runs.stop, copy=self._copy, key=self._desk.key), answered
        )

    def _copy(self, text: str, what: str) -> None:
        self._desk.copy(text, what)

    def command_ended(self, run: Run) -> None:
        """Say so to a person who looks elsewhere."""
        from screens.results import ResultScreen

        shown = self._app.screen
        if isinstance(shown, ResultScreen) and shown.run is run:
            return
        self._desk.tell(
            f":{safe_line(run.line, 60)}: {run.told} ({self._desk.key('app.results')} shows it)",
            failed=run.state == "failed",
        )

    # -- the palette ------------------------------------------------------------------------------

    def ask_palette(self) -> None:
        """Every action that works here, every place, slot, service and theme, every verb of `hero_dev`."""
        items = [
            PickerItem(f"key {key.id}", key.help, key.verb and f"hero_dev {key.verb}", key.shown, "here")
            for key in self._app.live_keys()
            if key.action and key.id not in ("app.palette", "app.back", "app.interrupt")
        ]
        items += [PickerItem(f"line {line}", line, told, ":", "commands") for line, told in self._lines()]
        self._actions.choose("anything", items, self._run_item)

    def _lines(self) -> Iterator[tuple[str, str]]:
        """Lines of the `:` prompt that need no more words, each with what it does; no line twice."""
        fleet, only = self._desk.fleet, self._desk.read_only
        told = commands.offered(read_only=only)
        for user in fleet.users():
            yield f"slot {user}", ""
        for name in (name for name in _ON_SERVICES if name in told):
            yield from ((f"{name} {service}", "") for service in fleet.services())
        yield from ((f"theme {name}", "") for name in self._app.preferences.themes)
        yield from ((f"density {name}", "") for name in ("auto", *DENSITIES))
        yield from ((name, help_) for name, help_ in told.items() if commands.stands_alone(name))

    def _run_item(self, key: str) -> None:
        kind, _, what = key.partition(" ")
        if kind == "line":
            self.command(what)
            return
        self._app.run_worker(self._app.run_action(f"app.act('{what}')"), group="palette")

    # -- jumping ----------------------------------------------------------------------------------

    def jump(self) -> None:
        """Letters on everything that can be gone to."""
        from screens import jump, textual_gate

        below = self._app.screen
        spots = jump.spots_of(below)
        if not spots:
            self._desk.tell("There is nothing to jump to.")
            return

        def answered(spot: jump.Spot | None) -> None:
            if spot is not None:
                jump.go_to(spot)

        self._app.push_screen(jump.JumpScreen(textual_gate.painted(below), spots), answered)

    # -- settings ---------------------------------------------------------------------------------

    def show_settings(self, search: str = "") -> None:
        """The form of the settings; with a search, on what it finds."""
        from screens.settings import SettingsScreen

        self._app.push_screen(SettingsScreen(self._app.preferences.book(), search))
