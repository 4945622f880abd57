"""Everything that is broken, with the reason, a line each: what a person reads first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from backends.model.state import ServiceStatus
from screens.widgets.cells import ago, is_faulty
from screens.widgets.celltext import clean, fit
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part, paint_parts

_ORDER = ("crashed", "unhealthy", "missing", "failed")


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken binding: `kind` is its health, `missing`, or `failed` for its build."""

    user: str
    service: str
    kind: str
    text: str


def faults_of(cells: Iterable[tuple[str, ServiceStatus]], now: datetime, first: str = "") -> list[Fault]:
    """The broken ones of `cells` (user and binding), the worst first, those of the user `first` before others'."""
    found = [_fault(user, status, now) for user, status in cells if is_faulty(status)]
    return sorted(
        found, key=lambda fault: (_ORDER.index(fault.kind), fault.user != first, fault.user, fault.service)
    )


def _fault(user: str, status: ServiceStatus, now: datetime) -> Fault:
    if status.health in ("crashed", "unhealthy"):
        when = f"{status.health} {ago(status.since, now)}".strip()
        parts = (when, status.reason, status.last_log)
        return Fault(user, status.service, status.health, " · ".join(clean(part) for part in parts if part))
    if status.drift == "missing":
        return Fault(user, status.service, "missing", clean(status.drift_reason or "nothing is installed"))
    build = status.build
    lines = [line.strip() for line in (build.error if build else "").splitlines() if line.strip()]
    when = f"build failed {ago(build.finished_at, now) if build else ''}".strip()
    return Fault(user, status.service, "failed", " · ".join((when, *(clean(line) for line in lines[-1:]))))


class FaultList(Widget):
    """Paints faults; as high as it needs to be, up to the `max-height` of its style."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "fault--user",
        "fault--service",
        "fault--text",
        "fault--more",
        "health--crashed",
        "health--unhealthy",
        "drift--missing",
        "build--failed",
    }
    DEFAULT_CSS = "FaultList { height: auto; }"

    @dataclass
    class Chosen(Message):
        """A fault was clicked."""

        user: str
        service: str

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self._faults: Sequence[Fault] = ()
        self._glyphs = glyphs

    def show(self, faults: Sequence[Fault]) -> None:
        """Show these; repaints only if they differ."""
        if list(faults) != list(self._faults):
            grown = len(faults) != len(self._faults)
            self._faults = tuple(faults)
            self.refresh(layout=grown)

    @property
    def faults(self) -> Sequence[Fault]:
        """What is shown."""
        return self._faults

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """A line a fault."""
        return len(self._faults)

    def on_click(self, event: events.Click) -> None:
        """Say which one was clicked."""
        if 0 <= event.y < len(self._faults):
            event.stop()
            fault = self._faults[event.y]
            self.post_message(self.Chosen(fault.user, fault.service))

    def render_line(self, y: int) -> Strip:
        """One fault; the last line counts those that do not fit."""
        if y >= len(self._faults):
            return paint_parts(self, [])
        if y == self.size.height - 1 and y < len(self._faults) - 1:
            left = len(self._faults) - y
            return paint_parts(self, [(f"   … and {left} more; ! shows them all", "fault--more")])
        fault = self._faults[y]
        user = max(cell_len(one.user) for one in self._faults)
        service = max(cell_len(one.service) for one in self._faults)
        sign, style = self._sign(fault.kind)
        parts: list[Part] = [
            (f" {sign} ", style),
            (f"{fit(fault.user, min(user, 16))}  ", "fault--user"),
            (f"{fit(fault.service, min(service, 20))}  ", "fault--service"),
        ]
        room = self.size.width - sum(cell_len(text) for text, _ in parts) - 1
        parts.append((fit(fault.text, room), "fault--text"))
        return paint_parts(self, parts)

    def _sign(self, kind: str) -> Part:
        if kind == "missing":
            return self._glyphs.drift["missing"], "drift--missing"
        if kind == "failed":
            return self._glyphs.build["failed"], "build--failed"
        return self._glyphs.health.get(kind, "?"), f"health--{kind}"
