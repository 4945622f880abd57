"""Choosing one of many with a fuzzy search; opens at once and fills as items arrive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input, Static

from screens.widgets.celltext import clean, fit
from screens.widgets.picker_model import PickerItem, PickerModel, PickerRow
from screens.widgets.sgr import overlay

_PARTS = ("picker--section", "picker--detail", "picker--note", "picker--match", "picker--cursor", "picker--mark")


class PickerList(ScrollView, can_focus=False):
    """The list under the search field; it paints what is visible of its model."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = set(_PARTS)

    @dataclass
    class Clicked(Message):
        """A row was clicked; `chain` counts the clicks."""

        key: str
        chain: int

    def __init__(self, model: PickerModel) -> None:
        super().__init__()
        self._model = model

    def settle(self, keep_place: int | None = None) -> None:
        """Fit to the model. With the screen line on which the highlighted row was, it stays on that line."""
        rows = self._model.rows
        self.virtual_size = Size(self.size.width, len(rows))
        position = self._model.position
        if position is not None and self.size:
            top = self.scroll_offset.y if keep_place is None else position - keep_place
            low = 0 if position <= 1 else position
            top = max(position - self.size.height + 1, min(top, low))
            self.scroll_to(y=max(0, top), animate=False, force=True)
        self.refresh()

    @property
    def place(self) -> int | None:
        """The screen line of the highlighted row."""
        position = self._model.position
        return None if position is None else position - self.scroll_offset.y

    def on_resize(self) -> None:
        """Keep the highlighted row visible."""
        self.settle()

    def on_click(self, event: events.Click) -> None:
        """Tell which item was clicked."""
        place = event.y + self.scroll_offset.y
        if 0 <= place < len(self._model.rows) and (item := self._model.rows[place].item):
            event.stop()
            self.post_message(self.Clicked(item.key, event.chain))

    def render_line(self, y: int) -> Strip:
        """A section's title or an item."""
        width, base = self.size.width, self.rich_style
        place = y + self.scroll_offset.y
        if not 0 <= place < len(self._model.rows):
            return Strip.blank(width, base)
        row = self._model.rows[place]
        styles = {name: self.get_component_rich_style(name, partial=True) for name in _PARTS}
        if row.item is None:
            title = Segment(f" {fit(row.section, width - 1)}", base + styles["picker--section"])
            return Strip([title]).adjust_cell_length(width, base)
        hot = row.item.key == self._model.highlighted
        return paint_item(row, row.item, max(1, width - self.styles.scrollbar_size_vertical), hot, base, styles)


def paint_item(
    row: PickerRow, item: PickerItem, width: int, hot: bool, base: Style, styles: dict[str, Style]
) -> Strip:
    """`▌ text detail      note`, with what matched marked."""
    ground = base + styles["picker--cursor"] if hot else base
    text, detail, note = clean(item.text), clean(item.detail), clean(item.note)
    loud = ground + styles["picker--detail"] if item.off else ground
    searched = [Segment(text, loud), Segment(f" {detail}", ground + styles["picker--detail"])]
    body = Strip(overlay(searched, list(row.spans), styles["picker--match"]))
    note_width = min(cell_len(note), max(0, width // 3))
    room = width - 3 - (note_width + 1 if note_width else 0)
    if body.cell_length > room:
        body = Strip([*body.crop(0, room - 1), Segment("…", ground)], room)
    mark = Segment(" ▌" if hot else "  ", ground + styles["picker--mark"])
    strip = Strip([mark, *body.adjust_cell_length(room, ground)])
    end = f" {fit(note, note_width)} " if note_width else " "
    return Strip.join([strip, Strip([Segment(end, ground + styles["picker--note"])])])


class _Query(Input):
    """A search field that leaves the keys `spared` to the screen's bindings while it is empty."""

    def __init__(self, placeholder: str, spared: str) -> None:
        super().__init__(placeholder=placeholder, id="picker-query", select_on_focus=False)
        self.cursor_blink = False
        self._spared = spared

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether the key is typed, so that bindings do not get it."""
        if not self.value and character is not None and character in self._spared:
            return False
        return super().check_consume_key(key, character)


class FuzzyPicker(Vertical):
    """A search field over a list. `add_items` feeds it; it posts `Highlighted`, `Selected` and `Cancelled`.

    While nothing is typed the keys `spared` go to the screen, if it has priority bindings of them.
    """

    DEFAULT_CSS = """
    FuzzyPicker { height: 1fr; }
    FuzzyPicker > PickerList { height: 1fr; }
    FuzzyPicker > #picker-state { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", "Down", id="picker.down", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", "Up", id="picker.up", show=False, priority=True),
        Binding("pagedown", "page(1)", "Page down", id="picker.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="picker.page_up", show=False),
        Binding("escape", "cancel", "Back", id="picker.cancel", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """Another item is highlighted, or none."""

        picker: FuzzyPicker
        item: PickerItem | None

    @dataclass
    class Selected(Message):
        """The person chose."""

        picker: FuzzyPicker
        item: PickerItem

    @dataclass
    class Cancelled(Message):
        """Esc."""

        picker: FuzzyPicker

    def __init__(
        self,
        *,
        placeholder: str = "type to search",
        sections: Sequence[str] = (),
        loading: bool = False,
        spared: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._model = PickerModel(sections)
        self._placeholder = placeholder
        self._spared = spared
        self._waiting = loading
        self._said: PickerItem | None = None
        self._moved = False

    def compose(self) -> ComposeResult:
        """Field, list, and a line that says how many."""
        yield _Query(self._placeholder, self._spared)
        yield PickerList(self._model)
        yield Static("", markup=False, id="picker-state")

    def on_mount(self) -> None:
        """Say what there is so far."""
        self._show()

    @property
    def highlighted(self) -> PickerItem | None:
        """The highlighted item."""
        return self._model.item

    def add_items(self, items: Iterable[PickerItem]) -> None:
        """Add items, or newer versions by key; the highlighted one keeps its place on the screen.

        Until the person moves or types, the first item is the highlighted one, whatever came first.
        """
        place = self._list.place if self.is_mounted and self._moved else None
        self._model.add(items)
        if not self._moved:
            self._model.highlight_first()
        if self.is_mounted:
            self._show(place)

    def clear_items(self) -> None:
        """Forget the items; the query stays."""
        self._model.clear()
        self._show()

    def set_waiting(self, waiting: bool) -> None:
        """Say whether more items are on their way."""
        self._waiting = waiting
        if self.is_mounted:
            self._show_state()

    def focus_query(self) -> None:
        """Give the keys to the search field."""
        self.query_one(Input).focus()

    @property
    def _list(self) -> PickerList:
        return self.query_one(PickerList)

    def _show(self, keep_place: int | None = None) -> None:
        self._list.settle(keep_place)
        self._show_state()
        item = self._model.item
        if item != self._said:
            self._said = item
            self.post_message(self.Highlighted(self, item))

    def _show_state(self) -> None:
        model = self._model
        if not model.total:
            text = "loading…" if self._waiting else "nothing to choose from"
        elif not model.matching:
            text = f"no match in {model.total:,}"
        else:
            text = f"{model.matching:,} of {model.total:,}" if model.query.strip() else f"{model.total:,}"
        if self._waiting and model.total:
            text += " · loading…"
        self.query_one("#picker-state", Static).update(f" {text}")

    def action_move(self, steps: int) -> None:
        """Highlight another item."""
        self._moved = True
        self._model.move(steps)
        self._show()

    def action_page(self, pages: int) -> None:
        """Move by a screen of items."""
        self.action_move(pages * max(1, self._list.size.height - 1))

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.post_message(self.Cancelled(self))

    @on(Input.Changed, "#picker-query")
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        self._moved = True
        self._model.search(event.value)
        self._show()

    @on(Input.Submitted, "#picker-query")
    def _choose(self, event: events.Event) -> None:
        event.stop()
        if item := self._model.item:
            self.post_message(self.Selected(self, item))

    @on(PickerList.Clicked)
    def _click(self, event: PickerList.Clicked) -> None:
        event.stop()
        self._moved = True
        self._model.highlighted = event.key
        self._show()
        if event.chain == 2 and (item := self._model.item):
            self.post_message(self.Selected(self, item))
