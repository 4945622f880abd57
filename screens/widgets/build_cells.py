"""From a build to the cells of its line in the list: which columns there are, and what each says; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len

from screens.widgets.build_model import Timings, is_open, moment, took
from screens.widgets.celltext import clean, coarse_age, duration, fit, fit_middle, fit_right
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part
from screens.widgets.sparkline import sparkline

if TYPE_CHECKING:
    from backends.model.state import Build

PHASES = ("queue", "worktree", "compile", "pack", "publish", "install", "restart")
"""In the order in which a build goes through them."""
_BAR_LEAST = 8
_RESULT_LEAST = 10
_ROOM_FOR_WHY = 104
_ROOM_FOR_WORDS = 128


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title and its width in cells."""

    name: str
    title: str
    width: int


@dataclass(frozen=True, slots=True)
class BuildLook:
    """What lines need besides their builds: the present, how long builds take, what runs on each cell."""

    now: datetime
    timings: Timings = field(default_factory=Timings)
    busy: Mapping[tuple[str, str], str] = field(default_factory=dict)
    glyphs: Glyphs = UNICODE


@dataclass(frozen=True, slots=True)
class BuildTable:
    """The lines of builds; `marks` are the ids of those that are marked."""

    look: BuildLook
    marks: frozenset[str] = frozenset()

    @property
    def glyphs(self) -> Glyphs:
        """See `Table`."""
        return self.look.glyphs

    def key(self, row: Build) -> str:
        """See `Table`."""
        return row.id

    def marked(self, row: Build) -> bool:
        """See `Table`."""
        return row.id in self.marks

    def columns(self, rows: Sequence[Build], room: int) -> list[Column]:
        """See `measure`."""
        return measure(rows, room)

    def parts(self, row: Build, column: Column) -> Sequence[Part]:
        """See `cell_parts`."""
        return cell_parts(row, column, self.look)


def measure(builds: Iterable[Build], room: int) -> list[Column]:
    """Columns and widths for `room` cells: names as wide as they need to be, the rest for how it goes."""
    shown = list(builds)
    wide, reasoned = room >= _ROOM_FOR_WORDS, room >= _ROOM_FOR_WHY
    columns = [
        Column("state", "state" if wide else "", 12 if wide else 1),
        Column("slot", "slot", _widest((one.slot for one in shown), 4, 14 if wide else 11)),
        Column("service", "service", _widest((one.service for one in shown), 7, 20 if wide else 13)),
        Column(
            "branch", "branch", _widest((one.branch for one in shown), 6, 26 if wide else 18 if reasoned else 13)
        ),
        Column("commit", "commit", 8),
    ]
    if reasoned:
        columns.append(Column("why", "why", _widest((why(one) for one in shown), 6, 20 if wide else 12)))
    columns += [Column("age", "age", 3), Column("took", "took", 6)]
    if reasoned:
        columns.append(Column("last", "last", 10 if wide else 8))
    if sum(column.width + 1 for column in columns) + _RESULT_LEAST > room:
        columns = [column for column in columns if column.name != "commit"]
    used = sum(column.width + 1 for column in columns)
    return [*columns, Column("result", "result", max(4, room - used))]


def _widest(texts: Iterable[str], least: int, most: int) -> int:
    return min(most, max([least, *(cell_len(clean(text)) for text in texts)]))


def why(build: Build) -> str:
    """Who or what asked for it: `webhook`, `rebuild`, `submit by mik`, with how many later ones it answers too."""
    known = build.actor in ("", build.slot, build.reason)
    text = build.reason if known else f"{build.reason} by {build.actor}"
    return clean(f"{text} +{build.coalesced}" if build.coalesced else text)


def phase_now(build: Build, busy: str = "") -> str:
    """What a running build does, in a word: what its slot tells, else the phase after the last that ended."""
    if build.waits_for:
        return clean(build.waits_for)
    if busy:
        return clean(busy)
    done = build.phases[-1].name if build.phases else "queue"
    later = PHASES[PHASES.index(done) + 1 :] if done in PHASES else ()
    left_out = {"publish": not build.publish, "install": not build.restart, "restart": not build.restart}
    return next((phase for phase in later if not left_out.get(phase)), "running")


def cell_parts(build: Build, column: Column, look: BuildLook) -> Sequence[Part]:
    """The parts of one cell, together in exactly its column's width, with their styles."""
    width, glyphs = column.width, look.glyphs
    match column.name:
        case "state":
            sign = glyphs.build.get(build.state, "?")
            return ((fit(f"{sign} {build.state}" if width > 1 else sign, width), f"build--{build.state}"),)
        case "slot":
            return ((fit_middle(build.slot, width), "list--name" if is_open(build) else "list--text"),)
        case "service":
            return ((fit_middle(build.service, width), "list--name" if is_open(build) else "list--text"),)
        case "branch":
            return ((fit_middle(build.branch, width), "list--text" if is_open(build) else "list--quiet"),)
        case "commit":
            return ((fit(build.commit[:8], width), "list--quiet"),)
        case "why":
            return ((fit(why(build), width), "list--quiet"),)
        case "age":
            return ((fit_right(_age((look.now - moment(build)).total_seconds()), width), "list--quiet"),)
        case "took":
            seconds = took(build, look.now)
            style = "list--busy" if build.state == "running" else "list--text"
            return ((fit_right(duration(seconds) if seconds is not None else "", width), style),)
        case "last":
            return ((sparkline(look.timings.before(build), width, glyphs), "list--spark"),)
    return _result(build, width, look)


def _age(seconds: float) -> str:
    """Seconds at first, which is when they matter in a queue."""
    return f"{max(0, int(seconds))}s" if seconds < 60 else coarse_age(seconds)


def _result(build: Build, width: int, look: BuildLook) -> Sequence[Part]:
    """How it goes or went: phase and bar, what it waits for, the tag, what went wrong."""
    match build.state:
        case "running":
            return _progress(build, width, look)
        case "queued":
            return ((fit(build.waits_for or "waits for its turn", width), "list--quiet"),)
        case "failed":
            return ((fit(first_line(build.error) or "failed", width), "build--failed"),)
        case "superseded":
            by = f"by {build.superseded_by}" if build.superseded_by else build.error
            return ((fit(by, width), "list--quiet"),)
        case "succeeded" if build.tag:
            return ((fit_middle(build.tag, width), "list--tag"),)
    return ((fit(first_line(build.error), width), "list--quiet"),)


def _progress(build: Build, width: int, look: BuildLook) -> Sequence[Part]:
    phase = phase_now(build, look.busy.get((build.slot, build.service), ""))
    share = look.timings.share(build, look.now)
    word = min(cell_len(phase), max(7, width - _BAR_LEAST - 6))
    bar = min(30, width - word - 1 - 5)
    if share is None:
        return ((fit(phase, width), "list--busy"),)
    if bar < _BAR_LEAST:
        figure = f" {share:.0%}"
        return ((fit(f"{fit(phase, min(cell_len(phase), width - len(figure)))}{figure}", width), "list--busy"),)
    done = round(share * bar)
    rest = width - word - 1 - bar
    return (
        (f"{fit(phase, word)} ", "list--busy"),
        (look.glyphs.bar_done * done, "list--bar"),
        (look.glyphs.bar_left * (bar - done), "list--left"),
        (fit(f" {share:3.0%}", rest), "list--quiet"),
    )


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((clean(line) for line in text.splitlines() if line.strip()), "")
