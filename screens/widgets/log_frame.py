"""What of the log view has been painted, so that only what is something else now is painted again."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip

from screens.widgets.log_bar import LogBar, paint_bar
from screens.widgets.log_port import LogPort
from screens.widgets.log_scene import Anchor
from screens.widgets.log_status import LogMode, paint_nothing, paint_status


class LogFrame:
    """The rows and the bar as they were painted last. `dirty` has them all painted anew."""

    def __init__(self) -> None:
        self.dirty = True
        self.rows: list[Anchor] = []
        self._bar: list[tuple[str, str, bool]] = []

    def spoil(self, place: int) -> None:
        """Lines from `place` on are others now."""
        self.dirty = self.dirty or any(row >= place for row, _ in self.rows)

    def changes(self, port: LogPort, size: Size) -> list[Region]:
        """What is to be painted again; the status at the bottom always is."""
        port.look_again()
        rows, before = port.visible(), self._bar
        self._bar = _bar(port, rows).cells(port.room) if port.room else []
        if self.dirty or rows != self.rows or not rows:  # where there is none, it is said why
            self.rows, self.dirty = rows, False
            return [size.region]
        moved = [row for row, (old, new) in enumerate(zip(before, self._bar, strict=False)) if old != new]
        status = Region(0, port.room, size.width, 1)
        return [status, *(Region(size.width - 1, row, 1, 1) for row in moved)]

    def paint(self, y: int, port: LogPort, mode: LogMode) -> Strip | None:
        """One line of the view: a row with its piece of the bar, or the status; None while there is no look."""
        look = port.look
        if look is None:
            return None
        if y >= port.room:
            bottom = self.rows[-1][0] if self.rows else None
            status = paint_status(port.scene, mode, look, bottom, port.current)
            return status.adjust_cell_length(look.width + 1, look.base + look.styles["log--status"])
        if not self.rows and y == port.room // 2:
            return paint_nothing(port.scene, mode, look)
        row = port.row(y) or [Segment(" " * look.width, look.base)]
        cell = self._bar[y] if y < len(self._bar) else (" ", "log--bar", False)
        return Strip([*row, paint_bar(cell, look)], look.width + 1)


def _bar(port: LogPort, rows: list[Anchor]) -> LogBar:
    log, scene = port.scene.log, port.scene
    if not rows:
        return LogBar()
    below = log.lines.after(rows[-1][0])
    return LogBar(
        log.share(rows[0][0]),
        1.0 if below is None else log.share(below),
        log.errors.ticks(port.room),
        scene.hits.ticks(port.room) if scene.matcher else frozenset(),
    )
