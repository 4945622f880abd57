"""What stands in the columns of the doctor's list, how wide they are, and one finding in full; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len

from backends.model.health_report import HealthMend
from screens.widgets.build_cells import Column
from screens.widgets.celltext import clean, fit
from screens.widgets.finding_model import FindingRow, area_of
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part
from screens.widgets.textpane import Line

_ROOM_FOR_WORDS = 100
_LONG = 900
STYLES = {
    "bad": "health--crashed",
    "warn": "health--unhealthy",
    "ok": "health--healthy",
    "skipped": "list--off",
    "waiting": "list--quiet",
}
WORDS = {"bad": "bad", "warn": "look at it", "ok": "well", "skipped": "skipped", "waiting": "looking…"}
_TEXT_STYLES = {"bad": "bad", "warn": "warn", "ok": "good", "skipped": "quiet", "waiting": "quiet"}


def sign_of(row: FindingRow, glyphs: Glyphs) -> str:
    """The sign of its state."""
    signs = {
        "bad": glyphs.build["failed"],
        "warn": glyphs.health["unhealthy"],
        "ok": glyphs.build["succeeded"],
        "skipped": glyphs.unbound,
        "waiting": glyphs.build["queued"],
    }
    return glyphs.busy if row.again else signs[row.state]


@dataclass(frozen=True)
class FindingTable:
    """Findings, of which `marks` bear the mark."""

    marks: frozenset[str] = frozenset()
    glyphs: Glyphs = field(default=UNICODE)

    def key(self, row: FindingRow) -> str:
        """See `Table`."""
        return row.key

    def marked(self, row: FindingRow) -> bool:
        """See `Table`."""
        return row.key in self.marks

    def columns(self, rows: Sequence[FindingRow], room: int) -> list[Column]:
        """Area and title as wide as they need to be; what was found takes the rest."""
        wide = room >= _ROOM_FOR_WORDS
        state = 12 if wide else 1
        area = _widest((area_of(row) for row in rows), 4, 24 if wide else 16)
        title = _widest((row.title for row in rows), 5, 26 if wide else 18)
        left = max(8, room - state - area - title - 4)
        return [
            Column("state", "state" if wide else "", state),
            Column("area", "area", area),
            Column("title", "what", title),
            Column("found", "found", left),
        ]

    def parts(self, row: FindingRow, column: Column) -> Sequence[Part]:
        """One cell; what is well is quiet, what is wrong is not."""
        wrong = row.state in ("bad", "warn")
        match column.name:
            case "state":
                word = f" {WORDS[row.state]}" if column.width > 1 else ""
                return ((fit(f"{sign_of(row, self.glyphs)}{word}", column.width), STYLES[row.state]),)
            case "area":
                return ((fit(area_of(row) if row.heads else "", column.width), "list--mine"),)
            case "title":
                return ((fit(row.title, column.width), "list--name" if wrong else "list--text"),)
        what = row.finding.what if row.finding else ""
        return ((fit(what, column.width), "list--text" if wrong else "list--quiet"),)


def finding_lines(
    row: FindingRow, mends: Iterable[HealthMend], *, how: str, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """One finding in full: what, why it matters, what mends it, and what was done; `how` says who can mend it."""
    finding = row.finding
    head: Line = ((f"{sign_of(row, glyphs)} ", _TEXT_STYLES[row.state]), (clean(row.title), "title"))
    if row.again:
        head = (*head, ("  being looked at again", "quiet"))
    if finding is None:
        return [head, (), (("It is being looked at.", "quiet"),)]
    lines: list[Line] = [head, (), ((clean(finding.what, _LONG), "text"),)]
    if finding.why:
        lines += [(), (("why    ", "label"), (clean(finding.why, _LONG), "text"))]
    if finding.mend:
        lines += [(), (("mend   ", "label"), (clean(finding.mend, _LONG), "key"))]
    if how:
        lines.append((("       ", "label"), (how, "quiet")))
    for mend in mends:
        sign = glyphs.build["succeeded"] if mend.done else glyphs.build["failed"]
        style = "good" if mend.done else "bad"
        done = "mended" if mend.done else "not mended"
        lines += [(), ((f"{sign} {done}: ", style), (clean(mend.what, _LONG), "text"))]
    lines += [(), ((f"{finding.id}{f' · {finding.slot}' if finding.slot else ''}", "quiet"),)]
    return lines


def _widest(texts: Iterable[str], least: int, most: int) -> int:
    return min(most, max([least, *(cell_len(clean(text)) for text in texts)]))
