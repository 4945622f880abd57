"""The machine at a glance: a line each for processor, memory, swap, load and disks, with a bar and its trend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from backends.model.host import DiskSpace, HostPoint, HostSample
from screens.widgets.celltext import byte_count, clean, fit, fit_middle, fit_right
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.host_model import points
from screens.widgets.one_line import Part, paint_parts
from screens.widgets.sparkline import sparkline

_LABEL = 9
_BAR_LEAST, _BAR_MOST = 8, 40
_SPARK_LEAST, _SPARK_MOST = 12, 72
_WORDS = 46
"""Cells that the words of a line may count on."""
_WARN, _BAD = 0.85, 0.95


@dataclass(frozen=True, slots=True)
class MetersView:
    """What is shown; `trend` has the points from the oldest to now. Not `fresh`: nobody tells how it is now."""

    sample: HostSample | None = None
    trend: tuple[HostPoint, ...] = ()
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Meter:
    """One line: how much is taken (0 to 1), the figure that tells it, what is said of it, how it came to that."""

    label: str
    share: float
    words: str
    trend: tuple[float, ...] = ()
    level: str = ""
    figure: str = ""


class HostMeters(Widget):
    """Shows one `MetersView`, as many lines as it has room for."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "meter--label",
        "meter--good",
        "meter--warn",
        "meter--bad",
        "meter--left",
        "meter--spark",
        "meter--text",
        "meter--quiet",
        "meter--stale",
    }

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._view = MetersView()
        self._lines: list[list[Part]] = []

    def show(self, view: MetersView) -> None:
        """Show something else; only lines that differ are painted."""
        if view == self._view:
            return
        self._view = view
        self._paint()

    @property
    def lines(self) -> int:
        """How many lines there is something for."""
        return sum(1 for _ in meters(self._view))

    def on_resize(self) -> None:
        """Bars and trends have other room."""
        self._paint()
        self.refresh()

    def _paint(self) -> None:
        before = self._lines
        self._lines = [self._line(meter) for meter in shortened(list(meters(self._view)), self.size.height)]
        for y, (old, new) in enumerate(zip_longest(before, self._lines)):
            if old != new and y < self.size.height:
                self.refresh(Region(0, y, self.size.width, 1))

    def _line(self, meter: Meter) -> list[Part]:
        room = max(0, self.size.width - _LABEL - 8 - _WORDS)
        bar = max(_BAR_LEAST, min(_BAR_MOST, room // 2))
        spark = min(_SPARK_MOST, room - bar - 2)
        style = "meter--stale" if not self._view.fresh else f"meter--{_level_of(meter)}"
        done = max(0, min(bar, round(meter.share * bar)))
        figure = meter.figure or f"{meter.share:.0%}"
        parts: list[Part] = [
            (f" {fit_middle(meter.label, _LABEL)} ", "meter--label"),
            (self._glyphs.bar_done * done, style),
            (self._glyphs.bar_left * (bar - done), "meter--left"),
            (f"{fit_right(figure, 5)} ", style),
        ]
        if spark >= _SPARK_LEAST:
            trend = sparkline(meter.trend, spark, self._glyphs) if meter.trend else " " * spark
            parts.append((f"{trend} ", "meter--spark"))
        used = _LABEL + 2 + bar + 6 + (spark + 1 if spark >= _SPARK_LEAST else 0)
        parts.append((fit(meter.words, max(0, self.size.width - used - 1)), "meter--quiet"))
        return parts

    def render_line(self, y: int) -> Strip:
        """One line."""
        return paint_parts(self, self._lines[y] if y < len(self._lines) else [])


def meters(view: MetersView) -> Iterator[Meter]:
    """The lines in their order; swap only where there is some."""
    sample, trend = view.sample, view.trend
    if sample is None:
        return
    machine = sample.machine
    cores = f"{machine.cpus} core{'s' * (machine.cpus != 1)}"
    yield Meter("cpu", (machine.cpu or 0.0) / 100, cores, _of(trend, "cpu"), _high(machine.cpu))
    if machine.memory_total:
        yield _used("memory", machine.memory_used, machine.memory_total, _of(trend, "memory"))
    if machine.swap_total:
        yield _used("swap", machine.swap_used, machine.swap_total, _of(trend, "swap"))
    load = machine.load[0] / max(1, machine.cpus)
    words = "  ".join(f"{one:.2f}" for one in machine.load)
    level = "bad" if load >= 4 else "warn" if load >= 2 else "good"
    yield Meter(
        "load", min(1.0, load), f"{words} in 1, 5, 15 minutes", _of(trend, "load"), level, f"{machine.load[0]:.1f}"
    )
    fullest = max(machine.disks, key=lambda one: one.share, default=None)
    for disk in machine.disks:
        yield _disk(disk, _of(trend, "disk") if disk is fullest else ())


def shortened(some: Sequence[Meter], room: int) -> list[Meter]:
    """As many as there is room for: what warns stays longest, what others say better goes first."""
    left = list(some)
    while len(left) > max(1, room):
        quiet = [one for one in left if _level_of(one) in ("good", "stale")] or left
        least = next((one for label in _FIRST_TO_GO for one in quiet if one.label == label), quiet[-1])
        left.remove(least)
    return left


_FIRST_TO_GO = ("swap", "load")


def _level_of(meter: Meter) -> str:
    return meter.level or _level(meter.share)


def _used(label: str, used: int, total: int, trend: tuple[float, ...]) -> Meter:
    return Meter(label, used / total, f"{byte_count(used)} of {byte_count(total)}", trend)


def _disk(disk: DiskSpace, trend: tuple[float, ...]) -> Meter:
    words = [f"{byte_count(disk.free)} free of {byte_count(disk.total)}"]
    if disk.inodes:
        words.append(f"inodes {disk.inode_share:.0%}")
    words.append(f"{clean(disk.kind)}, extents shared" if disk.shared else clean(disk.kind))
    if disk.stale:
        words.insert(0, "does not answer")
    level = "bad" if disk.inode_share >= _BAD else "warn" if disk.inode_share >= _WARN else ""
    worst = level if disk.inode_share > disk.share else ""
    return Meter(disk.mount, disk.share, " · ".join(words), trend, "stale" if disk.stale else worst)


def _of(trend: Sequence[HostPoint], name: str) -> tuple[float, ...]:
    return tuple(points(trend, name))


def _high(cpu: float | None) -> str:
    """A processor that works is no fault: only one that has nothing left is worth a colour."""
    return "warn" if (cpu or 0.0) >= 97 else "good"


def _level(share: float) -> str:
    return "bad" if share >= _BAD else "warn" if share >= _WARN else "good"
