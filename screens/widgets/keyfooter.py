"""Which keys do what here: the footer, as many hints as there is room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from screens.widgets.celltext import clean
from screens.widgets.one_line import Part, paint_parts


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key as a person reads it and what it does. `always` hints keep their place at the right.

    `help` is shown where the mouse rests on it.
    """

    key: str
    label: str
    always: bool = False
    help: str = field(default="", compare=False)

    @property
    def width(self) -> int:
        """Cells with the space that separates it."""
        return cell_len(f" {clean(self.key)} {clean(self.label)} ")


class KeyFooter(Widget):
    """Shows hints in the order of their importance; those that do not fit are left out, whole."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"footer--key", "footer--label", "footer--more"}
    DEFAULT_CSS = "KeyFooter { height: 1; }"

    @dataclass
    class Pressed(Message):
        """A hint was clicked; `key` is its text."""

        footer: KeyFooter
        key: str

    def __init__(
        self, hints: Iterable[KeyHint] = (), *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._hints = tuple(hints)

    def set_keys(self, hints: Iterable[KeyHint]) -> None:
        """Show other hints; repaints only if they differ."""
        before, self._hints = self._hints, tuple(hints)
        if before != self._hints:
            self.refresh()

    def _fitting(self) -> tuple[list[KeyHint], list[KeyHint], bool]:
        """The hints at the left, those at the right, and whether some were left out."""
        right = [hint for hint in self._hints if hint.always]
        wanted = [hint for hint in self._hints if not hint.always]
        room = self.size.width - sum(hint.width for hint in right)
        left: list[KeyHint] = []
        for place, hint in enumerate(wanted):
            last = place == len(wanted) - 1
            if hint.width + (0 if last else 2) > room:
                return left, right, True
            left.append(hint)
            room -= hint.width
        return left, right, False

    def render_line(self, y: int) -> Strip:
        """The line."""
        left, right, cut = self._fitting()
        more: list[Part] = [(" …", "footer--more")] if cut else []
        return paint_parts(self, [*_parts(left), *more], _parts(right))

    def _spans(self) -> Iterator[tuple[KeyHint, int]]:
        """The hints that are shown, each with the cell that it begins at."""
        left, right, _ = self._fitting()
        x = 0
        for hint in left:
            yield hint, x
            x += hint.width
        x = self.size.width - sum(hint.width for hint in right)
        for hint in right:
            yield hint, x
            x += hint.width

    def _hint_at(self, x: int) -> KeyHint | None:
        return next((hint for hint, start in self._spans() if start <= x < start + hint.width), None)

    def spot_at(self, x: int, y: int) -> str | None:
        """The key of the hint there."""
        hint = self._hint_at(x)
        return hint.key if hint else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """What the hint under the mouse does, in full."""
        hint = self._hint_at(event.x)
        self.tooltip = Content(hint.help) if hint and hint.help else None

    def on_click(self, event: events.Click) -> None:
        """Say which hint was clicked."""
        event.stop()
        if hint := self._hint_at(event.x):
            self.post_message(self.Pressed(self, hint.key))


def _parts(hints: list[KeyHint]) -> list[Part]:
    parts: list[Part] = []
    for hint in hints:
        parts += [(f" {clean(hint.key)}", "footer--key"), (f" {clean(hint.label)} ", "footer--label")]
    return parts
