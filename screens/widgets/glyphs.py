"""One cell of sign for each state, so that nothing is told by colour alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

_SINGLE = (
    "busy",
    "building",
    "unbound",
    "folded",
    "unfolded",
    "stale",
    "cursor",
    "marked",
    "bar_done",
    "bar_left",
    "rule",
)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Every sign that a widget draws; each is exactly one terminal cell wide."""

    health: Mapping[str, str]
    drift: Mapping[str, str]
    source: Mapping[str, str]
    build: Mapping[str, str]
    agent: Mapping[str, str]
    said: Mapping[str, str]
    """What the entries of an agent's log are."""
    item: Mapping[str, str]
    """What lies in an inbox."""
    credential: Mapping[str, str]
    busy: str
    building: str
    unbound: str
    folded: str
    unfolded: str
    stale: str
    cursor: str
    marked: str
    bar_done: str
    bar_left: str
    rule: str
    levels: str
    """Eight heights, the lowest first."""

    def all(self) -> dict[str, str]:
        """Name → sign of everything, for tests and the help screen."""
        named = {
            f"{group}.{state}": sign
            for group in ("health", "drift", "source", "build", "agent", "said", "item", "credential")
            for state, sign in getattr(self, group).items()
        }
        for name in _SINGLE:
            named[name] = getattr(self, name)
        named |= {f"levels.{height}": sign for height, sign in enumerate(self.levels)}
        return named


UNICODE = Glyphs(
    health={
        "healthy": "●",
        "starting": "◐",
        "unhealthy": "▲",
        "crashed": "✖",
        "stopped": "○",
        "unknown": "?",
    },
    drift={"current": "=", "behind": "↓", "modified": "✎", "missing": "∅", "pinned": "◆"},
    source={"release": "▾", "build": "▴", "hash": "#"},
    build={
        "queued": "◌",
        "running": "◴",
        "succeeded": "✓",
        "failed": "✗",
        "cancelled": "⊘",
        "superseded": "»",
    },
    agent={"starting": "◌", "working": "●", "waiting": "?", "idle": "○", "error": "✖", "gone": "·"},
    said={
        "start": "»",
        "prompt": "❯",
        "tool": "▸",
        "result": "╰",
        "answer": "●",
        "wait": "?",
        "error": "✖",
        "message": "◂",
        "iteration": "↻",
        "end": "■",
    },
    item={"question": "?", "permission": "◈", "approval": "◆", "message": "◂"},
    credential={"expiring": "◷", "cooling": "❅"},
    busy="↻",
    building="⚙",
    unbound="·",
    folded="▸",
    unfolded="▾",
    stale="≈",
    cursor="▌",
    marked="┃",
    bar_done="━",
    bar_left="╌",
    rule="─",
    levels="▁▂▃▄▅▆▇█",
)

ASCII = Glyphs(
    health={
        "healthy": "o",
        "starting": "~",
        "unhealthy": "!",
        "crashed": "X",
        "stopped": "-",
        "unknown": "?",
    },
    drift={"current": "=", "behind": "<", "modified": "*", "missing": "!", "pinned": "#"},
    source={"release": "v", "build": "^", "hash": "#"},
    build={
        "queued": ":",
        "running": "&",
        "succeeded": "+",
        "failed": "x",
        "cancelled": "/",
        "superseded": "|",
    },
    agent={"starting": ":", "working": "o", "waiting": "?", "idle": "-", "error": "X", "gone": "."},
    said={
        "start": "|",
        "prompt": ">",
        "tool": "*",
        "result": "+",
        "answer": "o",
        "wait": "?",
        "error": "X",
        "message": "<",
        "iteration": "%",
        "end": "#",
    },
    item={"question": "?", "permission": "!", "approval": "#", "message": "<"},
    credential={"expiring": "~", "cooling": "*"},
    busy="%",
    building="*",
    unbound=".",
    folded="*",
    unfolded="v",
    stale="~",
    cursor=">",
    marked="|",
    bar_done="=",
    bar_left="-",
    rule="-",
    levels="_.-=+*%#",
)


_IN_ASCII = {
    **dict.fromkeys("╭╮╰╯┌┐└┘╔╗╚╝┏┓┗┛├┤┬┴┼", "+"),
    **dict.fromkeys("│┃║▎▏▌▍▊▋▐▕▉╏", "|"),
    **dict.fromkeys("─━═╌╍—–‒‑▔", "-"),
    **dict.fromkeys("▀█▖▗▘▙▛▜▝▟▒░▓", "#"),
    **dict.fromkeys("“”„«", '"'),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("…·•", "."),
    "×": "x",
    "→": ">",
    "←": "<",
    "↑": "^",
    "›": ">",
    "‹": "<",
    "↶": "<",
    "‖": "|",
    "⟳": "%",
    "µ": "u",
    "\u00a0": " ",
} | {sign: ASCII.all()[name] for name, sign in UNICODE.all().items()}
"""Frames, dashes, quotes and arrows of sentences, and every sign of the set, which has the last word."""


def in_ascii(character: str) -> str:
    """What stands for one character where only ASCII can be drawn."""
    if character.isascii():
        return character
    if character in _IN_ASCII:
        return _IN_ASCII[character]
    plain = unicodedata.normalize("NFKD", character)[0]
    return plain if plain.isascii() else "?"


def glyphs_for(environment: Mapping[str, str]) -> Glyphs:
    """The set that the terminal described by `environment` can draw."""
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or "UTF-8"
    drawable = "utf" in locale.lower() and environment.get("TERM") not in ("linux", "dumb", "vt100")
    return UNICODE if drawable else ASCII
