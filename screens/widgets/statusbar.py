"""Where the person is and whether it can be believed: box, connection, faults, what waits, read-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.cells import cell_len
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from screens.widgets.celltext import clean, fit
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part, paint_parts

Connection = Literal["connected", "connecting", "reconnecting", "offline"]
_SIGN = {"connected": "healthy", "connecting": "starting", "reconnecting": "starting", "offline": "crashed"}
_WORDS = {
    "connected": "connected",
    "connecting": "connecting…",
    "reconnecting": "reconnecting…",
    "offline": "offline",
}

_LEAST_NOTE = 16
"""Cells that are worth a part of a note; with fewer a longer one is left out."""


_TIPS = {
    "status--brand": "? shows the keys, ctrl-p finds everything",
    "status--box": "The box that is shown",
    "status--connected": "Connected to the box: what is shown is so now",
    "status--waiting": "What waits: the box is being connected, or questions are for you (the inbox shows them)",
    "status--offline": "Not connected: what is shown may be old",
    "status--faults": "Services that are broken, in all slots; ! on the fleet shows only them",
    "status--host": "The machine exceeds a limit of box.toml; the host screen shows how",
    "status--host-bad": "The machine is all but full; the host screen shows of what",
    "status--quiet": "What runs and builds on the box, and the place that is shown",
}
"""What each part means, by its style."""


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the bar says. `place` names the screen or slot, `note` is one short free sentence.

    `age` says how old what is shown is, while the connection is lost.
    """

    box: str = ""
    connection: Connection = "connecting"
    place: str = ""
    faults: int = 0
    waiting: int = 0
    running: int = 0
    building: int = 0
    queued: int = 0
    host: str = ""
    host_is_bad: bool = False
    read_only: bool = False
    note: str = ""
    age: str = ""


class StatusBar(Widget):
    """Shows one `StatusView`. It has no clock: nothing in it changes by itself."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status--brand",
        "status--box",
        "status--connected",
        "status--waiting",
        "status--offline",
        "status--faults",
        "status--host",
        "status--host-bad",
        "status--quiet",
        "status--read-only",
    }
    DEFAULT_CSS = "StatusBar { height: 1; }"

    def __init__(
        self,
        view: StatusView | None = None,
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._view = view or StatusView()
        self._glyphs = glyphs

    @property
    def view(self) -> StatusView:
        """What is shown."""
        return self._view

    def show(self, view: StatusView) -> None:
        """Show something else; repaints only if it differs."""
        before, self._view = self._view, view
        if before != view:
            self.refresh()

    def spot_at(self, x: int, y: int) -> str | None:
        """The part that begins at or before that cell."""
        for text, style in self._left():
            x -= cell_len(text)
            if x < 0:
                return style
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """What the part under the mouse means."""
        self.tooltip = _TIPS.get(self.spot_at(event.x, event.y) or "")

    def _left(self) -> list[Part]:
        """What stands at the left, the most important first."""
        view, glyphs = self._view, self._glyphs
        style = {"connected": "status--connected", "offline": "status--offline"}.get(
            view.connection, "status--waiting"
        )
        sign = glyphs.health[_SIGN[view.connection]]
        # While all is well the sign is enough; a lost connection is said in words.
        words = ", ".join(part for part in (view.age, _WORDS[view.connection]) if part)
        connection = sign if view.connection == "connected" else f"{sign} {words}"
        left: list[Part] = [
            (" hero ", "status--brand"),
            (f" {clean(view.box)} ", "status--box"),
            (f"{connection}  ", style),
        ]
        if view.faults:
            text = f"{glyphs.health['crashed']} {view.faults} fault{'s' * (view.faults > 1)}  "
            left.append((text, "status--faults"))
        if view.waiting:
            left.append((f"? {view.waiting} waiting  ", "status--waiting"))
        if view.host:
            sign = glyphs.health["crashed" if view.host_is_bad else "unhealthy"]
            left.append((f"{sign} {view.host}  ", f"status--host{'-bad' if view.host_is_bad else ''}"))
        if view.running:
            left.append((f"{glyphs.busy} {view.running} running  ", "status--quiet"))
        if view.building or view.queued:
            left.append((f"{glyphs.building} {_builds(view)}  ", "status--quiet"))
        left.append((clean(view.place), "status--quiet"))
        return left

    def render_line(self, y: int) -> Strip:
        """The line; on a narrow screen the place and the note go first."""
        view, left = self._view, self._left()
        right: list[Part] = [(" READ ONLY ", "status--read-only")] if view.read_only else []
        room = self.size.width - sum(len(text) for text, _ in right)
        left = _whole(left, room)
        note = clean(view.note)
        room -= sum(cell_len(text) for text, _ in left) + 2
        if note and room >= min(cell_len(note), _LEAST_NOTE):
            right.insert(0, (f"{note if cell_len(note) <= room else fit(note, room)} ", "status--quiet"))
        return paint_parts(self, left, right)


def _builds(view: StatusView) -> str:
    """`2 building · 3 queued`, what there is of it."""
    counts = ((view.building, "building"), (view.queued, "queued"))
    return " · ".join(f"{count} {word}" for count, word in counts if count)


def _whole(parts: list[Part], room: int) -> list[Part]:
    """The first parts that fit; a count cut in two would be another count."""
    kept: list[Part] = []
    for part in parts:
        room -= cell_len(part[0].rstrip())
        if room < 0 and kept:
            break
        kept.append(part)
        room -= cell_len(part[0]) - cell_len(part[0].rstrip())
    return kept
