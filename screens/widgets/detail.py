"""The selected cell in full: what runs, why it is not well, where it comes from, how to reach it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from screens.widgets.cells import ago, headline
from screens.widgets.celltext import clean, fit
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part, paint_parts

if TYPE_CHECKING:
    from backends.model.state import ServiceStatus

_LABEL = 10
_HOME = str(Path.home())


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what it says, in parts with their styles; `urgent` ones are kept when room is short."""

    label: str
    parts: tuple[Part, ...]
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class DetailView:
    """What the pane shows: the facts, or a sentence where nothing is selected or bound."""

    facts: tuple[Fact, ...] = ()
    sentence: str = ""


def detail_of(status: ServiceStatus, now: datetime, busy: str = "", glyphs: Glyphs = UNICODE) -> DetailView:
    """All that a person may want to know of one binding, the most important first."""
    return DetailView(tuple(_facts(status, now, busy, glyphs)))


def _facts(status: ServiceStatus, now: datetime, busy: str, glyphs: Glyphs) -> Iterator[Fact]:
    if busy:
        yield Fact("now", ((f"{glyphs.busy} {clean(busy)}", "detail--busy"),), urgent=True)
    health = f"{glyphs.health.get(status.health, '?')} {headline(status, now)}"
    yield Fact("health", ((health, f"health--{status.health}"),), urgent=True)
    if status.last_log:
        yield Fact("last line", ((clean(status.last_log), "detail--log"),), urgent=True)
    if status.health in ("crashed", "unhealthy") and status.last_good:
        good: tuple[Part, ...] = ((status.last_good[:8], "detail--strong"), ("  ran before it", "detail--quiet"))
        yield Fact("last good", good)
    if status.health == "unknown" and not status.reason:
        yield Fact("", (("nothing is known of it yet; its slot has not told", "detail--quiet"),))
    yield _build_or_drift(status, now, glyphs)
    if status.build and status.build.state in ("failed", "running", "queued"):
        yield _build_fact(status, now, glyphs)
    yield Fact("branch", tuple(_branch(status)))
    yield Fact("version", tuple(_version(status, now)))
    if status.socket:
        yield Fact("socket", ((short_path(status.socket), "detail--text"),))
    if status.url:
        yield Fact("url", ((clean(status.url), "detail--text"),))
    if status.depends_on:
        yield Fact("needs", ((clean(", ".join(status.depends_on)), "detail--text"),))
    if status.worktree:
        yield Fact("worktree", ((short_path(status.worktree), "detail--quiet"),))
    yield Fact("process", tuple(_process(status)))


def _build_or_drift(status: ServiceStatus, now: datetime, glyphs: Glyphs) -> Fact:
    sign = glyphs.drift.get(status.drift, "?")
    text: list[Part] = [(f"{sign} {status.drift}", f"drift--{status.drift}")]
    if status.drift_reason:
        text.append((f"  {clean(status.drift_reason)}", "detail--text"))
    return Fact("drift", tuple(text), urgent=status.drift == "missing")


def _build_fact(status: ServiceStatus, now: datetime, glyphs: Glyphs) -> Fact:
    build = status.build
    assert build is not None
    when = ago(build.finished_at or build.started_at or build.queued_at, now)
    text = f"{glyphs.build.get(build.state, '?')} {build.state} {when}"
    lines = [line.strip() for line in build.error.splitlines() if line.strip()]
    parts: list[Part] = [(text, f"build--{build.state}")]
    if lines:
        parts.append((f"  {clean(lines[-1] if len(lines) > 1 else lines[0])}", "detail--text"))
    return Fact("build", tuple(parts), urgent=build.state == "failed")


def _branch(status: ServiceStatus) -> Iterator[Part]:
    yield clean(status.branch), "detail--strong"
    yield f"  of {clean(status.repo)}" if status.repo else "", "detail--quiet"
    flags = [
        name for name, on in (("rebuilds by itself", status.auto_rebuild), ("publishes", status.publish)) if on
    ]
    yield f"  {' · '.join(flags)}" if flags else "", "detail--quiet"
    yield "" if status.enabled else "  not enabled", "detail--quiet"


def _version(status: ServiceStatus, now: datetime) -> Iterator[Part]:
    if not status.hash:
        yield "nothing is installed", "detail--quiet"
        return
    source = status.running_from or status.source
    yield status.hash[:8], "detail--strong"
    yield f"  {source}", f"source--{source}"
    if status.running_from and status.running_from != status.source:
        yield f" (the binding asks for {status.source})", "detail--quiet"
    yield f"  {clean(status.tag)}" if status.tag else "", "detail--text"
    yield f"  installed {ago(status.installed_at, now)}" if status.installed_at else "", "detail--quiet"


def _process(status: ServiceStatus) -> Iterator[Part]:
    if status.pid is None:
        yield "none", "detail--quiet"
    else:
        yield f"pid {status.pid}", "detail--text"
    yield f"  {status.restarts} restart{'s' * (status.restarts != 1)}", "detail--quiet"


def short_path(path: str) -> str:
    """A path with `~` for the home."""
    safe = clean(path)
    return f"~{safe[len(_HOME) :]}" if safe.startswith(f"{_HOME}/") else safe


class DetailPane(Widget):
    """Paints a `DetailView`, a fact a line, long ones over several lines where there is room."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "detail--label",
        "detail--text",
        "detail--strong",
        "detail--quiet",
        "detail--log",
        "detail--busy",
        "detail--spark",
        *(f"phase--{number}" for number in range(1, 8)),
        *(f"health--{s}" for s in ("healthy", "starting", "unhealthy", "crashed", "stopped", "unknown")),
        *(f"drift--{s}" for s in ("current", "behind", "modified", "missing", "pinned")),
        *(f"source--{s}" for s in ("release", "build", "hash")),
        *(f"build--{s}" for s in ("queued", "running", "succeeded", "failed", "cancelled", "superseded")),
    }

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view = DetailView()
        self._lines: list[list[Part]] = []
        self._wrapped_for = Size()

    def show(self, view: DetailView) -> None:
        """Show something else; repaints only if it differs."""
        if view == self._view:
            return
        self._view, before = view, self._lines
        self._wrap()
        for y, (old, new) in enumerate(zip_longest(before, self._lines)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    @property
    def view(self) -> DetailView:
        """What is shown."""
        return self._view

    @property
    def room(self) -> int:
        """Cells beside the labels."""
        return max(8, self.size.width - _LABEL - 2)

    def on_resize(self) -> None:
        """Break the lines anew, unless they have been painted so already."""
        if self._wrapped_for != self.size:
            self._wrap()
            self.refresh()

    def _wrap(self) -> None:
        self._wrapped_for, height = self.size, self.size.height
        if self._view.sentence:
            self._lines = [[], [(f" {clean(self._view.sentence)}", "detail--quiet")]]
            return
        facts = list(self._view.facts)
        room = self.room
        wrapped = [_wrapped(fact, room) for fact in facts]
        spare = height - len(facts)
        self._lines = []
        for fact, lines in zip(facts, wrapped, strict=True):
            extra = min(len(lines) - 1, max(0, spare))
            spare -= extra
            for number, parts in enumerate(lines[: 1 + extra]):
                label = fact.label if number == 0 else ""
                self._lines.append([(f" {fit(label, _LABEL)}", "detail--label"), *parts])

    def render_line(self, y: int) -> Strip:
        """One line."""
        if self._wrapped_for != self.size:
            self._wrap()  # Textual tells of a first size after it has painted in it
        return paint_parts(self, self._lines[y] if y < len(self._lines) else [])


def _wrapped(fact: Fact, room: int) -> list[list[Part]]:
    """The parts over as many lines as they need, broken at spaces where there are some."""
    lines: list[list[Part]] = [[]]
    used = 0
    for text, style in fact.parts:
        rest = text
        while rest:
            if used + cell_len(rest) <= room:
                lines[-1].append((rest, style))
                used += cell_len(rest)
                break
            cut = rest.rfind(" ", 1, max(2, room - used + 1))
            if cut <= 0:
                cut = room - used if used == 0 else 0
            if cut:
                lines[-1].append((rest[:cut], style))
            rest = rest[cut:].lstrip()
            lines.append([])
            used = 0
    return lines
