"""Questions, permissions and messages for me: the most urgent first, answered where they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from backends.model.inbox import InboxItem
from backends.model.state import Event
from screens.desk import Desk, Target
from screens.fleet_view import Changes
from screens.inbox_actions import InboxActions
from screens.inbox_answers import InboxAnswers
from screens.inbox_sent import SentBox
from screens.inbox_words import (
    Source,
    copied,
    doubt,
    empty_sentence,
    hints,
    take_back_question,
    title,
    with_order,
)
from screens.marked import MarkedScreen
from screens.widgets.agent_text import AgentText
from screens.widgets.filterbar import FilterBar
from screens.widgets.inbox_cells import InboxTable
from screens.widgets.inbox_detail import Hints, inbox_detail
from screens.widgets.inbox_model import (
    SORTS,
    InboxFilters,
    Sort,
    agent_of,
    decides,
    filtered,
    left_text,
    ordered,
)
from screens.widgets.inbox_reply import InboxReply
from screens.widgets.linelist import LineList
from screens.widgets.list_order import next_of
from screens.widgets.listpanel import ListPanel
from screens.widgets.no_answer import no_box
from screens.widgets.rich_colours import rich_colour
from screens.widgets.titles import set_titles

OPTIONS = 10


class InboxScreen(MarkedScreen[InboxFilters, InboxItem]):
    """The inbox; the cursor begins on the item with the id `first`."""

    PLACE = "inbox"
    KEPT = (*MarkedScreen.KEPT, "_sent_shown", "_sort")
    CSS_PATH = "../styles/inbox.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(number % 10), f"option({number})", id=f"option.{number}", show=False)
        for number in range(1, OPTIONS + 1)
    ]

    def __init__(self, desk: Desk, first: str = "") -> None:
        super().__init__(desk, InboxFilters())
        self._first = first
        self._actions = InboxActions(desk, self.show_rows)
        self._answers = InboxAnswers(self, self._actions)
        self._sort: Sort = SORTS[0]
        self._shown: Sequence[InboxItem] = ()
        self._sent = SentBox(desk, self.show_rows)
        self._painted: object = None
        self._unwatch: Callable[[], None] | None = None

    def body(self) -> Iterable[Widget]:
        """The list, one item in full, the line for an answer."""
        with Container(id="inbox-body"):
            yield ListPanel[InboxItem](self._table(), id="inbox-list")
            with Container(id="inbox-side", classes="panel"), VerticalScroll(id="inbox-scroll", can_focus=False):
                yield Static("", markup=False, id="inbox-detail")
        yield InboxReply(id="inbox-reply")
        yield FilterBar(id="inbox-filter")

    def on_mount(self) -> None:
        """The list has the keys."""
        self._unwatch = self.desk.watch_events(self._hear)
        self.list.focus()
        super().on_mount()

    def on_unmount(self) -> None:
        """Listen no more."""
        if self._unwatch:
            self._unwatch()

    @property
    def place(self) -> str:
        """`inbox`, or `inbox: sent`."""
        return "inbox: sent" if self._sent.on else "inbox"

    @property
    def _sent_shown(self) -> bool:
        return self._sent.on

    @_sent_shown.setter
    def _sent_shown(self, on: bool) -> None:
        self._sent.on = on

    @property
    def target(self) -> Target | None:
        """The slot that asks."""
        return Target((agent_of(self.row)[0] if self.row else "") or self.desk.me)

    # -- what the box tells -----------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if event.kind == "question.changed" and self._sent.on:
            self.again()

    def again(self) -> None:
        """Ask the box anew."""
        self.desk.refresh_inbox()
        if self._sent.on:
            self.run_worker(self._sent.ask(), name="sent", group="sent", exclusive=True)

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """The line to the box may have come or gone."""
        self.show_rows()

    def refresh_frame(self, *, hints: bool = True) -> None:
        """The inbox is told with the frame: whether it is another one is all that is looked at."""
        super().refresh_frame(hints=hints)
        if self.ready and self._painted is not self.desk.inbox:
            self.show_rows()

    def tick(self) -> None:
        """Ages, and how much time is left: only lines that differ are painted."""
        self.list.show(self._shown, self._table())
        self._show_side_titles()

    def _table(self) -> InboxTable:
        # A list paints anew what another table shows: this one must not change under its hands.
        return InboxTable(self.desk.now(), self._sent.on, dict(self._actions.problems), self._marks)

    def show_rows(self) -> None:
        """See `FilteredScreen`."""
        if not self.ready or not self.app.is_running:
            return
        self._painted = self.desk.inbox
        self._take_items()
        self._shown = filtered(self._rows, self._filters)
        before = self.list.row
        sentence = "" if self._shown else self._sentence()
        self.query_one(ListPanel).show(self._shown, self._table(), self._titles(), sentence)
        after = self.list.row
        if before and after and before.id != after.id:
            self._answers.came(after)
        if self._first and self.list.put_cursor(self._first):
            self._first = ""
        self.query_one("#inbox-side").display = bool(self._shown)
        self._show_detail()
        self.refresh_hints()

    def _take_items(self) -> None:
        source, sent = self._source, self._sent.on
        newest = [self._actions.newest(item) for item in source.items]
        self.take(ordered(newest, self.desk.now(), self._sort, sent=sent), known=source.known)

    @property
    def _source(self) -> Source:
        return self._sent if self._sent.on else self.desk.inbox

    def _titles(self) -> tuple[str, str]:
        words = "sent" if self._sent.on else title(self._rows)
        online = self.desk.fleet.connection == "online"
        return with_order(words, self._sort, len(self._marks)), doubt(self._source, online=online)

    def _sentence(self) -> str:
        desk, fleet = self.desk, self.desk.fleet
        away = "" if fleet.connection == "online" else no_box(fleet.why)
        return empty_sentence(self._source, self._filters, desk.me, away, desk.key, sent=self._sent.on)

    def _show_side_titles(self) -> None:
        if item := self.row:
            left = left_text(item, self.desk.now())
            set_titles(self.query_one("#inbox-side"), item.sender, f"{left} left" if left else "")

    def _show_detail(self) -> None:
        item = self.row
        if item is None:
            return
        self._show_side_titles()
        problem = self._actions.problems.get(item.id, "")
        look, now, chosen = self._colour, self.desk.now(), self._answers.chosen
        text = inbox_detail(item, now, look, chosen=chosen, problem=problem, hints=self._hints(item))
        self.query_one("#inbox-detail", Static).update(text)

    def _hints(self, item: InboxItem) -> Hints:
        answerable = self._actions.enabled("answer", item, sent=self._sent.on)
        return hints(item, self._answers.chosen, self.desk.key) if answerable else ()

    def _colour(self, name: str) -> str:
        return rich_colour(self.app, name)

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        if self.row:
            self._answers.moved(self.row)
        self.query_one("#inbox-scroll").scroll_home(animate=False)
        self._show_detail()
        self.refresh_hints()

    # -- answers ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done to the item under the cursor is offered."""
        item, sent = self.row, self._sent.on
        if action == "option":
            choosable = item is not None and not decides(item) and int(str(parameters[0])) <= len(item.options)
            return choosable and self._actions.enabled("option", item, sent=sent)
        name = {"peek_agent": "peek", "inbox_copy": "copy"}.get(action, action)
        if name in ("read", "take_back", "copy"):
            return bool(self._targets(name))
        if name in ("answer", "decide", "peek"):
            return self._actions.enabled(name, item, sent=sent)
        return super().check_action(action, parameters)

    def action_option(self, number: int) -> None:
        """Choose an answer; Enter sends it."""
        if self.row:
            self._answers.choose(self.row, number)
            self._show_detail()

    def action_decide(self, allowed: bool) -> None:
        """Allow or deny."""
        if self.row:
            self._answers.decide(self.row, allowed)

    @on(LineList.Selected)
    def action_answer(self) -> None:
        """Send the answer that was chosen; without one, write it."""
        if self.row and self._actions.enabled("answer", self.row, sent=self._sent.on):
            self._answers.enter(self.row)

    @on(AgentText.Left)
    def _stop_writing(self) -> None:
        self._answers.leave()

    @on(AgentText.Sent)
    def _written(self, event: AgentText.Sent) -> None:
        self._answers.send(event.text)

    # -- other keys -------------------------------------------------------------------------------

    def _targets(self, action: str) -> Sequence[InboxItem]:
        """Of all that are marked, else of the one under the cursor, those to which `action` can be done."""
        return [one for one in self.meant if self._actions.enabled(action, one, sent=self._sent.on)]

    def _do(self, act: Callable[[InboxItem], Awaitable[None]], items: Sequence[InboxItem]) -> None:
        self.run_worker(self._actions.each(act, items), group="inbox")
        self.unmark()

    def action_read(self) -> None:
        """Mark as read what is marked, or the one under the cursor."""
        self._do(self._actions.read, self._targets("read"))

    def action_take_back(self) -> None:
        """Take back the questions of mine that are marked, or the one under the cursor."""
        items = self._targets("take_back")
        question = take_back_question(items)
        self.desk.confirm("inbox.take_back", question, lambda: self._do(self._actions.take_back, items))

    def action_inbox_mark(self) -> None:
        """Mark or unmark it: read, copy and take back are of all that are marked."""
        self.mark()

    def action_inbox_sort(self) -> None:
        """By the next thing."""
        self._sort = next_of(SORTS, self._sort)
        self.show_rows()

    def action_peek_agent(self) -> None:
        """The agent that asks, or was told."""
        if item := self.row:
            slot, _, id = (item.to if self._sent.on else item.sender).partition("/")
            self.desk.ways.show_agent(slot, id)

    def action_inbox_copy(self) -> None:
        """Its text, or the texts of all that are marked."""
        items = self._targets("copy")
        what = "its text" if len(items) == 1 else f"{len(items)} texts"
        self.desk.copy(copied(items, sent=self._sent.on), what)

    def action_sent(self) -> None:
        """What went out, or again what came."""
        self._sent.on = not self._sent.on
        self._answers.chosen, self._marks = 0, frozenset()
        self.again()
        self.show_rows()
        self.refresh_frame()

    # -- filters ----------------------------------------------------------------------------------

    def action_inbox_filter(self) -> None:
        """Ask for a filter."""
        self.ask_filter()

    def action_only_open(self) -> None:
        """Only what is open or unread, or all again."""
        self._filter(self._filters.toggled("only_open"))

    def clear(self) -> bool:
        """Esc takes back the choice first, and the sent ones last."""
        if self._answers.chosen:
            self._answers.chosen = 0
            self._show_detail()
        elif super().clear():
            return True
        elif self._sent.on:
            self.action_sent()
        else:
            return False
        return True
