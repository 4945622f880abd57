"""What stands in the columns of a list of releases, and how wide they are; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.cells import cell_len

from backends.model.forge import ReleaseInfo
from screens.widgets.build_cells import Column
from screens.widgets.celltext import byte_count, clean, coarse_age, fit, fit_middle, fit_right
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part
from screens.widgets.release_model import Runners, short_platforms, why_not

INTEGRATION = "integration"
_MEASURED = 200
"""Rows that columns are measured by: older ones do not move what is on the screen."""
_ROOM_FOR_COMMIT = 104
_ROOM_FOR_WORDS = 150
_SUBJECT_LEAST = 14
_WORDS = 24
"""Cells of `● integration ◆ me +99`, at most."""


@dataclass(frozen=True, slots=True)
class ReleaseTable:
    """Releases as rows at `now`: who runs them, whose slot is mine, which one is marked for a comparison."""

    now: datetime
    runners: Runners = field(default_factory=Runners)
    me: str = ""
    mark: str = ""
    glyphs: Glyphs = UNICODE
    machine: str | None = None

    @property
    def mine(self) -> str:
        """The sign of what runs in my slot."""
        return self.glyphs.drift["pinned"]

    def key(self, row: ReleaseInfo) -> str:
        """Its tag."""
        return row.tag

    def marked(self, row: ReleaseInfo) -> bool:
        """Whether it is the one to compare with."""
        return row.tag == self.mark

    def columns(self, rows: Sequence[ReleaseInfo], room: int) -> list[Column]:
        """As wide as they need to be; the subject takes the rest where there is enough, else the tag."""
        shown = rows[:_MEASURED]
        wide, exact = room >= _ROOM_FOR_WORDS, room >= _ROOM_FOR_COMMIT
        tag = _widest((one.tag for one in shown), 12, 48 if wide else 34)
        columns = [
            Column("runs", "runs in" if wide else "run", _WORDS if wide else 3),
            Column("tag", "tag", tag),
            *([Column("commit", "commit", 8)] if exact else []),
            Column("author", "author", _widest((one.author for one in shown), 6, 16 if exact else 9)),
            Column("age", "age", 3),
            Column(
                "platforms",
                "platforms",
                _widest((self._platforms(one) for one in shown), 10, 26 if exact else 14),
            ),
            Column("size", fit_right("size", 8), 8),
            Column("downloads", "downloads" if exact else fit_right("dl", 4), 9 if exact else 4),
        ]
        left = room - sum(column.width + 1 for column in columns)
        if left >= _SUBJECT_LEAST:
            return [*columns, Column("subject", "subject", left)]
        place = next(number for number, column in enumerate(columns) if column.name == "tag")
        columns[place] = Column("tag", "tag", max(5, min(tag, tag + left)))
        return columns

    def parts(self, row: ReleaseInfo, column: Column) -> Sequence[Part]:
        """One cell; a release that cannot be installed here is told in quiet colours, and by a word."""
        off = why_not(row, self.machine)
        name, text, quiet = ("list--off",) * 3 if off else ("list--name", "list--text", "list--quiet")
        width = column.width
        match column.name:
            case "runs":
                return self._runs(row, width)
            case "tag":
                return ((fit_middle(row.tag, width), name),)
            case "commit":
                return ((fit(row.commit[:8], width), quiet),)
            case "author":
                return ((fit(row.author, width), text),)
            case "age":
                return ((fit_right(self._age(row), width), quiet),)
            case "platforms":
                return ((fit(self._platforms(row), width), text),)
            case "size":
                return ((fit_right(byte_count(row.size) if row.size else "", width), text),)
            case "downloads":
                return ((fit_right(count(row.downloads, width), width), quiet),)
        return ((fit(off if off and row.complete else row.subject, width), quiet),)

    def _platforms(self, row: ReleaseInfo) -> str:
        return short_platforms(row.platforms, self.machine) if row.complete else "incomplete"

    def _age(self, row: ReleaseInfo) -> str:
        return coarse_age((self.now - row.published_at).total_seconds()) if row.published_at else ""

    def _runs(self, row: ReleaseInfo, width: int) -> Sequence[Part]:
        """`●◆2`: the integration slot with its health, mine, how many others; with words where there is room."""
        users = self.runners.of(row)
        wide = width > 3
        parts: list[Part] = []
        if INTEGRATION in users:
            health = self.runners.cells[INTEGRATION].health
            sign = self.glyphs.health.get(health, "?")
            parts.append((f"{sign} integration " if wide else sign, f"health--{health}"))
        elif not wide:
            parts.append((" ", ""))
        if self.me in users:
            parts.append((f"{self.mine} me " if wide else self.mine, "list--mine"))
        elif not wide:
            parts.append((" ", ""))
        others = len(set(users) - {INTEGRATION, self.me})
        if wide:
            parts.append((f"+{min(99, others)}" if others else "", "list--quiet"))
        else:
            parts.append((str(others) if 0 < others < 10 else "+" if others else " ", "list--quiet"))
        used = sum(cell_len(text) for text, _ in parts)
        return (*parts, (" " * (width - used), ""))


def _widest(texts: Iterable[str], least: int, most: int) -> int:
    return min(most, max([least, *(cell_len(clean(text)) for text in texts)]))


def count(number: int, width: int) -> str:
    """A number of downloads in `width` cells; thousands where it is longer."""
    text = str(max(0, number))
    return text if len(text) <= width else f"{max(0, number) // 1000}k"
