"""What the inbox screen says around its list: titles, why there is nothing, which keys do something now; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backends.model.inbox import InboxItem
from screens.desk import InboxView
from screens.widgets.inbox_detail import Hints
from screens.widgets.inbox_model import InboxFilters, decides, is_open, is_unread

KeyOf = Callable[[str], str]
"""From an action's id to its key as people read it."""


def titles(items: Sequence[InboxItem], inbox: InboxView, *, online: bool) -> tuple[str, str]:
    """How many are open and unread; below, whether it can be believed."""
    counts = ((sum(map(is_open, items)), "open"), (sum(map(is_unread, items)), "unread"))
    told = [f"{count} {word}" for count, word in counts if count]
    away = "" if online else "not up to date: the box is not connected"
    return " · ".join(("inbox", *told)), away or inbox.problem


def empty_sentence(inbox: InboxView, filters: InboxFilters, me: str, sent: bool, problem: str, key: KeyOf) -> str:
    """Why nothing is shown, and what could be done; `problem` is of what was sent."""
    if filters.text or filters.only_open:
        return f"Nothing matches.\n\n{key('app.back')} clears the filter."
    if not me:
        return "This login has no slot here, so nothing is sent to it."
    if sent:
        return problem or "You have asked and said nothing.\n\n`:tell mik …` says something."
    if inbox.problem and not inbox.known:
        return f"{inbox.problem}\n\n{key('app.refresh')} asks again."
    if not inbox.known:
        return "Asking the box…"
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
