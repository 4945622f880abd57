"""Questions, permissions and messages for me: the most urgent first, answered where they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from backends.model.inbox import InboxItem
from backends.model.state import Event
from screens.approval import ApprovalDialog, Decision
from screens.desk import Changes, Desk, Target
from screens.filtered import FilteredScreen
from screens.inbox_actions import InboxActions
from screens.inbox_sent import SentBox
from screens.inbox_words import copied, empty_sentence, hints, take_back_question, titles, with_order
from screens.widgets.agent_text import AgentText
from screens.widgets.filterbar import FilterBar
from screens.widgets.inbox_cells import InboxTable
from screens.widgets.inbox_detail import Hints, inbox_detail
from screens.widgets.inbox_model import (
    SORTS,
    InboxFilters,
    Sort,
    agent_of,
    choice_of,
    decides,
    filtered,
    left_text,
    ordered,
)
from screens.widgets.inbox_reply import InboxReply
from screens.widgets.linelist import LineList
from screens.widgets.list_order import next_of
from screens.widgets.listpanel import ListPanel
from screens.widgets.titles import set_titles

OPTIONS = 10


class InboxScreen(FilteredScreen[InboxFilters]):
    """The inbox; the cursor begins on the item with the id `first`."""

    PLACE = "inbox"
    KEPT = ("_filters", "_chosen", "_sent_shown", "_sort", "_marks")
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
        self._actions = InboxActions(desk, self._show_items)
        self._sort: Sort = SORTS[0]
        self._marks: frozenset[str] = frozenset()
        self._items: Sequence[InboxItem] = ()
        self._shown: Sequence[InboxItem] = ()
        self._sent = SentBox(desk, self._show_items)
        self._painted: object = None
        self._chosen = 0
        self._jumped = ""
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
    def list(self) -> LineList[InboxItem]:
        """The table of items."""
        return self.query_one(ListPanel).list

    @property
    def item(self) -> InboxItem | None:
        """The one under the cursor."""
        return self.list.row if self.ready else None

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
        return Target((agent_of(self.item)[0] if self.item else "") or self.desk.me)

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
        self._show_items()

    def refresh_frame(self, *, hints: bool = True) -> None:
        """The inbox is told with the frame: whether it is another one is all that is looked at."""
        super().refresh_frame(hints=hints)
        if self.ready and self._painted is not self.desk.inbox:
            self._show_items()

    def tick(self) -> None:
        """Ages, and how much time is left: only lines that differ are painted."""
        self.list.show(self._shown, self._table())
        self._show_side_titles()

    def _table(self) -> InboxTable:
        # A list paints anew what another table shows: this one must not change under its hands.
        return InboxTable(self.desk.now(), self._sent.on, dict(self._actions.problems), self._marks)

    def _show_items(self) -> None:
        if not self.ready or not self.app.is_running:
            return
        self._painted = self.desk.inbox
        self._take_items()
        shown = filtered(self._items, self._filters)
        if shown != self._shown:
            self._shown = shown
        before = self.list.row
        sentence = "" if self._shown else self._sentence()
        self.query_one(ListPanel).show(self._shown, self._table(), self._titles(), sentence)
        after = self.list.row
        if before and after and before.id != after.id:
            self._jumped = after.id  # the person has not gone there, and may mean the one before
        if self._first and self.list.put_cursor(self._first):
            self._first = ""
        self.query_one("#inbox-side").display = bool(self._shown)
        self._show_detail()
        self.refresh_hints()

    def _take_items(self) -> None:
        """What is listed, in its order; marks go with items that have left."""
        sent, inbox = self._sent, self.desk.inbox
        newest = [self._actions.newest(item) for item in (sent.items if sent.on else inbox.items)]
        self._items = ordered(newest, self.desk.now(), self._sort, sent=sent.on)
        if sent.known if sent.on else inbox.known:
            self._marks &= {item.id for item in newest}

    def _titles(self) -> tuple[str, str]:
        if self._sent.on:
            title, below = "sent", self._sent.problem
        else:
            online = self.desk.fleet.connection == "online"
            title, below = titles(self._items, self.desk.inbox, online=online)
        return with_order(title, self._sort, len(self._marks)), below

    def _sentence(self) -> str:
        desk, sent = self.desk, self._sent
        return empty_sentence(desk.inbox, self._filters, desk.me, sent.on, sent.problem, desk.key)

    def _show_side_titles(self) -> None:
        if item := self.item:
            left = left_text(item, self.desk.now())
            set_titles(self.query_one("#inbox-side"), item.sender, f"{left} left" if left else "")

    def _show_detail(self) -> None:
        item = self.item
        if item is None:
            return
        self._show_side_titles()
        problem = self._actions.problems.get(item.id, "")
        look, now = self._colour, self.desk.now()
        text = inbox_detail(item, now, look, chosen=self._chosen, problem=problem, hints=self._hints(item))
        self.query_one("#inbox-detail", Static).update(text)

    def _hints(self, item: InboxItem) -> Hints:
        answerable = self._actions.enabled("answer", item, sent=self._sent.on)
        return hints(item, self._chosen, self.desk.key) if answerable else ()

    def _colour(self, name: str) -> str:
        return self.app.theme_variables.get(name, "")

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._chosen = 0  # it was chosen for another question
        self.query_one("#inbox-scroll").scroll_home(animate=False)
        self._show_detail()
        self.refresh_hints()

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        self.run_worker(work, group="inbox")

    # -- answers ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done to the item under the cursor is offered."""
        item, sent = self.item, self._sent.on
        if action == "option":
            choosable = item is not None and not decides(item) and int(str(parameters[0])) <= len(item.options)
            return choosable and self._actions.enabled("option", item, sent=sent)
        name = {"peek_agent": "peek", "inbox_copy": "copy"}.get(action, action)
        if name in ("read", "take_back", "copy"):
            return bool(self._targets(name))
        if name in ("answer", "decide", "peek"):
            return self._actions.enabled(name, item, sent=sent)
        return super().check_action(action, parameters)

    def _steady(self, item: InboxItem) -> bool:
        """False once for an item that has come under the cursor by itself."""
        jumped, self._jumped = self._jumped, ""
        if jumped == item.id:
            self.desk.tell("Another one has come under the cursor: press it again if you mean this one.")
        return jumped != item.id

    def action_option(self, number: int) -> None:
        """Choose an answer; Enter sends it."""
        if (item := self.item) and self._steady(item):
            self._chosen = number
            self._show_detail()

    def action_decide(self, allowed: bool) -> None:
        """Allow or deny."""
        if (item := self.item) and self._steady(item):
            if allowed and item.kind == "approval":
                self._ask_approval(item)
            else:
                self._run(self._actions.decide(item, allowed))

    def _ask_approval(self, item: InboxItem) -> None:
        """Show all of it before anything is allowed."""

        def decided(decision: Decision | None) -> None:
            if decision == "words":
                self.query_one(InboxReply).open(item)
            elif decision is not None:
                self._run(self._actions.decide(item, decision == "allow"))

        self.app.push_screen(ApprovalDialog(item, left_text(item, self.desk.now())), decided)

    @on(LineList.Selected)
    def action_answer(self) -> None:
        """Send the answer that was chosen; without one, write it."""
        item, chosen = self.item, self._chosen
        if item is None or not self._actions.enabled("answer", item, sent=self._sent.on):
            return
        if item.kind == "approval":
            self._ask_approval(item)
        elif chosen:
            self._chosen = 0
            self._run(self._actions.answer(item, choice=chosen))
        elif item.free_text or item.kind == "message":
            self.query_one(InboxReply).open(item)
        else:
            self.desk.tell("This question takes one of its answers: press its number.")

    @on(AgentText.Left)
    def _stop_writing(self) -> None:
        self.query_one(InboxReply).close()
        self.list.focus()

    @on(AgentText.Sent)
    def _written(self, event: AgentText.Sent) -> None:
        item = self.query_one(InboxReply).item
        if event.text.strip() and item:
            self._run(self._send(item, event.text.strip()))

    async def _send(self, item: InboxItem, text: str) -> None:
        reply = self.query_one(InboxReply)
        if item.kind == "message":
            taken = await self._actions.reply(item, text)
        else:
            taken = await self._actions.answer(item, choice=choice_of(False) if decides(item) else 0, text=text)
        if taken:
            reply.done()
            self.list.focus()
        elif problem := self._actions.problems.get(item.id):
            reply.refuse(problem)

    # -- other keys -------------------------------------------------------------------------------

    def _targets(self, action: str) -> Sequence[InboxItem]:
        """Of all that are marked, else of the one under the cursor, those to which `action` can be done."""
        item, sent = self.item, self._sent.on
        some = [one for one in self._items if one.id in self._marks] if self._marks else [item] if item else []
        return [one for one in some if self._actions.enabled(action, one, sent=sent)]

    def _do(self, act: Callable[[InboxItem], Awaitable[None]], items: Sequence[InboxItem]) -> None:
        self._run(self._actions.each(act, items))
        self._set_marks(frozenset())

    def action_read(self) -> None:
        """Mark as read what is marked, or the one under the cursor."""
        self._do(self._actions.read, self._targets("read"))

    def action_take_back(self) -> None:
        """Take back the questions of mine that are marked, or the one under the cursor."""
        items = self._targets("take_back")
        question = take_back_question(items)
        self.desk.confirm("inbox.take_back", question, lambda: self._do(self._actions.take_back, items))

    def action_inbox_mark(self) -> None:
        """Mark or unmark it, and go on: read, copy and take back are of all that are marked."""
        if item := self.item:
            self._set_marks(self._marks ^ {item.id})
            self.list.action_move(1)

    def _set_marks(self, marks: frozenset[str]) -> None:
        self._marks = marks
        self._show_items()

    def action_inbox_sort(self) -> None:
        """By the next thing."""
        self._sort = next_of(SORTS, self._sort)
        self._show_items()

    def action_peek_agent(self) -> None:
        """The agent that asks, or was told."""
        if item := self.item:
            slot, _, id = (item.to if self._sent.on else item.sender).partition("/")
            self.desk.show_agent(slot, id)

    def action_inbox_copy(self) -> None:
        """Its text, or the texts of all that are marked."""
        items = self._targets("copy")
        what = "its text" if len(items) == 1 else f"{len(items)} texts"
        self.desk.copy(copied(items, sent=self._sent.on), what)

    def action_sent(self) -> None:
        """What went out, or again what came."""
        self._sent.on = not self._sent.on
        self._chosen, self._marks = 0, frozenset()
        self.again()
        self._show_items()
        self.refresh_frame()

    # -- filters ----------------------------------------------------------------------------------

    def action_inbox_filter(self) -> None:
        """Ask for a filter."""
        self.ask_filter()

    def action_only_open(self) -> None:
        """Only what is open or unread, or all again."""
        self._filter(self._filters.toggled("only_open"))

    def show_filtered(self) -> None:
        self._show_items()

    def clear(self) -> bool:
        """Esc takes back the choice, the filters, the marks, the sent ones, one after the other."""
        if self._chosen:
            self._chosen = 0
            self._show_detail()
        elif super().clear():
            return True
        elif self._marks:
            self._set_marks(frozenset())
        elif self._sent.on:
            self.action_sent()
        else:
            return False
        return True
