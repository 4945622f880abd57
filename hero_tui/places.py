"""The ways between the cockpit's screens: each place by its name, what it is opened on, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hero_tui.history import History, Visit
from screens.doings import Asked
from screens.frame import HeroScreen, Memory

if TYPE_CHECKING:
    from backends.model.slot_calls import PlanParams
    from hero_tui.app import HeroApp

FLEET = Visit("fleet")


class Places:
    """The places of one app: the fleet at the bottom, at most one other place on it, and dialogs."""

    def __init__(self, app: HeroApp):
        self._app = app
        self._draft = ""
        self._history = History((FLEET,))
        self._waiting = False

    # -- the stack of screens ---------------------------------------------------------------------

    def close_dialogs(self) -> None:
        """Down to the screen under the dialogs."""
        while not isinstance(self._app.screen, HeroScreen):
            self._app.pop_screen()

    @property
    def _shown(self) -> HeroScreen:
        """The screen of the visit that is shown; others may lie on it."""
        stack = self._app.screen_stack
        screen = stack[0] if self._history.here.place == FLEET.place else stack[min(1, len(stack) - 1)]
        assert isinstance(screen, HeroScreen)
        return screen

    def _uncover(self) -> None:
        """Close what lies on the screen that is shown."""
        while not self._waiting and self._app.screen is not self._shown:
            self._app.pop_screen()

    def _show(self) -> None:
        """Have the stack be what the history says, once the screen that is opening stands.

        Keys come faster than screens; one that is taken away half made breaks. Those between are never made.
        """
        if isinstance(self._app.screen, HeroScreen) and not self._app.screen.ready and self._app.is_running:
            if not self._waiting:
                self._waiting = True
                self._app.call_after_refresh(self._show_late)
            return
        self._put()

    def _show_late(self) -> None:
        self._waiting = False
        self._show()

    def _put(self) -> None:
        from hero_tui.place_screens import SCREENS

        app, visit = self._app, self._history.here
        while len(app.screen_stack) > 1:
            app.pop_screen()
        screen = self._shown if visit.place == FLEET.place else SCREENS[visit.place](app, visit)
        if isinstance(visit.memory, Memory):
            screen.recall(visit.memory)
        if screen is not app.screen:
            app.push_screen(screen)

    # -- history ----------------------------------------------------------------------------------

    def _visit(self, visit: Visit) -> None:
        """A step to another place; one that is shown already is only uncovered."""
        same = visit.same_as(self._history.here)
        if same and not visit.first:
            self._uncover()
        elif same:
            self._history = self._history.instead(visit)
            self._show()
        else:
            self._history = self._left().gone_to(visit)
            self._show()

    def _left(self) -> History:
        """The history with how the person leaves what is shown."""
        return self._history.keeping(self._shown.memory()) if self._shown.ready else self._history

    def _turn(self, history: History | None) -> bool:
        if history is not None:
            self._history = history
            self._show()
        return history is not None

    def move(self, steps: int) -> None:
        """Back (negative) or forward through what was visited."""
        if not self._turn(self._left().moved(steps)):
            self._app.desk.tell("Nothing was visited before this." if steps < 0 else "Nothing comes after this.")

    def go_last(self) -> None:
        """What was shown before; again, and it is this one."""
        if not self._turn(self._left().last()):
            self._app.desk.tell("Nothing was visited before this.")

    def leave(self) -> bool:
        """Close what lies on the place, or go back from it; False on the fleet, which is home."""
        if self._waiting:
            return True
        if self._app.screen is not self._shown:
            self._app.pop_screen()
        elif self._history.here.place == FLEET.place:
            return False
        elif not self._turn(self._left().moved(-1)):
            self.go_home()
        return True

    # -- the places -------------------------------------------------------------------------------

    def go_home(self) -> None:
        """The fleet."""
        self._visit(FLEET)

    def go(self, name: str) -> None:
        """To a place by name, on what is under the cursor."""
        target = self._app.target
        user = target.user if target else self._app.where.user
        service = target.service if target else ""
        if name == "releases":
            self._releases(service)
        elif name not in ("slot", "logs"):
            self._visit(Visit(name, ("",)) if name == "builds" else Visit(name))
        elif not user:
            self._app.desk.tell("Which slot? Move to one first, or name it: `:slot alice`.", failed=True)
        elif name == "slot":
            self.show_slot(user, service)
        else:
            marked = target.marked if target else ()
            self.show_logs(user, marked or ((service,) if service else ()))

    def _releases(self, service: str) -> None:
        if service:
            self.show_releases(service)
        else:
            self._app.desk.tell("Which service? Move to one first, or name it: `:releases hero_db`.", failed=True)

    def point(self, user: str, service: str) -> None:
        """The fleet's cursor on this cell, if that is what is shown; whoever has gone on is not called back."""
        from screens.widgets.grid import FleetGrid

        if self._history.here.place != FLEET.place:
            return
        if self._shown.ready:
            self._shown.query_one(FleetGrid).go_to(user, service)
        else:
            self._app.call_after_refresh(self.point, user, service)

    def show_slot(self, user: str, service: str = "") -> None:
        """A slot's services as a list."""
        self._visit(Visit("slot", (user,), service))

    def show_logs(self, user: str, services: Sequence[str], build: str = "") -> None:
        """The logs of these services, of all of the slot, or of one build."""
        self._visit(Visit("logs", (user, build, *services)))

    def show_builds(self, service: str = "") -> None:
        """The queue and what went through it."""
        self._visit(Visit("builds", (service,)))

    def show_releases(self, service: str) -> None:
        """What is published of a service."""
        self._visit(Visit("releases", (service,)))

    def show_agents(self, agent: str = "") -> None:
        """Everybody's agents, the cursor on the one with this name."""
        self._visit(Visit("agents", first=agent))

    def show_agent(self, user: str, agent: str) -> None:
        """One agent."""
        self._visit(Visit("agent", (user, agent)))

    def show_inbox(self, item: str = "") -> None:
        """Questions and messages."""
        self._visit(Visit("inbox", first=item))

    def show_team(self, user: str = "") -> None:
        """The people of the team repo, the cursor on this one."""
        self._visit(Visit("team", first=user))

    # -- dialogs ----------------------------------------------------------------------------------

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

    def show_plan(self, asked: Asked, plan: PlanParams, *, yes: bool) -> None:
        """What a change would do, and the question whether to do it."""
        from screens.plan import PlanDialog

        self._app.push_screen(PlanDialog(self._app.desk, asked, plan, yes=yes))
