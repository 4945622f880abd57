"""Every agent of the box: what it does, what it waits for, on whose account; one of them in full, with its log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any

from textual import on
from textual.containers import Container
from textual.widget import Widget

from backends.model.agents import Agent
from screens.agent_actions import BULK, AgentActions
from screens.desk import Desk, Target
from screens.fleet_view import Cell, Changes
from screens.frame import HeroScreen
from screens.log_source import AgentBatch
from screens.marked import MarkedScreen
from screens.widgets.agent_cells import AgentTable
from screens.widgets.agent_detail import agent_detail
from screens.widgets.agent_model import (
    SORTS,
    AgentFilters,
    AgentRow,
    Sort,
    filtered,
    needs_person,
    ordered,
)
from screens.widgets.agent_pane import AgentPane
from screens.widgets.detail import DetailPane, DetailView
from screens.widgets.filterbar import FilterBar
from screens.widgets.linelist import LineList
from screens.widgets.list_order import next_of, order_notes
from screens.widgets.listpanel import ListPanel
from screens.widgets.no_answer import AWAY, no_box
from screens.widgets.titles import set_titles

FIRST_LINES = 200
_IN_FULL = frozenset({"reply", "allow", "deny"})
"""What is done where one has read what the agent asks."""


class AgentsScreen(MarkedScreen[AgentFilters, AgentRow]):
    """The agents of all slots; the cursor begins on the one named `first` (`alice/3`)."""

    PLACE = "agents"
    KEPT = (*MarkedScreen.KEPT, "_described", "_sort")
    CSS_PATH = "../styles/agents.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (180, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, first: str = "") -> None:
        super().__init__(desk, AgentFilters())
        self._first = first
        self._actions = AgentActions(desk, self._run, self._show_agents)
        self._shown: Sequence[AgentRow] = ()
        self._described = True
        self._sort: Sort = SORTS[0]

    def body(self) -> Iterable[Widget]:
        """The list; what the agent under the cursor does."""
        with Container(id="agents-body"):
            yield ListPanel[AgentRow](self._table(), id="agents-list")
            with Container(id="agents-side", classes="panel"):
                yield DetailPane(id="agents-detail")
                yield AgentPane(self._follow, brief=True, id="agents-log")
        yield FilterBar(id="agents-filter")

    def on_mount(self) -> None:
        """The list has the keys; the whole log is a key away."""
        self.query_one(AgentPane).log_view.can_focus = False
        self.list.focus()
        super().on_mount()

    @property
    def agent(self) -> Agent | None:
        """The one under the cursor."""
        return self.row.agent if self.row else None

    @property
    def target(self) -> Target | None:
        """The slot and service of the agent under the cursor."""
        agent = self.agent
        return Target(agent.slot, agent.service) if agent else Target(self.desk.me)

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """A slot may have gone away, the line to the box too."""
        if changes.shape or changes.connection:
            self._show_agents()

    def show_agents(self, agents: frozenset[Cell]) -> None:
        """Some agents are other than they were."""
        self._show_agents()

    def tick(self) -> None:
        """Ages."""
        self.list.show(self._shown, self._table())
        self._show_detail()

    def _table(self) -> AgentTable:
        agents = [row.agent for row in self._shown]
        now = self.desk.now().replace(microsecond=0)  # within a second, lines of agents that did not change stay
        return AgentTable(now, self.desk.me, self._actions.pending(agents), self._marks)

    def show_rows(self) -> None:
        """See `FilteredScreen`."""
        self._show_agents()
        self.refresh_hints()

    def _show_agents(self) -> None:
        if not self.ready:
            return
        slots = self.desk.fleet.slots.values()
        rows = [AgentRow(agent, slot.head.stale) for slot in slots for agent in slot.agents.values()]
        self.take(ordered(rows, self.desk.me, self._sort), known=self.desk.fleet.known)
        self._shown = filtered(self._rows, self._filters)
        sentence = "" if self._shown else self._sentence()
        self.query_one(ListPanel).show(self._shown, self._table(), self._titles(), sentence)
        self.query_one("#agents-side").display = self._described and bool(self._shown)
        if self._first and self.list.put_cursor(self._first):
            self._first = ""
        self._show_detail()

    def _titles(self) -> tuple[str, str]:
        agents = [row.agent for row in self._rows]
        counts = [
            (sum(needs_person(one) and one.state == state for one in agents), word) for state, word in _NEEDY
        ]
        counts.append((sum(one.state == "working" for one in agents), "working"))
        told = [f"{count} {word}" for count, word in counts if count]
        away = AWAY if self._rows and self.desk.fleet.connection != "online" else ""
        told += order_notes(SORTS, self._sort, len(self._marks))
        return " · ".join(("agents", *told)), away

    def _sentence(self) -> str:
        fleet, key = self.desk.fleet, self.desk.key
        if not fleet.known:
            return no_box(fleet.why)
        if self._rows:
            return f"Nothing matches.\n\n{key('app.back')} clears the filter."
        if not self.desk.me:
            return "Nobody runs an agent.\n\nThis login has no slot here to start one in."
        return (
            "Nobody runs an agent.\n\n"
            f"{key('session.new')} starts one in your slot; `hero_dev a 2` does it from a shell.\n"
            "`hero_dev claude status` says on which credential, and why."
        )

    def _show_detail(self) -> None:
        panel, pane, row = self.query_one("#agents-side"), self.query_one(DetailPane), self.list.row
        if not panel.display or row is None:
            self.query_one(AgentPane).show("", "")
            pane.show(DetailView(sentence="Nothing is selected."))
            return
        agent, head = row.agent, self.desk.fleet.slots[row.agent.slot].head
        set_titles(panel, agent.name, "not up to date: its slot's daemon is away" if row.stale else "")
        panel.set_class(agent.slot != self.desk.me, "foreign")
        same = head.credential == agent.credential
        pane.show(agent_detail(row, self.desk.now(), head.credential_state if same else ""))
        self.query_one(AgentPane).show(agent.slot, agent.id)

    def on_screen_suspend(self) -> None:
        """Under another screen nobody reads the log; a dialog is gone soon."""
        if isinstance(self.app.screen, HeroScreen):
            self.query_one(AgentPane).show("", "")

    def on_screen_resume(self) -> None:
        """The log goes on."""
        super().on_screen_resume()
        if self.ready:
            self._show_detail()

    def _follow(self, slot: str, id: str) -> AsyncIterator[AgentBatch]:
        return self.desk.logs.follow_agent(slot, id, FIRST_LINES)

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._show_detail()
        self.refresh_hints()

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        self.run_worker(work, group="agent")

    # -- filters ----------------------------------------------------------------------------------

    def action_agents_filter(self) -> None:
        """Ask for a filter."""
        self.ask_filter()

    def action_agents_attention(self) -> None:
        """Only those that wait for a person or failed, or all again."""
        self._filter(self._filters.toggled("only_attention"))

    def action_agents_mine(self) -> None:
        """Only mine, or all again."""
        self.only_mine(self.desk.me)

    # -- keys -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done to the agent under the cursor is offered."""
        if action == "agent":
            name = str(parameters[0])
            if name in _IN_FULL:
                return False
            meant: Sequence[Agent | None] = self._meant(name) or [None]
            return any(self._actions.enabled(name, agent) for agent in meant)
        return super().check_action(action, parameters)

    def _meant(self, name: str) -> Sequence[Agent]:
        """Those that are marked, where `name` can be done to several; else the one under the cursor."""
        rows = self.meant if name in BULK else (self.row,)
        return [row.agent for row in rows if row]

    def action_agent(self, name: str) -> None:
        """Do something to the agent under the cursor, or to all that are marked."""
        if self._marks and name in BULK:
            self._actions.do_all(name, self._meant(name), self.unmark)
        else:
            self._actions.do(name, self.agent)

    def action_agents_sort(self) -> None:
        """By the next thing."""
        self._sort = next_of(SORTS, self._sort)
        self.show_rows()

    def action_agents_mark(self) -> None:
        """Mark or unmark an agent: stop, interrupt, compact, resume and copy are of all marked."""
        self.mark()

    @on(LineList.Selected)
    def _opened(self) -> None:
        self.action_agent("open")

    def action_agents_describe(self) -> None:
        """Show or hide what the agent under the cursor does."""
        self._described = not self._described
        self.show_rows()


_NEEDY = (("waiting", "waiting"), ("error", "failed"))
