"""What a person takes out of a log: lines to the clipboard, to a file, to a pager or an editor."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from textual.screen import Screen

from backends.client.log_file import LogFile
from backends.client.log_save import save_lines
from backends.model.errors import HeroError
from screens.widgets.log_scene import LogScene
from screens.widgets.logpane import LogPane
from screens.widgets.logview import LogView
from screens.widgets.sgr import plain

SAVED_LINES = 1_000_000
"""Lines that are saved at most, the newest ones; the file itself has them all."""
COPIED_LINES = 2_000
_SLICE = 500
Tool = Literal["pager", "editor"]


class Hands(Protocol):
    """What is lent to a log screen for that; a `Desk` does all of it."""

    def now(self) -> datetime: ...

    def copy(self, text: str, what: str) -> None:
        """Put text on the clipboard of the person's terminal."""

    def tell(self, sentence: str, *, failed: bool = False) -> None:
        """Say something to the person that goes away by itself."""

    def open_file(self, path: Path, tool: str) -> None:
        """Show a file in the person's `pager` or `editor`."""


def texts_of(scene: LogScene, places: Iterator[int] | list[int]) -> Iterator[str]:
    """The lines at these places as text, each with its source where there are several."""
    named = len(scene.log.sources) > 1
    for place in places:
        line = scene.log.line(place)
        yield f"{line.source}: {plain(line.text)}" if named else plain(line.text)


async def shown_places(scene: LogScene, limit: int) -> list[int]:
    """The last `limit` lines that are to be seen, in their order, letting others run meanwhile."""
    places: list[int] = []
    place = scene.last
    while place is not None and len(places) < limit:
        places.append(place)
        place = scene.above(place)
        if len(places) % _SLICE == 0:
            await asyncio.sleep(0)
    return places[::-1]


class LogKeys(Screen[None]):
    """The actions that the keys of a screen with a log are bound to."""

    @property
    def pane(self) -> LogPane:
        """The log in its panel."""
        raise NotImplementedError

    @property
    def log_actions(self) -> LogActions:
        """What is done with it."""
        raise NotImplementedError

    def action_filter(self, hide: bool) -> None:
        """Ask for a filter, or for what to look for; with `hide` other lines are not shown."""
        self.pane.ask_filter(hide)

    def action_copy(self) -> None:
        """Copy what is visible."""
        self.log_actions.copy_seen()

    def action_copy_line(self) -> None:
        """Copy the line that is meant, or what came since the last mark."""
        self.log_actions.copy_marked()

    def action_clear(self) -> None:
        """Forget the lines so far."""
        self.pane.log_view.clear()

    def action_save(self) -> None:
        """Save what is shown."""
        self.run_worker(self.log_actions.save(), name="save", group="save", exclusive=True)

    def action_open(self, tool: Tool) -> None:
        """Hand the log to a pager or an editor."""
        self.run_worker(self.log_actions.open(tool), name="open", group="save", exclusive=True)


class LogActions:
    """The actions of one log view. `name` is what a saved file is called."""

    def __init__(self, desk: Hands, view: LogView, name: str) -> None:
        self._desk, self._view, self._name = desk, view, name

    def copy_seen(self) -> None:
        """What is on the screen."""
        lines = [plain(line.text) for line in self._view.seen_lines()]
        self._desk.copy("\n".join(lines), _counted(len(lines)))

    def copy_marked(self) -> None:
        """The line that is meant; where lines are marked, from the one under the last mark on."""
        scene, current = self._view.scene, self._view.current
        if scene.marks:
            place = scene.below(max(scene.marks))
            places: list[int] = []
            while place is not None and len(places) < COPIED_LINES:
                places.append(place)
                place = scene.below(place)
        else:
            newest = current if current is not None else scene.last
            places = [] if newest is None else [newest]
        self._desk.copy("\n".join(texts_of(scene, places)), _counted(len(places)))

    async def save(self) -> Path | None:
        """Write what is to be seen to a file, and say where; None where that failed."""
        scene = self._view.scene
        places = await shown_places(scene, SAVED_LINES)
        stamp = self._desk.now().astimezone().strftime("%Y%m%d-%H%M%S")
        try:
            path, count = await save_lines(texts_of(scene, places), f"{self._name}-{stamp}.log")
        except HeroError as error:
            self._desk.tell(f"{error.message} {error.hint}".strip(), failed=True)
            return None
        older = bool(places) and scene.above(places[0]) is not None
        what = f"the last {_counted(count)}, not the older ones," if older else _counted(count)
        self._desk.tell(f"saved {what} in {path}")
        return path

    async def open(self, tool: Tool) -> None:
        """Open the log's file where all of it is shown and still there, else a file with what is shown."""
        scene, log = self._view.scene, self._view.scene.log
        whole = scene.shown is log.lines and scene.window.begin is None and scene.window.end is None
        if isinstance(log, LogFile) and whole and os.path.isfile(log.path):  # noqa: PTH113 - raises nothing
            self._desk.open_file(log.path, tool)
        elif (path := await self.save()) is not None:
            self._desk.open_file(path, tool)


def _counted(count: int) -> str:
    return f"{count:,} line{'s' * (count != 1)}"
