"""The only module that reaches into Textual's private API: fewer bytes, a quick Esc, no freeze on a slow terminal.

All of it is checked against an emulated terminal in tests/screens/test_driver.py and holds for the pinned
Textual alone: screens/textual_gate.py imports this module only where that one is installed. What of it could be
in Textual itself is told in docs/upstream.md.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Collection
from types import FrameType
from typing import Any, ClassVar

from rich.color import ColorSystem
from rich.console import Console
from textual import constants
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.binding import ActiveBinding
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip

from screens.frame_bytes import Frame, Pen, Shown

ESCAPE_SECONDS = 0.02
"""How long a lone ESC waits for the rest of a sequence, unless ESCDELAY (milliseconds) says otherwise."""
BACKED_UP = 32_768
"""Characters waiting for the terminal from which on frames are dropped; Textual blocks at 30 strings."""
_IDLE_SECONDS = 0.1
_RETRY_SECONDS = 0.05

_display_frame = App._display
_refresh_screen = Screen._compositor_refresh


class _Counted:
    """The terminal's file, and how much of what was written it has taken."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.taken = 0
        self.flush = file.flush

    def write(self, text: str) -> None:
        self._file.write(text)
        self.taken += len(text)


class HeroDriver(LinuxDriver):
    """Textual's driver with an Esc key that honours ESCDELAY and a view of the output queue."""

    dropping = False
    """True from the first frame that was left out until the terminal has taken all that waited."""
    detached: ClassVar[bool] = False
    """True while this process's app runs without a terminal, ready to be attached to one."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.shown = Shown()
        self.pen = pen_of(app.console)
        self._resized: Any = None
        self._given, self._counted = 0, _Counted(sys.__stderr__)

    def start_application_mode(self) -> None:
        """Begin on an empty screen; what is not a frame (a bell, a title) never waits for the terminal."""
        self.shown.forget()
        self.dropping = False
        if HeroDriver.detached:
            size = Size(*self._get_terminal_size())
            asyncio.get_running_loop().call_soon(self._app.post_message, Resize(size, size))
            return
        self._given, self._counted = 0, _Counted(sys.__stderr__)
        self._file = self._counted  # type: ignore[assignment]
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is not None:
            self._writer_thread._queue.maxsize = 0
        self._resized = signal.getsignal(signal.SIGWINCH)
        signal.signal(signal.SIGWINCH, self._on_resize)

    def stop_application_mode(self) -> None:
        """Give the terminal back, if there is one."""
        if not HeroDriver.detached:
            super().stop_application_mode()

    def write(self, data: str) -> None:
        """Send to the terminal, if there is one."""
        if not HeroDriver.detached:
            self._given += len(data)
            super().write(data)

    def _on_resize(self, number: int, frame: FrameType | None) -> None:
        self.shown.forget()
        if callable(self._resized):
            self._resized(number, frame)

    def process_message(self, message: Message) -> None:
        """A terminal that was resized, and be it back to its size, may have lost what it showed."""
        if isinstance(message, Resize):
            self.shown.forget()
        super().process_message(message)

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
        """How many characters the terminal has not taken yet."""
        return self._given - self._counted.taken


def poll_seconds(parser: XTermParser) -> float:
    """How long to wait for input: briefly while a lone ESC may be the start of a sequence."""
    return _IDLE_SECONDS if parser._timeout_time is None else constants.ESCAPE_DELAY


def pen_of(console: Console) -> Pen:
    """A pen with the colours of this console."""
    return Pen(console._color_system or ColorSystem.TRUECOLOR)


def render(update: CompositorUpdate, pen: Pen, shown: Shown) -> str:
    """The terminal sequences of a frame, without what `shown` says is there; empty if all of it is.

    Textual sends every line of a frame in which a widget has moved, opened or closed, and often twice. In others
    it crops a partly dirty strip from the widget's first column on, so that many dirty cells on one line cost the
    square of their number in bytes.
    """
    frame = Frame(pen, shown)
    if isinstance(update, LayoutUpdate):
        shown.fit(update.region.size)
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                frame.put(x, y, strip)
                x += strip.cell_length
    elif isinstance(update, ChopsUpdate):
        for y, start, stop in update.spans:
            for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if chop is None or x >= stop or end <= start:
                    continue
                first, last = max(x, start), min(end, stop)
                frame.put(first, y, chop if (first, last) == (x, end) else chop.crop(first - x, last - x))
    return frame.end()


class _Frame(CompositorUpdate):
    """A frame that is rendered already."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render_segments(self, console: Console) -> str:
        return self._text


def _refresh(screen: Screen[Any]) -> None:
    """Render and send what is dirty; while the terminal does not take what was sent, let it stay dirty.

    A full queue would block the event loop, and with it every key and every daemon's message.
    """
    app = screen.app
    driver = app._driver
    if not isinstance(driver, HeroDriver) or not (driver.dropping or driver.waiting >= BACKED_UP):
        _refresh_screen(screen)
        return
    screen._dirty_widgets.clear()  # their regions are known to the compositor
    if not driver.dropping:
        driver.dropping = True
        asyncio.get_running_loop().call_later(_RETRY_SECONDS, _catch_up, app, driver)


def _display(app: App[Any], screen: Screen[Any], update: Any) -> None:
    """Send what differs."""
    driver = app._driver
    if not isinstance(driver, HeroDriver) or not isinstance(update, LayoutUpdate | ChopsUpdate):
        _display_frame(app, screen, update)
        return
    if HeroDriver.detached:
        app.post_display_hook()
        return
    shows = app._running and not app._closed and not app._batch_count
    text = render(update, driver.pen, driver.shown) if shows else ""
    if text:
        _display_frame(app, screen, _Frame(text))  # type: ignore[arg-type]
    else:
        app.post_display_hook()


def _catch_up(app: App[Any], driver: HeroDriver) -> None:
    if not app.is_running or app._driver is not driver or driver._writer_thread is None:
        return
    if driver.waiting:
        asyncio.get_running_loop().call_later(_RETRY_SECONDS, _catch_up, app, driver)
        return
    driver.dropping = False
    app.screen._compositor_refresh()


def _send_all(app: App[Any]) -> None:
    screen = app.screen
    screen._compositor._dirty_regions.add(screen._compositor.size.region)
    screen._compositor_refresh()


def live_bindings(screen: Screen[Any], key: str, ids: Collection[str]) -> dict[str, ActiveBinding]:
    """Of `Screen.active_bindings`, those of `key`, and of all keys that the bindings with these ids have.

    Textual asks every binding whether its action can be done, some 200 of them for each key that is pressed.
    """
    chain = screen._modal_binding_chain
    keys = {name for _, bound in chain for name, one in bound if one.id in ids} | {key}
    found: dict[str, ActiveBinding] = {}
    for node, bound in chain:
        for name, one in bound:
            before = found.get(name)
            if name not in keys or (before and (before.binding.priority or not one.priority)):
                continue
            state = screen.app._check_action_state(one.action, node)
            if state is not False:
                found[name] = ActiveBinding(node, one, bool(state), one.tooltip)
    return found


def repaint(app: App[Any]) -> None:
    """Send the whole screen, whatever the terminal is believed to show: something else may have written on it."""
    driver = app._driver
    if isinstance(driver, HeroDriver):
        driver.shown.forget()
        _send_all(app)


def tell_title(app: App[Any], title: str) -> None:
    """Have the terminal's window, or the pane of tmux, called this."""
    if isinstance(app._driver, HeroDriver):
        app._driver.write(f"\x1b]2;{title}\x07")


def painted(screen: Screen[Any]) -> list[Strip]:
    """The lines that a screen shows now."""
    return screen._compositor.render_strips()


def attach(app: App[Any]) -> None:
    """Give a detached app the terminal that is on this process's standard streams now."""
    driver = app._driver
    assert isinstance(driver, HeroDriver)
    HeroDriver.detached = False
    driver.fileno = 0
    driver.input_tty = True
    driver.start_application_mode()
    if Size(*driver._get_terminal_size()) == app.size:
        _send_all(app)  # any other size has it laid out anew, and sent


def install() -> None:
    """Make every App of this process use the driver; calling it again changes nothing."""
    if "ESCDELAY" not in os.environ:
        constants.ESCAPE_DELAY = ESCAPE_SECONDS  # type: ignore[misc]
    if not os.environ.get("TEXTUAL_DRIVER"):
        constants.DRIVER = f"{__name__}:{HeroDriver.__name__}"  # type: ignore[misc]
    if "TMUX" in os.environ and constants.COLOR_SYSTEM == "auto":
        # tmux reduces colours to what the terminal outside has; its own COLORTERM is often missing.
        constants.COLOR_SYSTEM = "truecolor"  # type: ignore[misc]
    App._display = _display  # type: ignore[method-assign,assignment]
    Screen._compositor_refresh = _refresh  # type: ignore[method-assign,assignment]
