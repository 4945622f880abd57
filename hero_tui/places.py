"""The ways between the cockpit's screens: each place by its name, and what it is opened on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.model.calls import PlanParams
from screens.desk import Asked
from screens.frame import HeroScreen

if TYPE_CHECKING:
    from hero_tui.app import HeroApp

_GROUND = frozenset({"fleet", "slot"})
"""Places that others are opened on; those replace each other."""


class Places:
    """The places of one app."""

    def __init__(self, app: HeroApp):
        self._app = app
        self._draft = ""

    def close_dialogs(self) -> None:
        """Down to the screen under the dialogs."""
        while not isinstance(self._app.screen, HeroScreen):
            self._app.pop_screen()

    def go_home(self) -> None:
        """Down to the fleet."""
        while len(self._app.screen_stack) > 1:
            self._app.pop_screen()

    def _go_down(self) -> None:
        """Down to the fleet or the slot that lies on it."""
        self.close_dialogs()
        while len(self._app.screen_stack) > 1 and self._app.here.PLACE not in _GROUND:
            self._app.pop_screen()

    def go(self, name: str) -> None:
        """To a screen by name, on what is under the cursor."""
        target = self._app.target
        user = target.user if target else self._app.where.user
        service = target.service if target else ""
        if name == "fleet":
            self.go_home()
        elif name == "builds":
            self.show_builds()
        elif name == "releases":
            self._releases(service)
        elif name == "agents":
            self.show_agents()
        elif name == "inbox":
            self.show_inbox()
        elif not user:
            self._app.desk.tell("Which slot? Move to one first, or name it: `:slot alice`.", failed=True)
        elif name == "slot":
            self.show_slot(user, service)
        elif name == "logs":
            marked = target.marked if target else ()
            self.show_logs(user, marked or ((service,) if service else ()))

    def _releases(self, service: str) -> None:
        if service:
            self.show_releases(service)
        else:
            self._app.desk.tell("Which service? Move to one first, or name it: `:releases hero_db`.", failed=True)

    def show_slot(self, user: str, service: str = "") -> None:
        """A slot's services as a list."""
        from screens.slot import SlotScreen

        self.go_home()
        self._app.push_screen(SlotScreen(self._app.desk, user, service))

    def show_logs(self, user: str, services: Sequence[str], build: str = "") -> None:
        """The logs of these services, of all of the slot, or of one build."""
        from screens.logs import LogsScreen

        self.close_dialogs()
        if isinstance(self._app.screen, LogsScreen):
            self._app.pop_screen()
        self._app.push_screen(LogsScreen(self._app.desk, user, tuple(services), build))

    def show_builds(self, service: str = "") -> None:
        """The queue and what went through it."""
        from screens.builds import BuildsScreen

        self._go_down()
        self._app.push_screen(BuildsScreen(self._app.desk, service))

    def show_releases(self, service: str) -> None:
        """What is published of a service."""
        from screens.releases import ReleasesScreen

        self._go_down()
        self._app.push_screen(ReleasesScreen(self._app.desk, service))

    def show_agents(self, agent: str = "") -> None:
        """Everybody's agents, the cursor on the one with this name."""
        from screens.agents import AgentsScreen

        self._go_down()
        self._app.push_screen(AgentsScreen(self._app.desk, agent))

    def show_agent(self, user: str, agent: str) -> None:
        """One agent, on the list of them if that is open."""
        from screens.agent import AgentScreen

        self.close_dialogs()
        if isinstance(self._app.screen, AgentScreen):
            self._app.pop_screen()
        self._app.push_screen(AgentScreen(self._app.desk, user, agent))

    def show_inbox(self, item: str = "") -> None:
        """Questions and messages."""
        from screens.inbox import InboxScreen

        self._go_down()
        self._app.push_screen(InboxScreen(self._app.desk, item))

    def show_agent_form(self, service: str = "") -> None:
        """Describe a new agent; what was typed and not sent is there again."""
        from screens.agent_form import AgentForm

        self.close_dialogs()
        self._app.push_screen(AgentForm(self._app.desk, service, self._draft), self._keep_draft)

    def _keep_draft(self, draft: str | None) -> None:
        self._draft = draft or ""

    def show_switch(self, user: str, service: str, query: str = "") -> None:
        """What the service could be switched to."""
        from screens.switch import SwitchDialog

        self.close_dialogs()
        self._app.push_screen(SwitchDialog(self._app.desk, user, service, query))

    def show_plan(self, asked: Asked, plan: PlanParams) -> None:
        """What a change would do, and the question whether to do it."""
        from screens.plan import PlanDialog

        self._app.push_screen(PlanDialog(self._app.desk, asked, plan))
