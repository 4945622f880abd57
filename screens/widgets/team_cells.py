"""What stands in the columns of the team's list, and how wide they are; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from screens.widgets.build_cells import Column
from screens.widgets.celltext import clean, fit, fit_right
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part
from screens.widgets.team_model import NEEDY, State, TeamRow, role_of

_ROOM_FOR_WORDS = 96
_STYLES: dict[State, str] = {
    "well": "health--healthy",
    "here": "health--healthy",
    "running": "list--mine",
    "new": "health--starting",
    "leaving": "health--starting",
    "kept": "list--tag",
    "unlisted": "health--unhealthy",
    "failed": "health--crashed",
    "problem": "health--crashed",
    "stopped": "health--crashed",
    "away": "health--unhealthy",
}
WORDS: dict[State, str] = {"away": "no answer", "new": "not there yet", "none": "none", "unlisted": "no file"}


def sign_of(state: State, glyphs: Glyphs) -> str:
    """The sign of a state."""
    health = {
        "well": "healthy",
        "here": "healthy",
        "leaving": "starting",
        "failed": "crashed",
        "problem": "crashed",
        "stopped": "crashed",
        "away": "unknown",
        "unlisted": "unhealthy",
        "disabled": "stopped",
        "archived": "stopped",
    }
    if state in health:
        return glyphs.health[health[state]]
    return {"running": glyphs.busy, "new": glyphs.build["queued"], "kept": glyphs.drift["pinned"]}.get(
        state, glyphs.unbound
    )


@dataclass(frozen=True)
class TeamTable:
    """The people of a team; the keys of rows in `marks` are of those that are marked."""

    me: str = ""
    marks: frozenset[str] = frozenset()
    glyphs: Glyphs = UNICODE

    def key(self, row: TeamRow) -> str:
        """See `Table`."""
        return row.key

    def marked(self, row: TeamRow) -> bool:
        """See `Table`."""
        return row.key in self.marks

    def columns(self, rows: Sequence[TeamRow], room: int) -> list[Column]:
        """Names as wide as they need to be; the rest says who, or what is wrong."""
        wide = room >= _ROOM_FOR_WORDS
        people = [row for row in rows if row.kind == "person"]
        columns = [
            Column("state", "state" if wide else "", 15 if wide else 1),
            Column("name", "user", _widest((row.name for row in rows), 6, 26 if wide else 18)),
            Column("role", "role", _widest((role_of(row) for row in people), 4, 14 if wide else 11)),
            Column("keys", "keys", 4),
        ]
        if wide:
            columns += [Column("uid", "uid", 6)] if any(row.known for row in people) else []
            columns.append(Column("groups", "groups", _widest((_groups(row) for row in people), 6, 24)))
        left = max(8, room - sum(column.width + 1 for column in columns))
        return [*columns, Column("what", "who, and what is wrong", left)]

    def parts(self, row: TeamRow, column: Column) -> Sequence[Part]:
        """One cell."""
        width = column.width
        person = row.kind == "person"
        match column.name:
            case "state":
                word = f" {WORDS.get(row.state, row.state)}" if width > 1 else ""
                return (
                    (fit(f"{sign_of(row.state, self.glyphs)}{word}", width), _STYLES.get(row.state, "list--off")),
                )
            case "name":
                mine = not person or row.name == self.me
                return ((fit(row.name, width), "list--mine" if mine else "list--name"),)
            case "role":
                return ((fit(role_of(row), width), "list--text"),)
            case "keys":
                count = str(len(row.file.ssh_keys)) if row.file else ""
                return ((fit_right(count, width), "list--quiet"),)
            case "uid":
                return ((fit_right(str(row.known.uid) if row.known else "", width), "list--quiet"),)
            case "groups":
                return ((fit(_groups(row), width), "list--quiet"),)
        wrong = row.state in NEEDY and bool(row.problems or row.kind != "person" or row.state == "failed")
        return ((fit(row.what, width), _STYLES.get(row.state, "list--text") if wrong else "list--text"),)


def _groups(row: TeamRow) -> str:
    return ", ".join(row.file.groups) if row.file else ""


def _widest(texts: Iterable[str], least: int, most: int) -> int:
    return min(most, max([least, *(cell_len(clean(text)) for text in texts)]))
