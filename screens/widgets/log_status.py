"""The log view's last line: following or paused, how many lines, what the filter found."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from textual.strip import Strip

from screens.widgets.celltext import fit
from screens.widgets.log_paint import LogLook
from screens.widgets.log_scene import LogScene

_FILTER_WIDTH = 24


@dataclass(frozen=True, slots=True)
class LogMode:
    """What the person has switched on, and how many lines came since following ended."""

    following: bool = True
    unseen: int = 0
    wrap: bool = False
    times: bool = False


def paint_status(scene: LogScene, mode: LogMode, look: LogLook) -> Strip:
    """The status in exactly the look's width."""
    ground = look.base + look.styles["log--status"]
    if mode.following:
        start = Segment(" following ", ground + look.styles["log--status-strong"])
    else:
        came = f" · {mode.unseen:,} new" if mode.unseen else ""
        start = Segment(f" ‖ paused{came} ", ground + look.styles["log--paused"])
    facts = Segment(f" {' · '.join(_facts(scene))} ", ground)
    switches = "".join(f"{name} " for name, on in (("wrap", mode.wrap), ("times", mode.times)) if on)
    room = look.width - start.cell_length - facts.cell_length - len(switches)
    end = [Segment(" " * room + switches, ground)] if room >= 0 else []
    return Strip([start, facts, *end]).adjust_cell_length(look.width, ground)


def _facts(scene: LogScene) -> list[str]:
    buffer = scene.buffer
    kept = len(buffer.lines)
    facts = [f"{kept:,} line{'s' * (kept != 1)}"]
    if buffer.first:
        facts.append(f"{buffer.first:,} dropped")
    if len(buffer.sources) > 1:
        facts.append(f"{len(buffer.sources)} sources")
    if scene.matcher is not None:
        found = scene.hits.lines
        looked = "" if scene.complete else f" ({scene.hits.progress:.0%} looked at)"
        text = fit(scene.matcher.text, _FILTER_WIDTH).rstrip()
        facts.append(f"/{text} {found:,} match{'es' * (found != 1)}{looked}")
    return facts
