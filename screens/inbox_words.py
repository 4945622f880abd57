"""What the inbox screen says around its list: titles, why there is nothing, which keys do something now; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backends.model.inbox import InboxItem
from screens.desk import InboxView
from screens.inbox_sent import SentBox
from screens.question import Question
from screens.widgets.celltext import first_of, fit
from screens.widgets.inbox_detail import Hints
from screens.widgets.inbox_model import SORTS, InboxFilters, Sort, decides, is_open, is_unread, who_of
from screens.widgets.list_order import order_notes
from screens.widgets.no_answer import AWAY, refusal

KeyOf = Callable[[str], str]
"""From an action's id to its key as people read it."""
Source = InboxView | SentBox
"""What came, or what went out: whether it was told, and why not."""

_LINE = 56
"""Cells for each question that is named before it is taken back: a line of the dialog in 80 columns."""


def title(items: Sequence[InboxItem]) -> str:
    """How many are open and unread."""
    counts = ((sum(map(is_open, items)), "open"), (sum(map(is_unread, items)), "unread"))
    return " · ".join(("inbox", *(f"{count} {word}" for count, word in counts if count)))


def doubt(source: Source, *, online: bool) -> str:
    """Why what is listed cannot be believed, if it cannot; while nothing is, the list itself says it."""
    if not source.known:
        return ""
    if not online:
        return AWAY
    return f"not up to date: {source.problem}" if source.problem else ""


def with_order(title: str, sort: Sort, marked: int) -> str:
    """The title with the order, where it is not the usual one, and how many are marked."""
    return " · ".join((title, *order_notes(SORTS, sort, marked)))


def take_back_question(items: Sequence[InboxItem]) -> Question:
    """What is asked before these are taken back; it names them."""
    if len(items) == 1:
        return Question("Take it back?", items[0].to, (items[0].text,), "Take back")
    lines = first_of([fit(f"{one.to}: {one.text}", _LINE).rstrip() for one in items])
    return Question(f"Take {len(items)} questions back?", f"{len(items)} questions", tuple(lines), "Take back")


def copied(items: Sequence[InboxItem], *, sent: bool) -> str:
    """The text of one; of several each with whose it is."""
    if len(items) == 1:
        return items[0].text
    return "\n\n".join(f"{who_of(one, sent=sent)}: {one.text}" for one in items)


def empty_sentence(source: Source, filters: InboxFilters, me: str, away: str, key: KeyOf, *, sent: bool) -> str:
    """Why nothing is shown, and what could be done; `away` is what to say while the box is not there."""
    if not me:
        return "This login has no slot here, so nothing is sent to it."
    if away and not source.known:
        return away
    if source.problem and not source.known:
        return refusal(source.problem, "", key("app.refresh"))
    if not source.known:
        return "Asking the box…"
    if filters.text or filters.only_open:
        return f"Nothing matches.\n\n{key('app.back')} clears the filter."
    if sent:
        return "You have asked and said nothing.\n\n`:tell mik …` says something."
    return (
        "Nothing waits for you.\n\nWhat your agents ask, and what people tell you, comes here;\n"
        "`hero_dev ask` and `hero_dev tell` send from a shell."
    )


def hints(item: InboxItem, chosen: int, key: KeyOf) -> Hints:
    """What keys do to an item that can be answered; `chosen` is the answer about to be sent."""
    if chosen:
        return ((key("inbox.answer"), f"sends {chosen}"), (key("app.back"), "takes it back"))
    if item.kind == "message":
        read = [(key("inbox.read"), "read")] if is_unread(item) else []
        return (*read, (key("inbox.answer"), "reply"))
    words = [(key("inbox.answer"), "in your own words")] if item.free_text else []
    if item.kind == "approval":
        return ((key("inbox.answer"), "decide"), (key("inbox.deny"), "deny"))
    if decides(item):
        return ((key("inbox.allow"), "allow"), (key("inbox.deny"), "deny"), *words)
    return (*([("1…9", "choose")] if item.options else []), *words)
