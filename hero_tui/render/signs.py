"""The signs for each state, the same as the cockpit's, without a screen's imports; a test keeps them equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Signs(NamedTuple):
    """Every sign that the command line prints; each is one cell wide."""

    health: Mapping[str, str]
    drift: Mapping[str, str]
    build: Mapping[str, str]
    busy: str
    unbound: str
    stale: str
    bar_done: str
    bar_left: str
    good: str
    bad: str
    more: str
    dot: str
    arrow: str


UNICODE = Signs(
    health={"healthy": "●", "starting": "◐", "unhealthy": "▲", "crashed": "✖", "stopped": "○", "unknown": "?"},
    drift={"current": "=", "behind": "↓", "modified": "✎", "missing": "∅", "pinned": "◆"},
    build={"queued": "◌", "running": "◴", "succeeded": "✓", "failed": "✗", "cancelled": "⊘", "superseded": "»"},
    busy="↻",
    unbound="·",
    stale="≈",
    bar_done="━",
    bar_left="╌",
    good="✓",
    bad="✗",
    more="…",
    dot="·",
    arrow="→",
)

ASCII = Signs(
    health={"healthy": "o", "starting": "~", "unhealthy": "!", "crashed": "X", "stopped": "-", "unknown": "?"},
    drift={"current": "=", "behind": "<", "modified": "*", "missing": "!", "pinned": "#"},
    build={"queued": ":", "running": "&", "succeeded": "+", "failed": "x", "cancelled": "/", "superseded": "|"},
    busy="%",
    unbound=".",
    stale="~",
    bar_done="=",
    bar_left="-",
    good="+",
    bad="x",
    more="~",
    dot="-",
    arrow="->",
)
