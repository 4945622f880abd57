"""Settings as a form shows them: one row each, keys among them; what the form is given to change them with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.cells import cell_len

from screens.widgets.build_cells import Column
from screens.widgets.celltext import clean, fit
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part

Value = str | bool
_ROOM_FOR_HELP = 70


@dataclass(frozen=True, slots=True)
class Item:
    """One row: a setting with its `choices`, or with none an action's keys. `own` where a person set it.

    `raw` is the value as the file writes it, where that differs from how a person reads it.
    """

    name: str
    title: str
    value: str
    default: str
    help: str
    choices: tuple[str, ...] = ()
    where: str = ""
    own: bool = False
    raw: str = ""

    @property
    def is_key(self) -> bool:
        """Whether it is an action's keys."""
        return not self.choices

    def matches(self, text: str) -> bool:
        """Whether every word of `text` is somewhere in it; `own` finds what a person set."""
        words = text.lower().split()
        said = (
            f"{self.name} {self.title} {self.value} {self.help} {self.where} {'own' if self.own else ''}".lower()
        )
        return all(word in said for word in words)


class Book(Protocol):
    """The settings of a person."""

    @property
    def file(self) -> str:
        """Where they are written."""

    def items(self) -> Sequence[Item]: ...

    def key(self, id: str) -> str:
        """The first key of an action, as a person reads it."""

    def when_changed(self, told: Callable[[], None] | None) -> None:
        """Have `told` called whenever the file has been taken anew, by whomever it was changed; None ends that."""

    def problems(self) -> Sequence[str]:
        """What is wrong with the file, a sentence each with its line."""

    def change(self, name: str, value: Value | None) -> None:
        """Write one and take it; None is its default. Raises HeroError."""


@dataclass(frozen=True, slots=True)
class SettingsTable:
    """Name, value and what it means, as far as there is room."""

    glyphs: Glyphs = UNICODE

    def key(self, row: Item) -> str:
        """Its name."""
        return row.name

    def marked(self, row: Item) -> bool:
        """What a person set bears the mark."""
        return row.own

    def columns(self, rows: Sequence[Item], room: int) -> list[Column]:
        """As wide as they need to be; the help takes the rest."""
        where = max((cell_len(row.where) for row in rows), default=5)
        where = max(5, where)
        title = max(12, min(28, max((cell_len(clean(row.title)) for row in rows), default=8)))
        value = max(6, min(22, max((cell_len(clean(row.value)) for row in rows), default=6)))
        columns = [Column("title", "setting", title), Column("value", "value", value)]
        rest = room - title - value - 2
        if room < _ROOM_FOR_HELP:
            return columns
        return [
            *columns,
            Column("where", "where", where),
            Column("help", "what it does", max(8, rest - where - 2)),
        ]

    def parts(self, row: Item, column: Column) -> Sequence[Part]:
        """One cell."""
        match column.name:
            case "title":
                return ((fit(row.title, column.width), "list--name"),)
            case "value":
                return ((fit(row.value, column.width), "list--mine" if row.own else "list--text"),)
            case "where":
                return ((fit(row.where, column.width), "list--quiet"),)
        return ((fit(row.help, column.width), "list--quiet"),)
