"""What stands in the columns of an inbox, and how wide they are; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.cells import cell_len

from backends.model.inbox import InboxItem
from screens.widgets.build_cells import Column
from screens.widgets.celltext import clean, coarse_age, fit, fit_middle, fit_right
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.inbox_model import answer_text, is_open, is_unread, left_text, who_of
from screens.widgets.one_line import Part

_ROOM_FOR_ANSWER = 104
_WAITING = {"permission": "health--unhealthy", "medium": "health--unhealthy", "high": "health--crashed"}


@dataclass(frozen=True, slots=True)
class InboxTable:
    """Questions and messages at `now`: what came, or with `sent` what went out; `problems` by id.

    `marks` are the ids of those that are marked.
    """

    now: datetime
    sent: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    glyphs: Glyphs = UNICODE

    def key(self, row: InboxItem) -> str:
        """Its id."""
        return row.id

    def marked(self, row: InboxItem) -> bool:
        """See `Table`."""
        return row.id in self.marks

    def columns(self, rows: Sequence[InboxItem], room: int) -> list[Column]:
        """As wide as they need to be; the text takes the rest, and shares it with the answer."""
        who = "to" if self.sent else "from"
        columns = [
            Column("state", "state", 12),
            Column(
                "who", who, _widest((self._who(one) for one in rows), 6, 18 if room >= _ROOM_FOR_ANSWER else 11)
            ),
            Column("text", "says", 0),
            Column("age", "age", 3),
            Column("left", "left", 4),
        ]
        rest = max(8, room - sum(column.width + 1 for column in columns))
        answer = rest // 3 if room >= _ROOM_FOR_ANSWER else 0
        text = rest - (answer + 1 if answer else 0)
        columns = [Column("text", "says", text) if one.name == "text" else one for one in columns]
        return [*columns, Column("answer", "answer", answer)] if answer else columns

    def _who(self, row: InboxItem) -> str:
        return who_of(row, sent=self.sent)

    def parts(self, row: InboxItem, column: Column) -> Sequence[Part]:
        """One cell; what is over is told in quiet colours."""
        width, new = column.width, is_open(row) or is_unread(row)
        match column.name:
            case "state":
                word, style = self._state(row)
                return ((fit(word, width), style),)
            case "who":
                return ((fit_middle(self._who(row), width), "list--name" if new else "list--quiet"),)
            case "age":
                return ((fit_right(coarse_age((self.now - row.asked_at).total_seconds()), width), "list--quiet"),)
            case "left":
                text = left_text(row, self.now)
                return ((fit_right(text, width), "health--crashed" if text.endswith("s") else "health--starting"),)
            case "answer":
                said = self._problem(row) or row.outcome or answer_text(row)
                return ((fit(said, width), self._answer_style(row)),)
        if width and column.name == "text" and (problem := self.problems.get(row.id)):
            return ((fit(problem, width), "health--crashed"),)
        said = row.text.partition("\n")[0] if row.kind == "approval" else row.text
        return ((fit(said, width), "list--name" if new else "list--quiet"),)

    def _problem(self, row: InboxItem) -> str:
        return self.problems.get(row.id, "") or clean(row.problem)

    def _answer_style(self, row: InboxItem) -> str:
        return "health--crashed" if self._problem(row) else "list--text"

    def _state(self, row: InboxItem) -> Part:
        glyphs = self.glyphs
        if row.kind == "message":
            read = row.state == "delivered" or row.read_at is not None
            word = "read" if read else "message"
            return f"{glyphs.item['message']} {word}", "list--quiet" if read else "health--healthy"
        match row.state:
            case "open":
                style = _WAITING.get(row.approval.radius if row.approval else row.kind, "health--starting")
                return f"{glyphs.item[row.kind]} {row.kind}", style
            case "submitted":
                return f"{glyphs.busy} submitted", "list--mine"
            case "answered":
                return f"{glyphs.build['succeeded']} answered", "list--quiet"
        return f"{glyphs.build['cancelled']} {row.state}", "list--off"


def _widest(texts: Iterable[str], least: int, most: int) -> int:
    return min(most, max([least, *(cell_len(clean(text)) for text in texts)]))
