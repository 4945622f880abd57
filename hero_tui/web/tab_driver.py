"""How the cockpit of a browser's tab draws and is told of keys; it ends when nobody is left to draw for."""

from __future__ import annotations

import contextlib

from textual import messages
from textual.drivers.web_driver import WebDriver


class TabDriver(WebDriver):
    """Textual's driver for browsers."""

    def run_input_thread(self) -> None:
        """Until the daemon has closed the pipe, or was killed: no tab outlives it."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.call_later(self._app.post_message, messages.ExitApp())

    def write(self, data: str) -> None:
        """Send to the page; where that is gone, the end of the pipe will be noticed."""
        with contextlib.suppress(BrokenPipeError):
            super().write(data)

    def write_meta(self, data: dict[str, object]) -> None:
        """Tell the daemon something."""
        with contextlib.suppress(BrokenPipeError):
            super().write_meta(data)
