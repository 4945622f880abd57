"""What stands in the columns of the list of containers, and how wide they are; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from screens.widgets.build_cells import Column
from screens.widgets.celltext import byte_count, clean, fit, fit_middle, fit_right
from screens.widgets.container_model import LOOSE, ContainerRow, EngineRow, StackRow, health_of
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part

_FIGURE = 8
_ROOM_FOR_GOING = 100
_ROOM_FOR_IMAGE = 74
_STATE = 18
_STATE_NARROW = 12
_GOING = "health--healthy"


@dataclass(frozen=True, slots=True)
class EngineTable:
    """What Docker or Podman hold and run."""

    glyphs: Glyphs = UNICODE

    def key(self, row: object) -> str:
        """See `Table`."""
        return row.key if isinstance(row, EngineRow | StackRow | ContainerRow) else ""

    def marked(self, row: object) -> bool:
        """See `Table`."""
        return False

    def columns(self, rows: Sequence[object], room: int) -> list[Column]:
        """Figures, then names as wide as they need to be, then the image in all that is left."""
        wide = room >= _ROOM_FOR_GOING
        columns = [
            Column("state", "state", _STATE if wide else _STATE_NARROW),
            Column("cpu", fit_right("cpu", _FIGURE), _FIGURE),
            Column("memory", fit_right("memory", _FIGURE), _FIGURE),
            Column("size", fit_right("size", _FIGURE), _FIGURE),
        ]
        columns += [Column("going", fit_right("can go", _FIGURE), _FIGURE)] if wide else []
        left = room - sum(column.width + 1 for column in columns)
        if room < _ROOM_FOR_IMAGE:
            return [*columns, Column("name", "which", max(8, left))]
        name = min(max(12, left * 3 // 5), _widest(_name(row) for row in rows))
        return [*columns, Column("name", "which", name), Column("what", "image", max(4, left - name - 1))]

    def parts(self, row: object, column: Column) -> Sequence[Part]:
        """One cell."""
        width = column.width
        match row:
            case ContainerRow():
                return (self._of_container(row, column.name, width),)
            case StackRow():
                return (self._of_stack(row, column.name, width),)
            case EngineRow():
                return (self._of_engine(row, column.name, width),)
        return ((" " * width, ""),)

    def _of_container(self, row: ContainerRow, name: str, width: int) -> Part:
        one = row.container
        match name:
            case "state":
                health = health_of(one)
                word = "unhealthy" if health == "unhealthy" else one.state
                return fit(f"{self.glyphs.health[health]} {word}", width), f"health--{health}"
            case "name":
                return fit(f"  {fit_middle(one.name, width - 2)}", width), "list--text"
            case "what":
                return fit_middle(one.image, width), "list--quiet"
        return _figure(one.cpu, one.memory, one.size, name, width, "list--text")

    def _of_stack(self, row: StackRow, name: str, width: int) -> Part:
        match name:
            case "state":
                count = len(row.containers)
                whole, none = row.running == count, not row.running
                health = "healthy" if whole else "stopped" if none else "unhealthy"
                health = health if row.name or whole else "stopped"
                return fit(f"{self.glyphs.health[health]} {row.running} of {count}", width), f"health--{health}"
            case "name":
                return fit_middle(_name(row), width), "list--name" if row.name else "list--quiet"
            case "what":
                more = f"{row.engine.more} more are not listed" if row.engine.more and not row.name else ""
                return fit_middle(row.folder or more, width), "list--quiet"
        return _figure(row.cpu, row.memory, row.size, name, width, "list--name")

    def _of_engine(self, row: EngineRow, name: str, width: int) -> Part:
        use, stack = row.use, row.stack
        match name:
            case "state":
                return self._engine_state(row, width)
            case "size":
                return fit_right(byte_count(use.size) if use else "", width), "list--name"
            case "going":
                return fit_right(byte_count(use.reclaimable) if use and use.reclaimable else "", width), _GOING
            case "name":
                problem = not use and not stack
                return fit_middle(_name(row), width), "health--unhealthy" if problem else "list--text"
            case "what":
                told = stack.folder if stack else row.engine.problem if not use else ""
                return fit(told, width), "list--quiet" if stack else "health--unhealthy"
        return " " * width, ""

    def _engine_state(self, row: EngineRow, width: int) -> Part:
        if row.use:
            in_use = f"{row.use.active} of {row.use.count}"
            return fit(f"{in_use} in use" if width >= _STATE else in_use, width), "list--quiet"
        if row.stack:
            whole = row.stack.running == row.stack.containers
            sign = self.glyphs.health["healthy" if whole else "stopped" if not row.stack.running else "unhealthy"]
            told = f"{sign} {row.stack.running} of {row.stack.containers}"
            return fit(told, width), "health--healthy" if whole else "health--unhealthy"
        return fit(f"{self.glyphs.health['unhealthy']} not asked", width), "health--unhealthy"


def _figure(cpu: float | None, memory: int | None, size: int | None, name: str, width: int, style: str) -> Part:
    if name == "cpu":
        busy = f"health--{'unhealthy' if cpu >= 150 else 'starting'}" if cpu is not None and cpu >= 50 else style
        return fit_right("" if cpu is None else f"{cpu:.1f} %", width), busy
    count = {"memory": memory, "size": size}.get(name)
    return fit_right("" if count is None else byte_count(count), width), style


def _name(row: object) -> str:
    if isinstance(row, ContainerRow):
        return f"  {row.container.name}"
    if isinstance(row, StackRow):
        return row.name or LOOSE
    if isinstance(row, EngineRow):
        if row.use:
            return f"{row.engine.name}: {row.use.kind}"
        return f"stack {row.stack.name}" if row.stack else f"{row.engine.name} {row.engine.version}".strip()
    return ""


def _widest(texts: Iterable[str]) -> int:
    return max([12, *(cell_len(clean(text)) for text in texts)])
