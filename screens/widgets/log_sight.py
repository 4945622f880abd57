"""A log as one person looks at it: what of it, in which way, in which colours; a view gives it room and keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo

from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from backends.client.log_filter import parse_filter
from backends.client.log_lines import Change, Log, LogLine
from screens.widgets.log_frame import LogFrame
from screens.widgets.log_paint import LogLook
from screens.widgets.log_port import LogPort
from screens.widgets.log_scene import LogScene, Window
from screens.widgets.log_status import LogMode

_SHIFT = 8
_FURTHEST = 20_000
Styles = tuple[Mapping[str, Style], Style]
"""Those of the parts, and what they lie on."""


class LogSight:
    """What is seen of `log`. After what changes its looks it is laid out anew, before anything is asked of it."""

    def __init__(self, log: Log, zone: tzinfo | None) -> None:
        self.port = LogPort(log)
        self.mode = LogMode()
        self.styles: Styles | None = None
        self._zone = zone
        self._shift = self._sources = 0
        self._followed = True
        self._frame = LogFrame()

    @property
    def scene(self) -> LogScene:
        """The log and what of it is to be seen."""
        return self.port.scene

    def open(self, log: Log) -> None:
        """Look at another log, at its end; the filter stays."""
        before = self.scene
        self.port = LogPort(log)
        self.scene.hide = before.hide
        self.scene.set_matcher(before.matcher)
        self.mode = replace(self.mode, following=True, unseen=0, window="")
        self._shift = 0

    def came(self, change: Change) -> bool:
        """Take in that the log has changed; True where it has other sources than are laid out."""
        self.port.changed(change)
        self._frame.spoil(change.place)
        self.mode = replace(self.mode, unseen=self.mode.unseen + change.came)
        return len(self.scene.log.sources) != self._sources

    # -- what of it -------------------------------------------------------------------------------

    def set_window(self, window: Window, name: str) -> None:
        """Only a part of the log, from its end on; `name` says which in the status."""
        self.scene.window = window
        self.mode = replace(self.mode, window=name)
        self.port.follow()

    def begin_anew(self) -> None:
        """Nothing of what there was counts any more."""
        self.mode = replace(self.mode, unseen=0)
        self.port.current = None
        self.port.follow()

    def set_filter(self, text: str, hide: bool | None) -> None:
        """See `LogView.set_filter`."""
        matcher = parse_filter(text)
        if hide is not None:
            self.scene.hide = hide
        before = self.scene.matcher
        if (matcher and matcher.text) != (before and before.text):
            self.scene.set_matcher(matcher)
            self.port.current = None

    def rearrange(self) -> None:
        """Other lines are to be seen, or in another way."""
        self.port.rearranged()
        self._frame.dirty = True

    def seen_lines(self) -> list[LogLine]:
        """The lines in sight, each once."""
        places = dict.fromkeys(place for place, _ in self.port.visible()) if self.port.look else {}
        return [self.scene.log.line(place) for place in places]

    def line_at(self, y: int) -> int | None:
        """The place of the line that was painted in that row, None where there is none."""
        return self._frame.rows[y][0] if y < len(self._frame.rows) else None

    def mark(self) -> None:
        """Draw a rule under the line that is meant, or take it away."""
        self.port.mark(self._zone)

    def go_to(self, place: int) -> None:
        """Bring a line into sight, and have it as the one that is meant."""
        self.port.show(place)
        self._frame.dirty = True

    # -- in which way -----------------------------------------------------------------------------

    def switch(self, **on: bool) -> None:
        """Switch wrapping, times or JSON on or off."""
        self.mode = replace(self.mode, **on)  # type: ignore[arg-type]
        self._shift = 0

    def shift(self, steps: int) -> None:
        """Move the text sideways; wrapped text has no more to the side."""
        self._shift = 0 if self.mode.wrap else max(0, min(_FURTHEST, self._shift + steps * _SHIFT))

    def turned(self) -> bool:
        """Whether following has begun or ended since this was asked last; what came is counted anew then."""
        following = self.port.following
        if self._followed == following:
            return False
        self._followed = following
        self.mode = replace(self.mode, following=following, unseen=0)
        return True

    # -- painting ---------------------------------------------------------------------------------

    def lay_out(self, size: Size) -> None:
        """Lay everything out for a view of that size, the status and the bar in it; `styles` must be known."""
        assert self.styles is not None
        styles, base = self.styles
        sources = dict(self.scene.log.sources)
        self._sources = len(sources)
        self._frame.dirty = True
        self.port.room = max(0, size.height - 1)
        self.port.restyle(
            LogLook(
                styles=styles,
                base=base,
                width=max(1, size.width - 1),
                sources=sources,
                times=self.mode.times,
                wrap=self.mode.wrap,
                json=self.mode.json,
                shift=self._shift,
                matcher=self.scene.matcher,
                zone=self._zone,
            )
        )

    def forget_styles(self) -> None:
        """They are others now."""
        self.port.look = self.styles = None
        self._frame.dirty = True

    def changes(self, size: Size) -> list[Region]:
        """What is to be painted again."""
        return self._frame.changes(self.port, size)

    def paint(self, y: int) -> Strip | None:
        """One row with its piece of the bar, or the status; None before anything is laid out."""
        return self._frame.paint(y, self.port, self.mode)
