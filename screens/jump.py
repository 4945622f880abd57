"""Jump mode: letters lie on everything that can be clicked or focused, and typing them goes there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.errors import NoWidget
from textual.geometry import Offset, Region, Size
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widget import Widget

LETTERS = "asdfghjklqweruiopzxcvbnmty"
"""What labels are made of: the keys under the fingers first."""
MOST = len(LETTERS) ** 2


@runtime_checkable
class Jumpable(Protocol):
    """A widget that paints several things which can be clicked."""

    def jump_spots(self) -> Sequence[tuple[int, int]]:
        """Column and line of each, in the widget; those that are not visible are passed over."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a label lies on the screen, and what is clicked there."""

    label: str
    x: int
    y: int
    widget: Widget
    inside: Offset


def labels(count: int) -> list[str]:
    """So many labels, none the beginning of another: one letter each if they suffice, else two."""
    if count <= len(LETTERS):
        return list(LETTERS[:count])
    return [first + second for first in LETTERS for second in LETTERS][:count]


def spots_of(screen: Screen[object]) -> list[Spot]:
    """Everything on the screen that can be gone to, from the top left to the bottom right."""
    found = sorted(_places(screen), key=lambda place: (place[1], place[0]))[:MOST]
    named = zip(labels(len(found)), found, strict=True)
    return [Spot(label, x, y, widget, inside) for label, (x, y, widget, inside) in named]


def _places(screen: Screen[object]) -> Iterator[tuple[int, int, Widget, Offset]]:
    for widget in screen.query("*"):
        seen = _visible(screen, widget)
        if not seen or widget.disabled:
            continue
        if isinstance(widget, Jumpable):
            insides = [Offset(x, y) for x, y in widget.jump_spots()]
        else:
            insides = [Offset(0, 0)] if widget.focusable else []
        for inside in insides:
            place = widget.content_region.offset + inside
            if seen.contains(*place):
                yield place.x, place.y, widget, inside


def _visible(screen: Screen[object], widget: Widget) -> Region:
    """What of the widget the person sees; nothing of one that is not shown."""
    try:
        return screen.find_widget(widget).visible_region
    except NoWidget:
        return Region()


class JumpScreen(ModalScreen[Spot | None]):
    """Shows the screen below, quiet, with the labels on it. Its result is the spot whose label was typed."""

    CSS_PATH = "../styles/jump.tcss"

    def __init__(self, below: Sequence[Strip], spots: Sequence[Spot]) -> None:
        super().__init__()
        self._below = tuple(below)
        self._spots = tuple(spots)
        self._typed = ""
        self._first: Size | None = None

    def compose(self) -> ComposeResult:
        """One widget that paints all of it."""
        yield JumpSheet(self._below, self._spots)

    def on_key(self, event: events.Key) -> None:
        """A letter of a label goes on; any other key leaves."""
        event.stop()
        typed = self._typed + (event.character or "?")
        left = [spot for spot in self._spots if spot.label.startswith(typed)]
        if not left:
            self.dismiss(None)
        elif left[0].label == typed:
            self.dismiss(left[0])
        else:
            self._typed = typed
            self.query_one(JumpSheet).narrow(typed)

    def on_click(self) -> None:
        """The mouse needs no letters."""
        self.dismiss(None)

    def on_resize(self, event: events.Resize) -> None:
        """Another size has another picture; the labels would lie."""
        first, self._first = self._first or event.size, event.size
        if first != event.size and self.is_current:
            self.dismiss(None)


class JumpSheet(Widget):
    """The screen as it was, without its colours, and the labels."""

    COMPONENT_CLASSES = frozenset({"jump--below", "jump--label", "jump--typed"})  # type: ignore[assignment]

    def __init__(self, below: Sequence[Strip], spots: Sequence[Spot]) -> None:
        super().__init__()
        self._below = tuple(below)
        self._spots = tuple(spots)
        self._typed = ""

    def narrow(self, typed: str) -> None:
        """Show only the labels that begin so."""
        self._typed = typed
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line below, with the labels that lie on it."""
        quiet = self.get_component_rich_style("jump--below")
        text = self._below[y].text if y < len(self._below) else ""
        line = Strip([Segment(text, quiet)]).adjust_cell_length(self.size.width, quiet)
        for spot in self._spots:
            if spot.y == y and spot.label.startswith(self._typed):
                line = self._with_label(line, spot)
        return line

    def _with_label(self, line: Strip, spot: Spot) -> Strip:
        label, typed = self.get_component_rich_style("jump--label"), self.get_component_rich_style("jump--typed")
        done = len(self._typed)
        parts: list[tuple[str, Style]] = [(spot.label[:done], typed), (spot.label[done:], label)]
        sign = Strip([Segment(text, style) for text, style in parts if text])
        end = spot.x + sign.cell_length
        return Strip.join([line.crop(0, spot.x), sign, line.crop(end, line.cell_length)]).crop(0, self.size.width)


def go_to(spot: Spot) -> None:
    """Give the keys to what is there, and click it."""
    widget, inside = spot.widget, spot.inside
    if not widget.is_attached:
        return
    if widget.focusable:
        widget.focus()
    if not isinstance(widget, Jumpable):
        return
    within = widget.content_region.offset - widget.region.offset + inside
    widget.post_message(
        events.Click(
            widget,
            x=within.x,
            y=within.y,
            delta_x=0,
            delta_y=0,
            button=1,
            shift=False,
            meta=False,
            ctrl=False,
            screen_x=spot.x,
            screen_y=spot.y,
        )
    )
