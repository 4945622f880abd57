"""The operations that this cockpit began: a line each, and for a failed one what a person reads first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from screens.widgets.celltext import clean
from screens.widgets.progress import OperationBar, OperationView

SHOWN = 3
_LINES = 5


class Shown(Protocol):
    """One operation: its line, and the lines to read once it failed."""

    @property
    def view(self) -> OperationView: ...

    @property
    def lines(self) -> tuple[str, ...]: ...


class DoingStack(Vertical):
    """Shows the newest operations; takes no room while there are none."""

    DEFAULT_CSS = """
    DoingStack { height: auto; display: none; }
    DoingStack.-shown { display: block; }
    DoingStack OperationBar { display: none; }
    DoingStack OperationBar.-shown { display: block; }
    DoingStack Static { display: none; height: auto; padding: 0 3; }
    DoingStack Static.-shown { display: block; }
    """

    def __init__(self, cancel_key: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._cancel_key = cancel_key

    def _places(self) -> Iterator[Widget]:
        """A bar and a text for each of the newest."""
        for place in range(SHOWN):
            yield OperationBar(cancel_key=self._cancel_key, id=f"doing-{place}")
            yield Static("", markup=False, id=f"doing-lines-{place}", classes="doing-lines")

    def show(self, doings: Sequence[Shown]) -> None:
        """Show these, newest at the bottom; repaints only what differs."""
        shown = doings[-SHOWN:]
        if not self.children:
            if not shown:
                return  # a screen stands sooner without what most never show
            self.mount_all(self._places())
        self.set_class(bool(shown), "-shown")
        self.set_class(any(doing.view.state == "failed" for doing in shown), "-failed")
        for place in range(SHOWN):
            doing = shown[place] if place < len(shown) else None
            bar = self.query_one(f"#doing-{place}", OperationBar)
            bar.set_class(doing is not None, "-shown")
            bar.show(doing.view if doing else None)
            text = "\n".join(clean(line) for line in doing.lines[-_LINES:]) if doing else ""
            lines = self.query_one(f"#doing-lines-{place}", Static)
            if lines.has_class("-shown") != bool(text) or (text and str(lines.content) != text):
                lines.set_class(bool(text), "-shown")
                lines.update(text)
