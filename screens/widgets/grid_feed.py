"""What of the fleet grid is to be painted when its rows and cells change: the few terminal cells that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textual.geometry import Region

from screens.widgets.grid_canvas import Canvas, Viewport
from screens.widgets.grid_data import GridCell, GridRow
from screens.widgets.grid_model import GridModel

Key = tuple[str, str]
"""Of a row and a column."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of a model, and what paints it; it is asked for only where there is something to see."""

    port: Viewport
    canvas: Callable[[], Canvas]


@dataclass(frozen=True, slots=True)
class Repaint:
    """`boxes` differ; `shape`: rows may have come, gone, moved, or need other widths, so all is laid out anew."""

    boxes: tuple[Region, ...] = ()
    shape: bool = False


class Feed:
    """Changes a model, and says what of it looks other than it did."""

    def __init__(self, model: GridModel) -> None:
        self._model = model

    def rows(self, rows: Iterable[GridRow], sight: Sight) -> Repaint:
        """These instead of those with the same keys; others are passed over."""
        boxes: list[Region] = []
        moved = shape = False
        for row in rows:
            before = self._model.row(row.key)
            if before is None or before == row:
                continue
            moved |= self._model.set_row(row)
            place = self._model.view.row_at.get(row.key)
            if place is not None:
                shape |= _room_of(before) != _room_of(row)
                boxes += self._label(row.key, sight)
        if moved:
            self._model.refilter()
        return Repaint(tuple(boxes), moved or shape)

    def cell(self, key: Key, cell: GridCell | None, sight: Sight) -> Repaint:
        """This one there."""
        boxes = [*self._cell(*key, cell, sight), *self._summary(*key, sight)]
        return self._counted(key[:1], boxes, sight)

    def look_again(self, cells: Iterable[Key], sight: Sight) -> Repaint:
        """These may look otherwise. Those that nobody has looked at yet are only counted."""
        model = self._model
        boxes: list[Region] = []
        rows: dict[str, None] = {}
        for row, column in cells:
            rows[row] = None
            if model.is_known(row, column):
                boxes += self._cell(row, column, model.newest(row, column), sight)
            boxes += self._summary(row, column, sight)
        return self._counted(rows, boxes, sight)

    def _cell(self, row: str, column: str, cell: GridCell | None, sight: Sight) -> Iterable[Region]:
        before = self._model.cell(row, column)
        self._model.put(row, column, cell)
        return _changed(self._model, (row, column), before, cell, sight)

    def _summary(self, row: str, column: str, sight: Sight) -> Iterable[Region]:
        """What of the head over the cell differs. It counts cells that nobody has looked at, too."""
        model = self._model
        head = model.view.heads.get(row, "")
        if not model.is_told(head, column):
            return ()
        before = model.cell(head, column)
        model.tally(row, column)
        return _changed(model, (head, column), before, model.cell(head, column), sight)

    def _counted(self, rows: Iterable[str], boxes: list[Region], sight: Sight) -> Repaint:
        """Count these rows' faults, be their cells as they were: some have been looked at since they changed."""
        moved = False
        for row in rows:
            faults = self._model.faults(row)
            moved |= self._model.recount(row)
            if self._model.faults(row) != faults:
                boxes += self._label(row, sight)
        if moved:
            self._model.refilter()
        return Repaint(tuple(boxes), moved)

    def _label(self, row: str, sight: Sight) -> Iterable[Region]:
        place = self._model.view.row_at.get(row)
        return () if place is None or not sight.port.size else (sight.canvas().label_box(sight.port, place),)


def _changed(
    model: GridModel, key: Key, before: GridCell | None, after: GridCell | None, sight: Sight
) -> list[Region]:
    row, column = model.view.row_at.get(key[0]), model.view.column_at.get(key[1])
    if row is None or column is None or not sight.port.size or before == after:
        return []
    canvas = sight.canvas()
    canvas.forget_row(key[0])
    return list(canvas.changed_boxes(sight.port, row, column, before, after))


def _room_of(row: GridRow) -> tuple[object, ...]:
    """What of a row the widths of columns hang on, and the ground that it stands on."""
    return row.title, row.tag, row.short_tag, row.tag_state, bool(row.agents), row.stale
