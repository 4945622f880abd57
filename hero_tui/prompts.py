"""What a person types or looks up: the `:` line, the palette, whose slot to look into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from backends.model.calls import PlanParams, SwitchParams
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import TEXT_LIMIT, TellParams
from hero_tui import commands
from hero_tui.keys import shown_key
from hero_tui.settings import THEMES
from screens.desk import Asked, Target
from screens.widgets.grid_layout import DENSITIES
from screens.widgets.picker_model import PickerItem

if TYPE_CHECKING:
    from hero_tui.app import HeroApp

_ON_SERVICES = ("logs", "switch", "restart", "builds", "releases")
"""Commands that the palette offers for each service."""


class Prompts:
    """The prompts of one app."""

    def __init__(self, app: HeroApp):
        self._app = app
        self._desk = app.desk
        self._actions = app.actions
        self._earlier: list[str] = []

    def show_help(self) -> None:
        """The keys of the screen below, as they are bound now."""
        from screens.help import HelpDialog, HelpEntry

        entries = [
            HelpEntry(", ".join(shown_key(key) for key in one.keys.split(",")), one.help, one.context)
            for one in self._app.live_keys()
        ]
        self._app.push_screen(HelpDialog(self._app.here.place, entries))

    def choose_user(self) -> None:
        """Whose slot to look into."""
        fleet = self._desk.fleet
        items = [PickerItem(user, user, self._told_of(user)) for user in fleet.users() if user != self._desk.me]
        self._actions.choose("peek at", items, lambda user: self._app.places.show_slot(user))

    def _told_of(self, user: str) -> str:
        slot = self._desk.fleet.slots[user]
        broken = sum(cell.health in ("crashed", "unhealthy") for cell in slot.cells.values())
        told = [f"{len(slot.cells)} services"] + ([f"{broken} broken"] if broken else [])
        told += ["its daemon is away"] if slot.head.stale else []
        return " · ".join(told)

    def ask_command(self) -> None:
        """The `:` line."""
        from screens.command import CommandLine

        def answered(line: str | None) -> None:
            if line:
                self._earlier = [*(one for one in self._earlier if one != line), line][-50:]
                self.command(line)

        complete = commands.completer(lambda: self._desk.fleet)
        self._app.push_screen(CommandLine(complete, self._earlier), answered)

    def ask_palette(self) -> None:
        """Every key that works here, every slot and service of mine, both themes."""
        fleet = self._desk.fleet
        items = [
            PickerItem(f"key {key.id}", key.help, "", key.shown, "here")
            for key in self._app.live_keys()
            if key.action and key.id not in ("app.palette", "app.back", "app.interrupt")
        ]
        lines = [f"slot {user}" for user in fleet.users()]
        lines += [f"{verb} {name}" for verb in _ON_SERVICES for name in fleet.services()]
        lines += ["agents", "inbox", *(["agent"] if self._desk.me else [])]
        lines += [f"theme {name}" for name in THEMES] + [f"density {name}" for name in ("auto", *DENSITIES)]
        items += [PickerItem(f"line {line}", line, "", ":", "commands") for line in (*lines, "q")]
        self._actions.choose("anything", items, self._run_item)

    def _run_item(self, key: str) -> None:
        kind, _, what = key.partition(" ")
        if kind == "line":
            self.command(what)
            return
        action = next(entry.action for entry in self._app.table if entry.id == what)
        self._app.run_worker(self._app.run_action(action), group="palette")

    # -- the command line -------------------------------------------------------------------------

    def command(self, line: str) -> None:
        """Run a line of the `:` prompt; what is wrong with it is told."""
        try:
            command, arguments = commands.parse(line)
            self._run_command(command.name, arguments)
        except HeroError as error:
            self._desk.tell(str(error), failed=True)

    def _run_command(self, name: str, arguments: list[str]) -> None:
        fleet, app = self._desk.fleet, self._app
        match name:
            case "q":
                app.exit(0)
            case "fleet":
                app.places.go_home()
            case "slot" | "peek":
                user = arguments[0] if arguments else self._mine()
                app.places.show_slot(commands.known("user", user, fleet.users()))
            case "logs":
                user = app.target.user if app.target else self._mine()
                if arguments and arguments[0] in fleet.slots:
                    user = arguments.pop(0)
                app.places.show_logs(user, [self._service(one) for one in arguments])
            case "builds":
                app.places.show_builds(self._service(arguments[0]) if arguments else "")
            case "releases":
                app.places.show_releases(self._service(arguments[0]))
            case "agents":
                app.places.show_agents()
            case "inbox":
                app.places.show_inbox()
            case "agent":
                self._mine()
                app.places.show_agent_form(self._service(arguments[0]) if arguments else "")
            case "tell":
                app.run_worker(self._send(arguments[0], " ".join(arguments[1:])), group="tell")
            case "theme":
                theme = arguments[0] if arguments else next(one for one in THEMES if one != app.theme)
                app.theme = commands.known("theme", theme, THEMES)
            case "density":
                self._density(arguments[0] if arguments else "auto")
            case "faults" | "mine":
                app.places.go_home()
                app.call_after_refresh(app.run_action, f"screen.{name}")
            case "refresh":
                app.action_refresh_fleet()
            case "help":
                app.action_help()
            case "cancel":
                if not self._desk.cancel_newest():
                    self._desk.tell("Nothing that was begun here runs.")
            case _:
                self._on_my_slot(name, arguments)

    def _on_my_slot(self, name: str, arguments: list[str]) -> None:
        """The commands that change something: always on one's own slot."""
        user = self._mine()
        if name in ("manifest", "edit"):
            self._actions.run(name, Target(user))
            return
        named = arguments[:1] if name == "switch" else arguments
        services = [self._service(one) for one in named]
        if name == "switch" and len(arguments) == 1:
            self._app.places.show_switch(user, services[0])
        elif name == "switch":
            service, branch = services[0], arguments[1]
            params = SwitchParams(service=service, branch=branch)
            title = f"switch {service} {branch}"
            asked = Asked(user, "slot.switch", params, title, (service,), "switching")
            self._desk.ask(asked, PlanParams(action="switch", service=service, branch=branch))
        elif name in ("start", "stop", "restart"):
            self._actions.services(name, user, tuple(services))
        else:
            self._actions.run(name, Target(user, services[0]))

    async def _send(self, to: str, text: str) -> None:
        try:
            await self._desk.ask_box("message.send", TellParams(to=to, text=text, user=self._desk.me), InboxItem)
        except ValidationError:
            self._desk.tell(f"A message has {TEXT_LIMIT:,} characters at most.", failed=True)
            return
        except HeroError as error:
            self._desk.tell(str(error), failed=True)
            return
        self._desk.tell(f"a message to {to} is on its way")

    def _service(self, name: str) -> str:
        return commands.known("service", name, self._desk.fleet.services())

    def _mine(self) -> str:
        if not self._desk.me:
            raise HeroError("usage", "Which slot? This login has none on the box.", hint="Start with --slot USER.")
        return self._desk.me

    def _density(self, name: str) -> None:
        from screens.widgets.grid import FleetGrid

        chosen = commands.known("density", name, ("auto", *DENSITIES))
        self._app.places.go_home()
        density = next((one for one in DENSITIES if one == chosen), None)
        self._app.screen.query_one(FleetGrid).set_density(density)
