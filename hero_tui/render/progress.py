"""Progress on standard error: one line redrawn in place on a terminal, else a plain line for each phase."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, size

REDRAW_SECONDS = 0.1
_BAR = 16
_BYTE_PHASES = ("download", "upload")
_PHASES = (
    "resolve", "download", "unpack", "worktree", "swap", "restart", "health check", "roll back",
    "publish", "upload", "start", "stop", "install", "fetch", "pull", "queued", "waits", "remove",
)  # fmt: skip


class Progress(Protocol):
    """Hears of an operation while it runs."""

    def begin(self, title: str) -> None:
        """It has been asked for; nothing is known of it yet."""

    def told(self, operation: dict[str, Any]) -> None:
        """The operation as it stands now."""

    def clear(self) -> None:
        """Leave no trace of what was drawn."""


def progress_on(stream: TextIO | None, terminal: Terminal, *, quiet: bool) -> Progress:
    """What fits the stream."""
    if quiet or stream is None:
        return Silent()
    return Bar(stream, terminal) if terminal.live else Phases(stream)


class Silent:
    """Shows nothing."""

    def begin(self, title: str) -> None:
        """Nothing is shown."""

    def told(self, operation: dict[str, Any]) -> None:
        """Nothing is shown."""

    def clear(self) -> None:
        """There is nothing to clear."""


class Phases:
    """A line for each phase as it begins; of a build, whose every line of output is a phase, one for them all."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._last = ""

    def begin(self, title: str) -> None:
        """The first phase will have a line."""

    def told(self, operation: dict[str, Any]) -> None:
        """Print the phase if it is another one."""
        phase = phase_name(operation)
        if not phase or phase == self._last:
            return
        self._last = phase
        print(f"{clean(operation['title'])}: {phase}", file=self._stream, flush=True)

    def clear(self) -> None:
        """Lines stay."""


class Bar:
    """One line: title, phase, bar, how much; redrawn ten times a second at most."""

    def __init__(self, stream: TextIO, terminal: Terminal, clock: Callable[[], float] = time.monotonic):
        self._stream = stream
        self._terminal = terminal
        self._clock = clock
        self._drawn_at = -REDRAW_SECONDS
        self._drawn = False

    def begin(self, title: str) -> None:
        """Draw the title alone."""
        self._draw(cut(clean(title), (self._terminal.width or 80) - 1, self._terminal.signs.more))

    def told(self, operation: dict[str, Any]) -> None:
        """Redraw, unless that was done a moment ago; the next change shows what this one would have."""
        if self._clock() - self._drawn_at < REDRAW_SECONDS or operation["state"] != "running":
            return
        self._drawn_at = self._clock()
        self._draw(bar_line(operation, self._terminal))

    def clear(self) -> None:
        """Take the line away."""
        if self._drawn:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
        self._drawn = False

    def _draw(self, line: str) -> None:
        self._drawn = True
        print(f"\r{line}\x1b[K", end="", file=self._stream, flush=True)


def phase_name(operation: dict[str, Any]) -> str:
    """The phase in a word or two; what a build prints is no phase."""
    phase = clean(operation["phase"], 80)
    return phase if not phase or phase.startswith(_PHASES) else "build"


def bar_line(operation: dict[str, Any], terminal: Terminal) -> str:
    """The progress line, a cell narrower than the terminal: in the last one, some begin a new line."""
    room = (terminal.width or 80) - 1
    phase = clean(operation["phase"], 200)
    parts = [clean(operation["title"]), phase or "begins"]
    done, total = operation["done"], operation["total"]
    if total:
        share = min(max(done / total, 0.0), 1.0)
        full = int(share * _BAR)
        parts.append(terminal.signs.bar_done * full + terminal.signs.bar_left * (_BAR - full))
        parts.append(f"{size(done)} of {size(total)}" if phase in _BYTE_PHASES else f"{done} of {total}")
    return cut("  ".join(parts), room, terminal.signs.more)
