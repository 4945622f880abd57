"""The log view's last line: following or paused, where one is, how many lines, errors and matches there are."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from screens.widgets.celltext import fit
from screens.widgets.log_paint import LogLook
from screens.widgets.log_scene import LogScene

_FILTER_WIDTH = 24
Fact = tuple[str, str]
"""Text and style."""


@dataclass(frozen=True, slots=True)
class LogMode:
    """What the person has switched on, and how many lines came since following ended. `window` is told as is."""

    following: bool = True
    unseen: int = 0
    wrap: bool = False
    times: bool = False
    json: bool = False
    window: str = ""


def paint_status(scene: LogScene, mode: LogMode, look: LogLook, place: int | None, current: int | None) -> Strip:
    """The status in exactly the look's width; what has no room is left out. `place` is the line at the bottom."""
    ground = look.base + look.styles["log--status"]
    if mode.following:
        ended = scene.window.end is not None
        start = Segment(" at its end " if ended else " following ", ground + look.styles["log--status-strong"])
    else:
        came = f" · {mode.unseen:,} new" if mode.unseen else ""
        start = Segment(f" ‖ paused{came} ", ground + look.styles["log--paused"])
    switched = (("wrap", mode.wrap), ("times", mode.times), ("json", mode.json))
    end = "".join(f"{name} " for name, on in switched if on)
    room = look.width - start.cell_length - 1
    parts = [Segment(" ", ground)]
    facts = _facts(scene, mode, place, current)
    for number, (text, style) in enumerate(facts):
        shown = f" · {text}" if number else text
        room -= cell_len(shown)
        if room < 0:
            break
        parts += [Segment(" · ", ground)] * (number > 0) + [Segment(text, ground + look.styles[style])]
    if room > cell_len(end):
        parts.append(Segment(" " * (room - cell_len(end)) + end, ground))
    return Strip([start, *parts]).adjust_cell_length(look.width, ground)


def paint_nothing(scene: LogScene, mode: LogMode, look: LogLook) -> Strip:
    """Why there is no line, where there is a reason that the person set."""
    if scene.matcher is not None and scene.hits.progress < 1.0:
        text = "Looking…"
    elif scene.matcher is not None:
        text = f"Nothing matches /{fit(scene.matcher.text, _FILTER_WIDTH).rstrip()}; esc shows all."
    else:
        text = f"Nothing is there ({mode.window}); esc shows all." if mode.window else ""
    style = look.base + look.styles["log--time"]
    return Strip([Segment(text.center(look.width), style)]).adjust_cell_length(look.width + 1, look.base)


def _facts(scene: LogScene, mode: LogMode, place: int | None, current: int | None) -> list[Fact]:
    """What there is to tell, what is asked for most first."""
    log, quiet = scene.log, "log--status"
    number = None if mode.following or place is None else log.lines.number(place)
    facts = [(_lines(scene, number), quiet)]
    if mode.window:
        facts.insert(0, (mode.window, "log--status-strong"))
    if scene.matcher is not None:
        facts.append((_matches(scene, current), quiet))
    if errors := log.errors.count:
        facts.append((f"✖ {_counted(errors, 'error')}", "log--status-errors"))
    if log.dropped:
        facts.append((f"{log.dropped:,} dropped", quiet))
    if len(log.sources) > 1:
        facts.append((f"{len(log.sources)} sources", quiet))
    return facts


def _lines(scene: LogScene, number: int | None) -> str:
    """How many lines there are, in the window if there is one, and which is at the bottom."""
    lines = scene.log.lines
    above = 0 if scene.window.begin is None else lines.number(scene.window.begin - 1)
    below = lines.count if scene.window.end is None else lines.number(scene.window.end - 1)
    if lines.progress < 1.0 or above is None or below is None:
        return f"{_counted(lines.count, 'line')}…"
    if number is not None:
        return f"line {number - above:,} of {below - above:,}"
    return _counted(below - above, "line")


def _matches(scene: LogScene, current: int | None) -> str:
    assert scene.matcher is not None
    found = scene.hits
    number = None if current is None else found.number(current)
    which = f"{number:,} of " if number else ""
    looked = "" if found.progress >= 1.0 else f" ({found.progress:.0%} looked at)"
    text = fit(scene.matcher.text, _FILTER_WIDTH).rstrip()
    return f"/{text} {which}{found.count:,} match{'es' * (found.count != 1)}{looked}"


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"
