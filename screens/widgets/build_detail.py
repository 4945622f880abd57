"""One build in full: how it went, where its time went, how long it usually takes, who asked for what; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from backends.model.state import Build, Phase
from screens.widgets.build_cells import BuildLook, first_line, phase_now, why
from screens.widgets.build_model import is_open, moment, took
from screens.widgets.cells import ago
from screens.widgets.celltext import clean, duration
from screens.widgets.detail import DetailView, Fact
from screens.widgets.glyphs import Glyphs
from screens.widgets.one_line import Part
from screens.widgets.sparkline import sparkline

SERIES = 7
"""Colours that phases take in turn."""
_LAST_LINES = 3
_SPARKS = 24
_LEAST_SHARE = 0.005
"""Of all the time; a phase that took less has no cell of its own in the bar."""


def build_detail(build: Build, look: BuildLook, room: int) -> DetailView:
    """All that a person may want to know of one build in lines of `room` cells, the most important first."""
    return DetailView(tuple(_facts(build, look, room)))


def _facts(build: Build, look: BuildLook, room: int) -> Iterator[Fact]:
    yield Fact(build.state, tuple(_state(build, look)), urgent=True)
    if build.error:
        yield from _error(build)
    if phases := phases_of(build, look):
        yield Fact("phases", tuple(phase_bar(phases, room, look.glyphs)))
        yield Fact("", tuple(_figures(phases)))
    if seconds := look.timings.usual(build):
        yield Fact("usually", tuple(_usual(seconds, look.glyphs)))
    yield Fact("commit", tuple(_version(build)))
    yield Fact("asked", tuple(_asked(build, look)))


def _state(build: Build, look: BuildLook) -> Iterator[Part]:
    style = f"build--{build.state}"
    sign = look.glyphs.build.get(build.state, "?")
    seconds = took(build, look.now)
    if build.state == "running":
        yield f"{sign} {phase_now(build, look.busy.get((build.slot, build.service), ''))}", style
    elif build.state == "queued":
        yield f"{sign} {clean(build.waits_for) or 'waits for its turn'}", style
    else:
        yield f"{sign} {ago(moment(build), look.now)}", style
    if seconds is not None:
        yield f"  {'for' if is_open(build) else 'after'} {exact(seconds)}", "detail--text"
    expected = look.timings.expected(build) if build.state == "running" else None
    if expected and seconds is not None:
        left = expected - seconds
        yield f"  {'about ' + exact(left) + ' left' if left > 0 else 'longer than usual'}", "detail--quiet"
    if build.attempt > 1:
        yield f"  begun {build.attempt} times", "detail--quiet"
    if build.superseded_by:
        yield f"  by {clean(build.superseded_by)}", "detail--quiet"
    if build.tag:
        yield f"  {clean(build.tag)}", "detail--strong"


def _error(build: Build) -> Iterator[Fact]:
    yield Fact("error", ((first_line(build.error), "build--failed"),), urgent=True)
    lines = [line.strip() for line in build.error.splitlines() if line.strip()]
    for line in lines[1:][-_LAST_LINES:]:
        yield Fact("", ((clean(line), "detail--log"),))
    if build.hint:
        yield Fact("do", ((clean(build.hint), "detail--text"),))


def phases_of(build: Build, look: BuildLook) -> tuple[Phase, ...]:
    """Where its time went, and of a running one, what takes it now."""
    seconds = took(build, look.now)
    if build.state != "running" or build.waits_for or seconds is None:
        return build.phases
    name = phase_now(build, look.busy.get((build.slot, build.service), ""))
    told = sum(phase.seconds for phase in build.phases if phase.name != "queue")
    return (*build.phases, Phase(name=name, seconds=max(0.0, seconds - told)))


def phase_bar(phases: Sequence[Phase], width: int, glyphs: Glyphs) -> Iterator[Part]:
    """The phases as a line of `width` cells at most, each as long as its share of the time."""
    total = sum(phase.seconds for phase in phases)
    left = width
    for number, phase in enumerate(phases):
        share = phase.seconds / total if total > 0 else 0.0
        cells = min(left, max(1, round(share * width))) if share >= _LEAST_SHARE else 0
        left -= cells
        yield glyphs.bar_done * cells, phase_style(number)


def phase_style(number: int) -> str:
    """The style of the phase with this number."""
    return f"phase--{number % SERIES + 1}"


def _figures(phases: Sequence[Phase]) -> Iterator[Part]:
    for number, phase in enumerate(phases):
        yield f"{'  ' if number else ''}{clean(phase.name)} ", phase_style(number)
        yield f"{phase.seconds:.1f}", "detail--text"


def _usual(seconds: Sequence[float], glyphs: Glyphs) -> Iterator[Part]:
    yield sparkline(seconds, min(_SPARKS, len(seconds)), glyphs), "detail--spark"
    yield f"  {exact(median(seconds))}", "detail--strong"
    if len(seconds) > 1:
        yield f"  from {exact(min(seconds))} to {exact(max(seconds))}, last {len(seconds)}", "detail--quiet"


def _version(build: Build) -> Iterator[Part]:
    yield clean(build.commit[:8]) or "its branch's newest", "detail--strong"
    yield f"  {clean(build.branch)}", "detail--text"
    yield f"  of {clean(build.repo)}" if build.repo else "", "detail--quiet"
    wanted = [name for name, on in (("publish", build.publish), ("restart", build.restart)) if on]
    yield f"  then {' and '.join(wanted)}" if wanted else "", "detail--quiet"


def _asked(build: Build, look: BuildLook) -> Iterator[Part]:
    yield why(build) or "nobody knows why", "detail--text"
    yield f"  {ago(build.queued_at, look.now)}" if build.queued_at else "", "detail--quiet"
    if build.coalesced:
        later = f"{build.coalesced} later request{'s' * (build.coalesced > 1)}"
        yield f"  answers {later} too", "detail--quiet"
    yield f"  {build.priority}" if build.priority != "interactive" else "", "detail--quiet"
    yield "  step of an operation" if build.attached else "", "detail--quiet"
    yield f"  {clean(build.id)}", "detail--quiet"


def exact(seconds: float) -> str:
    """A duration whose tenths are told while they matter: `0.4s`, `41s`, `2m05s`."""
    return f"{seconds:.1f}s" if seconds < 9.95 else duration(round(seconds))
