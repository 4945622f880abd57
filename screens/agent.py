"""One agent to peek at and reply to: its log on the whole screen, what it asks, a line for an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from backends.model.agents import Agent, Waiting
from screens.agent_actions import AgentActions, Choice
from screens.desk import Desk, Target
from screens.fleet_view import Cell, Changes
from screens.frame import HeroScreen
from screens.log_source import AgentBatch
from screens.widgets.agent_detail import agent_detail
from screens.widgets.agent_dialog import keys_text, options_text, question_text
from screens.widgets.agent_model import AgentRow, is_live
from screens.widgets.agent_pane import AgentPane
from screens.widgets.agent_text import AgentText
from screens.widgets.detail import DetailPane, DetailView
from screens.widgets.rich_colours import rich_colour
from screens.widgets.titles import set_titles

FIRST_LINES = 1000
OPTIONS = 10


class AgentScreen(HeroScreen):
    """The agent `id` of the slot of `user`."""

    PLACE = "agent"
    CSS_PATH = "../styles/agents.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(number % 10), f"option({number})", id=f"option.{number}", show=False)
        for number in range(1, OPTIONS + 1)
    ]

    def __init__(self, desk: Desk, user: str, id: str) -> None:
        super().__init__(desk)
        self.user = user
        self.agent_id = id
        self._chosen = 0
        self._dialog: Waiting | None = None
        self._actions = AgentActions(desk, self._run, self._show_agent)
        self._sending = False

    def body(self) -> Iterable[Widget]:
        """Who it is; its log; its question; the reply."""
        foreign = "" if self.user == self.desk.me else " foreign"
        with Container(id="agent-head", classes=f"panel{foreign}"):
            yield DetailPane(id="agent-detail")
        with Container(id="agent-log-panel", classes=f"panel{foreign}"):
            yield AgentPane(self._follow, id="agent-log")
        with Container(id="agent-dialog", classes="panel"):
            yield Static("", markup=False, id="agent-question")
        with Container(id="agent-reply-panel", classes="panel"):
            yield AgentText(id="agent-reply")

    def on_mount(self) -> None:
        """Follow; the keys go to what is likely to be wanted."""
        self.query_one(AgentPane).show(self.user, self.agent_id, at_once=True)
        super().on_mount()
        agent = self.agent
        if agent and is_live(agent) and not agent.waiting and self.desk.may_change(agent.slot):
            self.field.focus()
        else:
            self.query_one(AgentPane).log_view.focus()

    @property
    def agent(self) -> Agent | None:
        """The agent as it is now."""
        return self.desk.fleet.agent(self.user, self.agent_id)

    @property
    def field(self) -> AgentText:
        """The line for an answer."""
        return self.query_one(AgentText)

    @property
    def place(self) -> str:
        """`agent alice/3`."""
        return f"agent {self.user}/{self.agent_id}"

    @property
    def target(self) -> Target | None:
        """Its slot and service."""
        agent = self.agent
        return Target(self.user, agent.service if agent else "")

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """Its slot may have gone away."""
        if changes.shape or changes.connection:
            self._show_agent()

    def show_agents(self, agents: frozenset[Cell]) -> None:
        """It may be other than it was."""
        if (self.user, self.agent_id) in agents:
            self._show_agent()

    def tick(self) -> None:
        """Ages."""
        self._show_head()

    def _show_agent(self) -> None:
        if not self.ready:
            return
        self._show_head()
        agent = self.agent
        self._show_dialog(agent)
        panel = self.query_one("#agent-reply-panel")
        panel.display = agent is not None and is_live(agent) and not self.desk.read_only
        if agent is not None:
            set_titles(panel, self._reply_title(agent))
        if not panel.display and self.field.has_focus:
            self.query_one(AgentPane).log_view.focus()
        self.refresh_hints()

    def _show_head(self) -> None:
        agent, pane, panel = self.agent, self.query_one(DetailPane), self.query_one("#agent-head")
        slot = self.desk.fleet.slots.get(self.user)
        if agent is None or slot is None:
            there = f"{self.desk.key('app.agents')} shows those that there are."
            pane.show(DetailView(sentence=f"There is no such agent any more; {there}"))
            return
        pending = self._actions.pending([agent]).get(agent.name, "")
        away = "not up to date: its slot's daemon is away" if slot.head.stale else ""
        set_titles(panel, f"{agent.name} · {pending}" if pending else agent.name, away)
        state = slot.head.credential_state if slot.head.credential == agent.credential else ""
        pane.show(agent_detail(AgentRow(agent, slot.head.stale), self.desk.now(), state))

    def _reply_title(self, agent: Agent) -> str:
        if agent.slot != self.desk.me:
            return f"a message to {agent.name}, which it reads with its next turn"
        if agent.waiting and agent.why == "permission":
            return "no, and what to do instead"
        if agent.waiting:
            return "an answer in your own words"
        return f"to {agent.name}" + (", with its next turn" if agent.state == "working" else "")

    def _show_dialog(self, agent: Agent | None) -> None:
        waiting = agent.waiting if agent else None
        if (self._dialog.id if self._dialog else "") != (waiting.id if waiting else ""):
            self._chosen = 0  # what was chosen was chosen of another question
        self._dialog = waiting
        panel = self.query_one("#agent-dialog")
        panel.display = waiting is not None
        if agent is None or waiting is None:
            return
        set_titles(panel, agent.says)
        self.query_one("#agent-question", Static).update(self._question(agent, waiting))

    def _question(self, agent: Agent, waiting: Waiting) -> Text:
        parts = [question_text(waiting.text, self._colour, tool=waiting.tool)]
        if waiting.options:
            parts.append(options_text(waiting.options, self._chosen, self._colour))
        if word := self._actions.pending([agent]).get(agent.name):
            parts.append(Text(word, style=f"bold {self._colour('warning')}"))
        elif not self.desk.may_change(agent.slot):
            parts.append(Text(f"Only {agent.slot} can answer it.", style=self._colour("quiet")))
        else:
            parts.append(keys_text(self._dialog_keys(agent, waiting), self._colour))
        return Text("\n").join(parts)

    def _dialog_keys(self, agent: Agent, waiting: Waiting) -> Sequence[tuple[str, str]]:
        key = self.desk.key
        if self._chosen:
            return ((key("agent.reply"), f"sends {self._chosen}"), (key("app.back"), "takes it back"))
        hints = [("1…9", "choose")] if waiting.options else []
        if agent.why == "permission":
            hints = [(key("agent.allow"), "allow"), (key("agent.deny"), "deny")]
        return (*hints, (key("agent.reply"), "in your own words"))

    def _colour(self, name: str) -> str:
        return rich_colour(self.app, name)

    def _follow(self, slot: str, id: str) -> AsyncIterator[AgentBatch]:
        return self.desk.logs.follow_agent(slot, id, FIRST_LINES)

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        self.run_worker(work, group="agent")

    # -- answers ----------------------------------------------------------------------------------

    def _answer(self, choice: Choice, text: str = "") -> None:
        if (agent := self.agent) and (shown := self._dialog):
            self._chosen = 0
            self._run(self._actions.answer(agent, shown, choice, text))

    def action_option(self, number: int) -> None:
        """Choose an answer; Enter sends it."""
        self._chosen = number
        self._show_agent()

    def _reply(self) -> None:
        """Send the answer that was chosen; without one, type."""
        if self._chosen:
            self._answer(self._chosen)
        else:
            self.field.focus()

    @on(AgentText.Sent)
    def _typed(self, event: AgentText.Sent) -> None:
        if event.text.strip() and not self._sending:
            self._run(self._send(event.text))

    async def _send(self, text: str) -> None:
        agent = self.agent
        if agent is None:
            return
        self._sending = True
        try:
            if agent.waiting and self._dialog and self.desk.may_change(agent.slot):
                choice: Choice = "deny" if agent.why == "permission" else 0
                taken = await self._actions.answer(agent, self._dialog, choice, text)
            else:
                taken = await self._actions.send(agent, text)
        finally:
            self._sending = False
        if taken and self.field.text == text:
            self.field.clear()

    @on(AgentText.Left)
    def _left(self) -> None:
        self.query_one(AgentPane).log_view.focus()
        if not self.field.text:
            self.run_worker(self.app.run_action("app.back"))

    def clear(self) -> bool:
        """Esc takes back what was chosen."""
        chosen, self._chosen = self._chosen, 0
        if chosen:
            self._show_agent()
        return bool(chosen)

    # -- keys -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done to it is offered."""
        agent = self.agent if self.ready else None
        if action == "option":
            options = agent.waiting.options if agent and agent.waiting else ()
            return self.desk.may_change(self.user) and 0 < int(str(parameters[0])) <= len(options)
        if action == "agent":
            return parameters[0] != "open" and self._actions.enabled(str(parameters[0]), agent)
        return super().check_action(action, parameters)

    def action_agent(self, name: str) -> None:
        """Do something to it."""
        if not self._actions.enabled(name, self.agent):
            return
        match name:
            case "allow" | "deny":
                self._answer("allow" if name == "allow" else "deny")
            case "reply":
                self._reply()
            case _:
                self._actions.do(name, self.agent)
