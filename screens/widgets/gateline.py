"""The gate of a service's trunk as lamps: does it build, are its archives there, does it run healthy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from backends.model.forge import Gate, GateState
from screens.widgets.celltext import clean
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part, paint_parts

_SIGNS: dict[GateState, str] = {"pass": "succeeded", "fail": "failed", "wait": "queued"}
_WORDS: dict[GateState, str] = {"pass": "pass", "fail": "fail", "wait": "wait", "unknown": "unknown"}


def lamps(gate: Gate, glyphs: Glyphs = UNICODE) -> Iterator[Part]:
    """`builds ✓ pass   archives ✗ no linux-musl-x86_64 +1   healthy ◌ wait`."""
    missing = _missing(gate) if gate.archives == "fail" else ""
    told: tuple[tuple[str, GateState, str], ...] = (
        ("builds", gate.builds, ""),
        ("archives", gate.archives, missing),
        ("healthy", gate.healthy, ""),
    )
    for number, (label, state, word) in enumerate(told):
        yield f"{'   ' if number else ''}{label} ", "gate--label"
        yield f"{gate_sign(state, glyphs)} {word or _WORDS[state]}", f"gate--{state}"


def _missing(gate: Gate) -> str:
    """`no linux-musl-x86_64 +1`; where no platform is required, the box's own is."""
    if not gate.missing:
        return ""
    if gate.missing[0] not in gate.platforms:
        return "none for this box"
    others = f" +{len(gate.missing) - 1}" if len(gate.missing) > 1 else ""
    return f"no {clean(gate.missing[0], 30)}{others}"


def gate_sign(state: GateState, glyphs: Glyphs = UNICODE) -> str:
    """The lamp itself, in one cell."""
    return glyphs.build[_SIGNS[state]] if state in _SIGNS else "?"


def verdict(gate: Gate) -> Part:
    """What it comes to, in a sentence: the first thing that is in the way."""
    if gate.passes:
        return "Fit for everybody: it builds, it is published, it runs healthy.", "gate--pass"
    states = (gate.builds, gate.archives, gate.healthy)
    worst: GateState = next((state for state in ("fail", "wait", "unknown") if state in states), "unknown")
    return clean(gate.reason) or "Nothing more is known.", f"gate--{worst}"


def gate_lines(gate: Gate | None, problem: str = "") -> list[list[Part]]:
    """The lamps, and below them what they come to; `problem`: why the box did not tell."""
    if problem:
        return [list(lamps(gate)) if gate else [], [(clean(problem), "gate--fail")]]
    return [list(lamps(gate)), [verdict(gate)]] if gate else [[], [("Asking…", "gate--label")]]


class GateLine(Widget):
    """Paints lines of parts, each in one line of the screen; feed it with `show`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "gate--label",
        "gate--strong",
        "gate--tag",
        "gate--pass",
        "gate--fail",
        "gate--wait",
        "gate--unknown",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[tuple[Part, ...], ...] = ()

    def show(self, lines: Sequence[Sequence[Part]]) -> None:
        """Show these; only lines that differ are painted."""
        before, self._lines = self._lines, tuple(tuple(line) for line in lines)
        for y in range(max(len(before), len(self._lines))):
            if before[y : y + 1] != self._lines[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """One line."""
        return paint_parts(self, self._lines[y] if y < len(self._lines) else ())
