"""Lets screens/driver.py into Textual's private parts only where the Textual is the one that it knows."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import textual
from textual.app import App
from textual.binding import ActiveBinding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

TEXTUAL_VERSION = "8.2.8"
"""The version whose private API screens/driver.py knows."""


def is_known(package: Path = Path(textual.__file__).parent) -> bool:
    """Whether `package` is that very version, as its installer recorded it; importing metadata would cost more."""
    return (package.parent / f"textual-{TEXTUAL_VERSION}.dist-info").is_dir()


def install() -> str:
    """Use our driver; the sentence that says why not, where it is not used. Any other Textual works as it is."""
    if not is_known():
        return (
            f"This Textual is not {TEXTUAL_VERSION}: the cockpit runs on it, with a slower Esc key and more bytes "
            "for each change."
        )
    from screens import driver

    driver.install()
    return ""


def mend() -> None:
    """Have done better what goes wrong or takes long by any driver; another Textual does it as it does."""
    if is_known():
        from screens import driver

        driver.mend()


def live_bindings(screen: Screen[Any], key: str = "", ids: Collection[str] = ()) -> dict[str, ActiveBinding]:
    """The bindings that do something now: of `key`, and of the keys that those with these ids have.

    Any other Textual answers all bindings, which takes longer.
    """
    if not is_known():
        return screen.active_bindings
    from screens import driver

    return driver.live_bindings(screen, key, ids)


def repaint(app: App[Any]) -> None:
    """Send the whole screen anew: something else may have written on the terminal."""
    if is_known():
        from screens import driver

        driver.repaint(app)
    else:
        app.refresh(layout=True)


def paint_now(widget: Widget) -> None:
    """Send what has changed of a widget at once, before what else has."""
    if is_known():
        from screens import driver

        driver.paint_now(widget)


def keys_wait(app: App[Any]) -> bool:
    """Whether keys have been pressed of which the app does not know yet; False where nobody can tell."""
    if not is_known():
        return False
    from screens import driver

    return driver.keys_wait(app)


def tell_title(app: App[Any], title: str) -> None:
    """Have the terminal's window called this, where the driver is ours; `title` has no control characters."""
    if is_known():
        from screens import driver

        driver.tell_title(app, title)


def painted(screen: Screen[Any]) -> list[Strip]:
    """The lines that a screen shows now; none on another Textual."""
    if not is_known():
        return []
    from screens import driver

    return driver.painted(screen)
