"""Everything that is broken, with the reason, a line each: what a person reads first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from screens.widgets.cells import ago, is_faulty
from screens.widgets.celltext import clean, fit
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part, paint_parts

if TYPE_CHECKING:
    from backends.model.state import ServiceStatus

_ORDER = ("crashed", "unhealthy", "missing", "failed")
_SHOWN = 40
"""More than any style gives room for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken binding at `now`: `kind` is its health, `missing`, or `failed` for its build."""

    user: str
    status: ServiceStatus
    now: datetime

    @property
    def service(self) -> str:
        """Which one."""
        return self.status.service

    @property
    def kind(self) -> str:
        """What is wrong with it."""
        status = self.status
        if status.health in ("crashed", "unhealthy"):
            return status.health
        return "missing" if status.drift == "missing" else "failed"

    @property
    def text(self) -> str:
        """Since when and why; worked out for those that are shown alone, as there may be hundreds."""
        return _reason(self.status, self.now)


def faults_of(cells: Iterable[tuple[str, ServiceStatus]], now: datetime, first: str = "") -> list[Fault]:
    """The broken ones of `cells` (user and binding), the worst first, those of the user `first` before others'."""
    found = [Fault(user, status, now) for user, status in cells if is_faulty(status)]
    return sorted(
        found, key=lambda fault: (_ORDER.index(fault.kind), fault.user != first, fault.user, fault.service)
    )


def _reason(status: ServiceStatus, now: datetime) -> str:
    if status.health in ("crashed", "unhealthy"):
        when = f"{status.health} {ago(status.since, now)}".strip()
        parts = (when, status.reason, status.last_log)
        return " · ".join(clean(part) for part in parts if part)
    if status.drift == "missing":
        return clean(status.drift_reason or "nothing is installed")
    build = status.build
    lines = [line.strip() for line in (build.error if build else "").splitlines() if line.strip()]
    when = f"build failed {ago(build.finished_at, now) if build else ''}".strip()
    return " · ".join((when, *(clean(line) for line in lines[-1:])))


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

    class More(Message):
        """The line that counts those without room was clicked."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self._faults: Sequence[Fault] = ()
        self._all = ""
        self._looks: list[tuple[str, str, str, str]] = []
        self._glyphs = glyphs

    def show(self, faults: Sequence[Fault], key: str) -> None:
        """Show these; repaints only if those that have room look otherwise. `key` shows all of them."""
        before, self._faults, self._all = self._faults, faults, key
        looks, self._looks = self._looks, [(one.user, one.service, one.kind, one.text) for one in faults[:_SHOWN]]
        if looks != self._looks or len(before) != len(faults):
            self.refresh(layout=min(len(before), _SHOWN) != min(len(faults), _SHOWN))

    @property
    def faults(self) -> Sequence[Fault]:
        """What is shown."""
        return self._faults

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """A line a fault."""
        return len(self._faults)

    def jump_spots(self) -> list[tuple[int, int]]:
        """Where a click does something: the faults that are visible."""
        return [(0, y) for y in range(min(self.size.height, len(self._faults)))]

    def on_click(self, event: events.Click) -> None:
        """Say which one was clicked."""
        if not 0 <= event.y < len(self._faults):
            return
        event.stop()
        if self._counts(event.y):
            self.post_message(self.More())
        else:
            fault = self._faults[event.y]
            self.post_message(self.Chosen(fault.user, fault.service))

    def _counts(self, y: int) -> bool:
        """Whether the line counts those for which there is no room."""
        return y == self.size.height - 1 and y < len(self._faults) - 1

    def render_line(self, y: int) -> Strip:
        """One fault; the last line counts those that do not fit."""
        if y >= len(self._faults):
            return paint_parts(self, [])
        if self._counts(y):
            left = len(self._faults) - y
            return paint_parts(self, [(f"   … and {left} more; {self._all} shows them all", "fault--more")])
        fault = self._faults[y]
        user = max(cell_len(one[0]) for one in self._looks)
        service = max(cell_len(one[1]) for one in self._looks)
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
