"""Which questions and messages a list shows and in which order, and what may be done about one; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from screens.widgets.celltext import clean, coarse_age
from screens.widgets.list_filters import ListFilters, matcher

if TYPE_CHECKING:
    from backends.model.inbox import InboxItem

_URGENT_SECONDS = 600.0
_SHOWN_SECONDS = 120.0
_PERMISSION = ("allow", "deny")

Sort = Literal["urgent", "newest", "oldest", "who"]
SORTS: tuple[Sort, ...] = ("urgent", "newest", "oldest", "who")
"""By what items can be sorted, the usual order first."""


@dataclass(frozen=True)
class InboxFilters(ListFilters):
    """What is left: what is open or unread."""

    SAYS = {"only_open": "open or unread"}  # noqa: RUF012

    only_open: bool = False


def is_open(item: InboxItem) -> bool:
    """A question, a dialog or an action that waits for an answer."""
    return item.kind != "message" and item.state == "open"


def is_unread(item: InboxItem) -> bool:
    """A message that has not been read."""
    return item.kind == "message" and item.state == "open" and item.read_at is None


def decides(item: InboxItem) -> bool:
    """Whether it is answered by allowing or denying."""
    return item.kind in ("permission", "approval") and tuple(one.casefold() for one in item.options) == _PERMISSION


def choice_of(allowed: bool) -> int:
    """The option by which a permission is given, or refused."""
    return 1 if allowed else 2


def agent_of(item: InboxItem) -> tuple[str, str]:
    """Slot and id of the agent that sent it; empty for a person."""
    slot, _, id = item.sender.partition("/")
    return (slot, id) if id else ("", "")


def left(item: InboxItem, now: datetime) -> float | None:
    """Seconds until its time is over; None where it has none, or is over."""
    if item.expires_at is None or not is_open(item):
        return None
    return max(0.0, (item.expires_at - now).total_seconds())


def left_text(item: InboxItem, now: datetime) -> str:
    """`4m`, and in the last two minutes seconds; nothing where there is no hurry."""
    seconds = left(item, now)
    if seconds is None:
        return ""
    return f"{int(seconds)}s" if seconds < _SHOWN_SECONDS else coarse_age(seconds)


def who_of(item: InboxItem, *, sent: bool) -> str:
    """Whom it came from, or of what was sent, whom it went to."""
    return item.to if sent else item.sender


def ordered(
    items: Iterable[InboxItem], now: datetime, sort: Sort = "urgent", *, sent: bool = False
) -> list[InboxItem]:
    """By `sort`; of the same person the most urgent first."""
    urgent = _urgent(items, now)
    match sort:
        case "newest":
            return sorted(urgent, key=lambda item: item.asked_at, reverse=True)
        case "oldest":
            return sorted(urgent, key=lambda item: item.asked_at)
        case "who":
            return sorted(urgent, key=lambda item: who_of(item, sent=sent).casefold())
    return urgent


def _urgent(items: Iterable[InboxItem], now: datetime) -> list[InboxItem]:
    """What waits for an answer, the shortest time first, then the newest; messages that are new; the rest."""

    def place(item: InboxItem) -> tuple[int, float, float]:
        rank = 0 if is_open(item) else 1 if item.state == "submitted" else 2 if is_unread(item) else 3
        seconds = left(item, now)
        hurry = seconds if seconds is not None and seconds < _URGENT_SECONDS else _URGENT_SECONDS
        return rank, hurry, -(item.answered_at or item.asked_at if rank == 3 else item.asked_at).timestamp()

    return sorted(items, key=place)


def filtered(items: Iterable[InboxItem], filters: InboxFilters) -> list[InboxItem]:
    """What the filters leave."""
    matches = matcher(filters.text)

    def kept(item: InboxItem) -> bool:
        if filters.only_open and not (is_open(item) or is_unread(item) or item.state == "submitted"):
            return False
        return matches("\n".join((item.sender, item.to, item.kind, item.state, item.text, item.answer)))

    return [item for item in items if kept(item)]


def answer_text(item: InboxItem) -> str:
    """How it was answered, in a line: `Deny: not before Monday`."""
    if not 0 < item.choice <= len(item.options):
        return clean(item.answer)
    label = item.options[item.choice - 1]
    return clean(label if item.answer in ("", label) else f"{label}: {item.answer}")
