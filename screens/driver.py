"""The only module that reaches into Textual's private API: fewer bytes, quick keys, no freeze on a slow terminal.

It is long because it is the only one. All of it is checked against an emulated terminal in
tests/screens/test_driver.py and holds for the pinned Textual alone: screens/textual_gate.py imports this module
only where that one is installed. What of it could be in Textual itself is told in docs/upstream.md.
"""

from __future__ import annotations

import asyncio
import os
import signal
from codecs import getincrementaldecoder
from collections.abc import Collection
from functools import lru_cache
from types import FrameType
from typing import Any, ClassVar

from rich.color import ColorSystem
from rich.console import Console
from textual import constants
from textual._compositor import Compositor, CompositorUpdate, LayoutUpdate
from textual._styles_cache import StylesCache
from textual._time import get_time
from textual._types import MessageTarget, WatchCallbackType
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import ActiveBinding
from textual.color import Color
from textual.css.model import RuleSet
from textual.css.styles import RenderStyles
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip
from textual.style import Style
from textual.timer import Timer
from textual.widget import Widget

from screens.frame_bytes import Frame, Pen, Shown
from screens.pieces import Piece, pieces
from screens.tty import Tty

ESCAPE_SECONDS = 0.02
"""How long a lone ESC waits for the rest of a sequence, unless ESCDELAY (milliseconds) says otherwise."""
BACKED_UP = 32_768
"""Bytes waiting for the terminal from which on frames are dropped; Textual blocks at 30 strings."""
_RETRY_SECONDS = 0.05

_display_frame = App._display
_refresh_screen = Screen._compositor_refresh


class HeroDriver(LinuxDriver):
    """Textual's driver without threads, with an Esc key that honours ESCDELAY and a view of what waits."""

    dropping = False
    """True from the first frame that was left out until the terminal has taken all that waited."""
    detached: ClassVar[bool] = False
    """True while this process's app runs without a terminal, ready to be attached to one."""
    tty: Tty | None = None

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.shown = Shown()
        self.pen = pen_of(app.console)
        self._resized: Any = None

    @property
    def _writer_thread(self) -> Any:
        return self.tty

    @_writer_thread.setter
    def _writer_thread(self, writer: Any) -> None:
        """Textual gives a thread that has not been started: the terminal itself takes its place."""
        self.tty = Tty(self.fileno, self._file) if writer is not None and self._file is not None else None

    def start_application_mode(self) -> None:
        """Begin on an empty screen."""
        self.shown.forget()
        self.dropping = False
        if HeroDriver.detached:
            size = Size(*self._get_terminal_size())
            asyncio.get_running_loop().call_soon(self._app.post_message, Resize(size, size))
            return
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self.tty is not None:
            self._listen(self.tty)
        self._resized = signal.getsignal(signal.SIGWINCH)
        signal.signal(signal.SIGWINCH, self._on_resize)

    def stop_application_mode(self) -> None:
        """Give the terminal back, if there is one."""
        if not HeroDriver.detached:
            super().stop_application_mode()

    def disable_input(self) -> None:
        """Read no more keys."""
        if self.tty is not None:
            self.tty.ignore()
        super().disable_input()

    def write(self, data: str) -> None:
        """Send to the terminal, if there is one."""
        if not HeroDriver.detached:
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

    def send_message(self, message: Message) -> None:
        """Tell the app."""
        self._app.post_message(message)

    def _run_input_thread(self) -> None:
        """There is nothing for a thread to do."""

    def _listen(self, tty: Tty) -> None:
        """Take keys; while a sequence is incomplete, wait for the rest of it no longer than the escape delay."""
        parser, loop = XTermParser(self._debug), asyncio.get_running_loop()
        decode = getincrementaldecoder("utf-8")("replace").decode
        early = tty.typed

        def take(received: bytes) -> None:
            nonlocal early
            if not received:
                self._app.exit(1)
            # Until the terminal belonged to us it made a line's end of Enter, which would come as ctrl+j.
            received, early = _with_enter(received, early), max(0, early - len(received))
            data = decode(received)
            for event in parser.feed(data) if data else ():
                self.process_message(event)
            if parser._timeout_time is not None:
                loop.call_later(rest_seconds(parser), end)

        def end() -> None:
            for event in parser.tick():
                self.process_message(event)

        tty.listen(take)

    @property
    def waiting(self) -> int:
        """How many bytes the terminal has not taken yet."""
        return self.tty.unsent if self.tty is not None else 0


def _with_enter(received: bytes, early: int) -> bytes:
    """The line ends among the first `early` bytes are Enter."""
    return received[:early].replace(b"\n", b"\r") + received[early:]


def rest_seconds(parser: XTermParser) -> float:
    """How long to wait for the rest of what may be the start of a sequence, a lone ESC say."""
    return max(0.0, (parser._timeout_time or 0.0) - get_time())


def pen_of(console: Console) -> Pen:
    """A pen with the colours of this console."""
    return Pen(console._color_system or ColorSystem.TRUECOLOR)


def render(update: CompositorUpdate, pen: Pen, shown: Shown) -> str:
    """The terminal sequences of a frame, without what `shown` says is there; empty if all of it is.

    Textual sends every line of a frame in which a widget has moved, opened or closed, and often twice.
    """
    frame = Frame(pen, shown)
    if isinstance(update, LayoutUpdate):
        shown.fit(update.region.size)
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                frame.put(x, y, strip)
                x += strip.cell_length
    elif isinstance(update, Pieces):
        for x, y, strip in update.found:
            frame.put(x, y, strip)
    return frame.end()


class Pieces(CompositorUpdate):
    """What is dirty, and nothing besides."""

    def __init__(self, found: list[Piece]) -> None:
        self.found = found

    def render_segments(self, console: Console) -> str:
        """As text for a terminal of which nothing is known."""
        return render(self, pen_of(console), Shown())


def partial_update(compositor: Compositor) -> Pieces | None:
    """What is dirty, as Textual's own shows it.

    That one divides all widgets' lines between the first and the last dirty one, and crops a partly dirty strip
    from the widget's first column on, so that many dirty cells on a line cost the square of their number in bytes.
    """
    dirty = compositor._dirty_regions.copy()
    compositor._dirty_regions.clear()
    if not dirty:
        return None
    screen = compositor.size.region
    inside = [region for region in (one.intersection(screen) for one in dirty) if region]
    return Pieces(pieces(compositor._regions_to_spans(inside), compositor.visible_widgets.items()))


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
    if not isinstance(driver, HeroDriver) or not isinstance(update, LayoutUpdate | Pieces):
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
    if not app.is_running or app._driver is not driver:
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


def paint_now(widget: Widget) -> None:
    """Send what of this widget is dirty at once, and before what else is.

    Textual has it told to the screen by a message, gathers, and sends it up to a sixtieth of a second later.
    """
    screen, app = widget.screen, widget.app
    if not widget._repaint_required or widget._layout_required or widget._scroll_required:
        return
    if app._batch_count or not screen.is_current or screen._layout_required or not widget.is_mounted:
        return
    widget._repaint_required = False
    others = screen._dirty_widgets - {widget}
    screen._compositor.update_widgets({widget})
    screen._compositor_refresh()
    screen._dirty_widgets |= others


def keys_wait(app: App[Any]) -> bool:
    """Whether keys have been pressed that the app has not looked at."""
    driver = app._driver
    typed = isinstance(driver, HeroDriver) and driver.tty is not None and driver.tty.readable
    return typed or app.message_queue_size > 0


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


class _Parts(dict[str, RenderStyles]):
    """The styles of a widget's component classes, each worked out once it is asked for: of many, few are."""

    def __init__(self, stylesheet: Stylesheet, widget: DOMNode) -> None:
        super().__init__()
        self.stylesheet, self.widget = stylesheet, widget

    def __contains__(self, name: object) -> bool:
        return name in self.widget._get_component_classes()

    def __missing__(self, name: str) -> RenderStyles:
        part = DOMNode(classes=name)
        part._attach(self.widget)
        self.stylesheet.apply(part)
        self[name] = part.styles
        return part.styles


def _style_parts(stylesheet: Stylesheet, widget: DOMNode) -> None:
    """What has been painted is painted anew where a part of it has another style now."""
    if not widget._get_component_classes():
        return
    was, now = widget._component_styles, _Parts(stylesheet, widget)
    widget._component_styles = now
    if any(now[name] != styles for name, styles in was.items()):
        widget.refresh()


@lru_cache(1024)
def _grounds(base: Color, ground: Color) -> tuple[Style, Style]:
    return Style(background=base + ground), Style(background=base)


def _inner_outer(_: StylesCache, base: Color, ground: Color) -> tuple[Style, Style]:
    """The styles of two grounds. Textual's own cache of them keeps all lines of widgets that are gone."""
    return _grounds(base, ground)


SOONEST_SECONDS = 0.01
"""After which a timer rings at the soonest."""
_begin_timer = Timer.__init__


def _timed(timer: Timer, event_target: MessageTarget, interval: float, **options: Any) -> None:
    _begin_timer(timer, event_target, max(interval, SOONEST_SECONDS), **options)


_dismiss = Screen.dismiss


def _dismissed(screen: Screen[Any], result: Any = None) -> AwaitComplete:
    """Close it, once, and what lies on it. Of two keys that come together Textual's own closes the one below."""
    if screen not in screen.app.screen_stack:
        return AwaitComplete()
    if not screen.is_active:
        screen.pop_until_active()
    return _dismiss(screen, result)


_watch = DOMNode.watch


def _watched(
    node: DOMNode, obj: DOMNode, attribute_name: str, callback: WatchCallbackType, init: bool = True
) -> None:
    """Watch it. Textual forgets who watched and was closed only when the value changes: of the theme, never."""
    watchers = getattr(obj, "__watchers", {}).get(attribute_name, [])
    watchers[:] = [each for each in watchers if not each[0]._closing]
    _watch(node, obj, attribute_name, callback, init)


def mend() -> None:
    """Make every App of this process work out styles when they are needed, and parse each style sheet once.

    A timer for a moment that has passed rings at once. Textual's own counts the rings that it has missed
    backwards, for ever, and nothing else goes on: so it is with a toast whose time runs out as it is mounted.
    """
    DOMNode.watch = _watched  # type: ignore[method-assign,assignment]
    Screen.dismiss = _dismissed  # type: ignore[method-assign,assignment]
    Timer.__init__ = _timed  # type: ignore[method-assign,assignment]
    StylesCache.get_inner_outer = _inner_outer  # type: ignore[method-assign,assignment]
    Stylesheet._process_component_classes = _style_parts  # type: ignore[method-assign,assignment]
    # It would parse all of them again for each new one: but a change of variables forgets what was parsed anyway.
    Stylesheet.reparse = Stylesheet.parse  # type: ignore[method-assign]
    RuleSet.__hash__ = object.__hash__  # type: ignore[method-assign]  # as its own one, but in C


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
    Compositor.render_partial_update = partial_update  # type: ignore[method-assign,assignment]
    App._display = _display  # type: ignore[method-assign,assignment]
    Screen._compositor_refresh = _refresh  # type: ignore[method-assign,assignment]
    mend()
