"""What a line of the `:` prompt does: a command of the cockpit, or a verb of `hero_dev` in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import TEXT_LIMIT, TellParams
from backends.model.slot_calls import PlanParams, SwitchParams
from hero_tui import commands
from hero_tui.command_runs import CommandRuns
from screens.desk import Target
from screens.doings import Asked
from screens.widgets.grid_layout import DENSITIES

if TYPE_CHECKING:
    from hero_tui.app import HeroApp


class CommandLineRunner:
    """Carries out the lines of one app."""

    def __init__(self, app: HeroApp):
        self._app = app
        self._desk = app.desk
        self._actions = app.actions
        self.runs = CommandRuns(app)

    def run(self, line: str) -> None:
        """Do what the line says. Raises HeroError for what is wrong with it, or may not be done here."""
        words = commands.words_of(line)
        verb = commands.verb_words(words)
        if verb is not None:
            if self.runs.begin(verb) is not None:
                self._app.prompts.show_results()
            return
        command, arguments = commands.parse(line)
        if self._desk.read_only and not command.read_only:
            raise HeroError(
                "denied",
                f"This cockpit is read-only, and :{command.name} changes something.",
                hint="`:readonly off`, or start it without --read-only.",
            )
        self._run_command(command.name, arguments)

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
            case "team":
                app.places.show_team(arguments[0] if arguments else "")
            case "doctor" | "host":
                app.places.go(name)
            case "agent":
                self._mine()
                app.places.show_agent_form(self._service(arguments[0]) if arguments else "")
            case "tell":
                app.run_worker(self._send(arguments[0], " ".join(arguments[1:])), group="tell")
            case "theme" if arguments:
                app.theme = commands.known("theme", arguments[0], app.preferences.themes)
            case "theme":
                app.action_next_theme()
            case "settings":
                app.prompts.ask("settings")
            case "keymap":
                app.prompts.show_settings("keys")
            case "results":
                app.prompts.ask("results")
            case "readonly":
                self._read_only(arguments[0] if arguments else "on")
            case "density":
                self._density(arguments[0] if arguments else "auto")
            case "faults" | "mine":
                app.places.go_home()
                app.call_after_refresh(app.run_action, f"screen.{name}")
            case "refresh":
                app.action_refresh_fleet()
            case "help":
                app.prompts.ask("help")
            case "cancel":
                if not self._desk.doings.cancel_newest():
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
            self._desk.ask(asked, PlanParams(action="switch", service=service, branch=branch), "cell.switch")
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

    def _read_only(self, word: str) -> None:
        on = commands.known("answer", word, ("on", "off")) == "on"
        if not self._app.look_only(on):
            raise HeroError(
                "denied", "It was started with --read-only, and stays so.", hint="Quit, and start it without."
            )
        self._desk.tell(
            "Only looking from now on; `:readonly off` ends that." if on else "Changes are possible again."
        )
