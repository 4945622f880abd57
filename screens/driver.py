"""The only module that reaches into Textual's private API: fewer bytes, a quick Esc, no freeze on a slow terminal.

All of it is checked against an emulated terminal in tests/screens/test_driver.py and holds for the pinned
Textual alone.
"""

from __future__ import annotations

import asyncio
import os
import selectors
from codecs import getincrementaldecoder
from typing import Any

from rich.console import Console
from rich.control import Control
from textual import _compositor, constants
from textual._compositor import ChopsUpdate
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen

TEXTUAL_VERSION = "8.2.8"
"""The version whose private API this module knows."""
ESCAPE_SECONDS = 0.02
"""How long a lone ESC waits for the rest of a sequence, unless ESCDELAY (milliseconds) says otherwise."""
BACKED_UP = 6
"""Strings waiting for the terminal from which on frames are dropped; Textual blocks at 30."""
_IDLE_SECONDS = 0.1
_RETRY_SECONDS = 0.05

_display_frame = App._display


class HeroDriver(LinuxDriver):
    """Textual's driver with an Esc key that honours ESCDELAY and a view of the output queue."""

    dropping = False
    """True from the first dropped frame until the terminal has taken all that waited."""

    def run_input_thread(self) -> None:
        """Read keys; while a sequence is incomplete, wait no longer than the escape delay."""
        selector = selectors.SelectSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        try:
            while not self.exit_event.is_set():
                if selector.select(poll_seconds(parser)):
                    received = os.read(self.fileno, 4096)
                    if not received:  # the terminal is gone; do not spin on it
                        self.exit_event.wait(_IDLE_SECONDS)
                    data = decode(received)
                    for event in parser.feed(data) if data else ():
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        finally:
            selector.close()
            try:
                for _ in parser.feed(""):
                    pass
            except (EOFError, ParseError, StopIteration):
                pass

    @property
    def waiting(self) -> int:
        """How many strings the terminal has not taken yet."""
        writer = self._writer_thread
        return 0 if writer is None else writer._queue.qsize()


def poll_seconds(parser: XTermParser) -> float:
    """How long to wait for input: briefly while a lone ESC may be the start of a sequence."""
    return _IDLE_SECONDS if parser._timeout_time is None else constants.ESCAPE_DELAY


def render_changes(update: ChopsUpdate, console: Console) -> str:
    """The terminal sequences of a partial update, without what stands left of each changed span.

    Textual crops a partly dirty strip from the widget's first column on, so that many dirty cells on
    one line cost the square of their number in bytes.
    """
    out: list[str] = []
    for y, start, stop in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= stop or end <= start:
                continue
            first, last = max(x, start), min(end, stop)
            if (first, last) != (x, end):
                strip = strip.crop(first - x, last - x)
            out.append(Control.move_to(first, y).segment.text)
            out.append(strip.render(console))
    return "".join(out)


def _display_unless_backed_up(app: App[Any], screen: Screen[Any], renderable: Any) -> None:
    """Drop frames that the terminal cannot take; once it has caught up, one whole frame follows.

    A full queue would block the event loop, and with it every key and every daemon's message.
    """
    driver = app._driver
    if not isinstance(driver, HeroDriver):
        _display_frame(app, screen, renderable)
        return
    if driver.dropping or driver.waiting >= BACKED_UP:
        if not driver.dropping:
            driver.dropping = True
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, _catch_up, app, driver)
        app.post_display_hook()
        return
    _display_frame(app, screen, renderable)


def _catch_up(app: App[Any], driver: HeroDriver) -> None:
    if not app.is_running or app._driver is not driver or driver._writer_thread is None:
        return
    if driver.waiting:
        asyncio.get_running_loop().call_later(_RETRY_SECONDS, _catch_up, app, driver)
        return
    driver.dropping = False
    screen = app.screen
    screen._compositor._dirty_regions.add(screen._compositor.size.region)
    screen._compositor_refresh()


def install() -> None:
    """Make every App of this process use the driver and the two fixes; calling it again changes nothing."""
    if "ESCDELAY" not in os.environ:
        constants.ESCAPE_DELAY = ESCAPE_SECONDS  # type: ignore[misc]
    if not os.environ.get("TEXTUAL_DRIVER"):
        constants.DRIVER = f"{__name__}:{HeroDriver.__name__}"  # type: ignore[misc]
    if "TMUX" in os.environ and constants.COLOR_SYSTEM == "auto":
        # tmux reduces colours to what the terminal outside has; its own COLORTERM is often missing.
        constants.COLOR_SYSTEM = "truecolor"  # type: ignore[misc]
    _compositor.ChopsUpdate.render_segments = render_changes  # type: ignore[method-assign,assignment]
    App._display = _display_unless_backed_up  # type: ignore[method-assign,assignment]
