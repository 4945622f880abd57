"""Builds as a table that lives: lines move, the cursor stays on its build, and only what differs is painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from backends.model.state import Build
from screens.widgets.build_cells import BuildLook, Column, cell_parts, measure
from screens.widgets.celltext import fit
from screens.widgets.one_line import Part

_PARTS = (
    "name",
    "head",
    "text",
    "quiet",
    "busy",
    "bar",
    "left",
    "spark",
    "tag",
    "cursor",
    "cursor-blurred",
    "mark",
)
_STATES = ("queued", "running", "succeeded", "failed", "cancelled", "superseded")

Line = tuple[str, tuple[Part, ...]]
"""What a line of the screen shows: the style of its ground, and its parts."""


class BuildList(ScrollView, can_focus=True):
    """Feed it with `show`; it answers with `Highlighted`, `Selected` and `EndNear`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"list--{part}" for part in _PARTS),
        *(f"build--{state}" for state in _STATES),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="list.down", show=False),
        Binding("k,up", "move(-1)", "Up", id="list.up", show=False),
        Binding("g,home", "move(-100000)", "Top", id="list.top", show=False),
        Binding("G,end", "move(100000)", "Bottom", id="list.bottom", show=False),
        Binding("ctrl+d,pagedown", "page(1)", "Half page down", id="list.half_down", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "Half page up", id="list.half_up", show=False),
        Binding("enter", "select", "Log", id="builds.select", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """Another build has the cursor."""

        list: BuildList

    @dataclass
    class Selected(Message):
        """Enter or a double click."""

        list: BuildList
        build: Build

    @dataclass
    class EndNear(Message):
        """The last lines are near: more could be asked for."""

        list: BuildList

    def __init__(self, look: BuildLook, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._builds: Sequence[Build] = ()
        self._look = look
        self._cursor = 0
        self._columns: list[Column] = []
        self._painted: dict[int, Line] = {}
        self._recalled: tuple[str, int] | None = None

    # -- data -------------------------------------------------------------------------------------

    def show(self, builds: Sequence[Build], look: BuildLook) -> None:
        """Show these; the cursor stays on its build, and where it can, on its line of the screen."""
        before, place = self.build, self._cursor
        moved = builds is not self._builds
        self._builds, self._look = builds, look
        if moved:
            ids = [build.id for build in builds]
            known = before is not None and before.id in ids
            self._cursor = ids.index(before.id) if before and known else min(place, max(0, len(ids) - 1))
            self._measure()
            self._keep_line(place)
            self._return()
        self._repaint()
        after = self.build
        if (before.id if before else "") != (after.id if after else ""):
            self.post_message(self.Highlighted(self))
        if moved:
            self._say_end()

    @property
    def builds(self) -> Sequence[Build]:
        """What is shown."""
        return self._builds

    @property
    def build(self) -> Build | None:
        """The build under the cursor."""
        return self._builds[self._cursor] if self._builds else None

    def _keep_line(self, place: int) -> None:
        top = self.scroll_offset.y
        if top:
            top = max(0, top + self._cursor - place)
        self._scroll(max(self._cursor - self._room + 1, min(top, self._cursor)))

    def memory(self) -> tuple[str, int] | None:
        """The build under the cursor, and on which line of the screen it is."""
        return (self.build.id, self._cursor - self.scroll_offset.y) if self.build else self._recalled

    def recall(self, memory: object) -> None:
        """The cursor there again, once that build has come; whoever moves it meanwhile has it."""
        if isinstance(memory, tuple):
            self._recalled = memory
            self._return()
            self._repaint()

    def _return(self) -> None:
        if self._recalled is None:
            return
        id, line = self._recalled
        place = next((number for number, build in enumerate(self._builds) if build.id == id), None)
        if place is not None:
            self._recalled = None
            self._cursor = place
            # Before the first layout nothing has a height that could be scrolled in.
            self.call_after_refresh(self._scroll, max(0, place - line))

    # -- cursor -----------------------------------------------------------------------------------

    @property
    def _room(self) -> int:
        return max(1, self.size.height - 1)

    def action_move(self, steps: int) -> None:
        """Move the cursor."""
        self._move_to(self._cursor + steps)

    def action_page(self, halves: int) -> None:
        """Move by half a page."""
        self.action_move(halves * max(1, self._room // 2))

    def action_select(self) -> None:
        """Choose the build under the cursor."""
        if build := self.build:
            self.post_message(self.Selected(self, build))

    def _move_to(self, place: int) -> None:
        place = max(0, min(len(self._builds) - 1, place))
        self._recalled = None
        if not self._builds or place == self._cursor:
            return
        self._cursor = place
        self._scroll(max(place - self._room + 1, min(self.scroll_offset.y, place)))
        self._repaint()
        self.post_message(self.Highlighted(self))
        self._say_end()

    def _scroll(self, top: int) -> None:
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

    def _say_end(self) -> None:
        last = max(self._cursor, self.scroll_offset.y + self._room)
        if self._builds and last + self._room // 2 >= len(self._builds):
            self.post_message(self.EndNear(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls to the end wants more."""
        super().watch_scroll_y(old_value, new_value)
        if new_value > old_value:
            self._say_end()

    def jump_spots(self) -> list[tuple[int, int]]:
        """Where a click does something: the lines that are visible."""
        shown = min(self.size.height - 1, len(self._builds) - self.scroll_offset.y)
        return [(0, y + 1) for y in range(shown)]

    def on_click(self, event: events.Click) -> None:
        """Move to the clicked line; a second click chooses it."""
        place = event.y - 1 + self.scroll_offset.y
        if event.y >= 1 and place < len(self._builds):
            event.stop()
            self._move_to(place)
            if event.chain == 2:
                self.action_select()

    def on_focus(self) -> None:
        """The cursor is where keys go."""
        self._repaint()

    def on_blur(self) -> None:
        """The cursor is a mark only."""
        self._repaint()

    # -- painting ---------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Give the columns their room."""
        self._measure()
        self.refresh()

    def _measure(self) -> None:
        columns, self._columns = self._columns, measure(self._builds, max(1, self.size.width - 3))
        self.virtual_size = Size(self.size.width, len(self._builds) + 1)
        if columns != self._columns:
            self.refresh()

    def _repaint(self) -> None:
        """Paint the lines that look other than they did."""
        for y in range(1, self.size.height):
            if self._painted.get(y) != self._line(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _line(self, y: int) -> Line:
        place = y - 1 + self.scroll_offset.y
        if place >= len(self._builds):
            return "", ()
        build, hot = self._builds[place], place == self._cursor
        ground = ("list--cursor" if self.has_focus else "list--cursor-blurred") if hot else ""
        parts: list[Part] = [(self._look.glyphs.cursor if hot else " ", "list--mark"), (" ", "")]
        for column in self._columns:
            parts += [*cell_parts(build, column, self._look), (" ", "")]
        return ground, tuple(parts)

    def render_line(self, y: int) -> Strip:
        """The titles, or one build."""
        base, width = self.rich_style, self.size.width
        if y == 0:
            head = self._style("list--head", base)
            cells = [Segment(fit(column.title, column.width) + " ", head) for column in self._columns]
            return Strip([Segment("  ", head), *cells]).adjust_cell_length(width, base)
        line = self._painted[y] = self._line(y)
        ground = self._style(line[0], base)
        return Strip([Segment(text, self._style(name, ground)) for text, name in line[1]]).adjust_cell_length(
            width, ground
        )

    def _style(self, name: str, ground: Style) -> Style:
        return ground + self.get_component_rich_style(name, partial=True) if name else ground
