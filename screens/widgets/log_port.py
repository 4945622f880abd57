"""The part of a log that is in sight: where it begins, how one moves it, and its rows painted."""

from __future__ import annotations

from datetime import tzinfo

from rich.segment import Segment
from textual.cache import LRUCache

from backends.client.log_lines import Change, Lines, Log, LogLine
from screens.widgets.log_paint import LogLook, LogRows, clock, paint_mark
from screens.widgets.log_scene import Anchor, LogScene


class LogPort:
    """So many rows of a log's scene as there is `room` for. While `following`, these are the last ones.

    `look` is to be set before anything is asked for; `restyle` forgets what was laid out in another one.
    """

    def __init__(self, log: Log) -> None:
        self.scene = LogScene(log, self._height)
        self.look: LogLook | None = None
        self.room = 0
        self.following = True
        self.current: int | None = None
        self._top: Anchor | None = None
        self._top_line: LogLine | None = None
        self._held: dict[int, LogLine] = {}
        """What stands at marks and at the line that is meant: by it they are found again."""
        self._seen: list[Anchor] | None = None
        self._laid_out: LRUCache[int, LogRows] = LRUCache(512)
        self._strips: LRUCache[tuple[int, int, bool], list[Segment]] = LRUCache(1024)

    # -- rows -------------------------------------------------------------------------------------

    def restyle(self, look: LogLook) -> None:
        """Lay everything out anew."""
        self.look = look
        self._laid_out.clear()
        self._strips.clear()
        self._seen = None

    def changed(self, change: Change) -> None:
        """Other lines may stand from `change.place` on."""
        laid_out, painted = list(self._laid_out.keys()), list(self._strips.keys())  # this cache cannot be iterated
        for place in laid_out:
            if place >= change.place:
                self._laid_out.discard(place)
        for key in painted:
            if key[0] >= change.place:
                self._strips.discard(key)
        if self._top is not None and self._top_line is not None and self._top[0] >= change.place:
            self._top = self.scene.log.moved(self._top[0], self._top_line), self._top[1]
        self._find_again(change.place)
        self._seen = None

    def _hold(self, place: int) -> None:
        wanted = {*self.scene.marks, self.current}
        self._held = {each: line for each, line in self._held.items() if each in wanted}
        self._held[place] = self.scene.log.line(place)

    def _find_again(self, first: int) -> None:
        log, marks = self.scene.log, self.scene.marks
        now = {place: log.moved(place, line) for place, line in self._held.items() if place >= first}
        if all(place == moved for place, moved in now.items()):
            return
        self._held = {now.get(place, place): line for place, line in self._held.items()}
        self.scene.marks = {now.get(place, place): text for place, text in marks.items()}
        if self.current is not None:
            self.current = now.get(self.current, self.current)

    def look_again(self) -> None:
        """Lines may have come, or become known."""
        self._seen = None

    def rearranged(self) -> None:
        """Other lines are to be seen: another filter, window or mark."""
        self._strips.clear()
        self._seen = None

    def _rows(self, place: int) -> LogRows:
        rows = self._laid_out.get(place)
        if rows is None:
            assert self.look is not None
            rows = self._laid_out[place] = LogRows(self.scene.log.line(place), self.look)
        return rows

    def _height(self, place: int) -> int:
        return len(self._rows(place)) + (place in self.scene.marks)

    def visible(self) -> list[Anchor]:
        """What is in sight, from the top down; fewer rows than room only where there are no more."""
        if self.look is None:
            return []  # keys are quicker than the first frame
        if self._seen is None:
            self._seen = self._look_around()
        return self._seen

    def _look_around(self) -> list[Anchor]:
        if self.following or self._top is None:
            return self.scene.rows_at_end(self.room)
        rows = self.scene.rows_from(self._top, self.room)
        return rows if len(rows) == self.room else self.scene.rows_at_end(self.room)

    def row(self, y: int) -> list[Segment] | None:
        """Row `y` of what is in sight, None where there is none."""
        seen = self.visible()
        if y >= len(seen):
            return None
        place, part = seen[y]
        current = place == self.current
        strip = self._strips.get((place, part, current))
        if strip is None:
            rows = self._rows(place)
            if part < len(rows):
                strip = rows.paint(part, current)
            else:
                assert self.look is not None
                strip = paint_mark(self.scene.marks[place], self.look)
            self._strips[place, part, current] = strip
        return strip

    # -- moving -----------------------------------------------------------------------------------

    def _set_top(self, anchor: Anchor | None) -> None:
        self._top = anchor
        self._top_line = None if anchor is None else self.scene.log.line(anchor[0])
        self._seen = None

    def hold(self) -> None:
        """Stand still where one is."""
        seen = self.visible()
        self._set_top(seen[0] if seen else None)
        self.following = False

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.following = True
        self._set_top(None)

    def move(self, rows: int) -> None:
        """So many rows down, or up: up pauses, whoever comes down to the end follows again."""
        seen = self.visible()
        if not seen or not rows or (rows > 0 and self.following):
            return
        if rows > 0:
            below = self.scene.rows_from(seen[0], rows + self.room + 1)
            if len(below) <= rows + self.room:
                self.follow()
            else:
                self._set_top(below[rows])
            return
        above = self.scene.rows_above(seen[0], -rows)
        if above:
            self.following = False
            self._set_top(above[0])

    def go_to(self, place: int, above: int = 0) -> None:
        """Show the line at `place`, with so many rows above it."""
        self.following = False
        rows = self.scene.rows_above((place, 0), above)
        self._set_top(rows[0] if rows else (place, 0))

    def go_to_share(self, share: float) -> None:
        """Show what is so far down the log, 0 to 1."""
        place = self.scene.log.at_share(share)
        nearest = None if place is None else self.scene.below(place - 1)
        if nearest is None or share >= 1.0:
            self.follow()
        else:
            self.go_to(nearest)

    # -- single lines -----------------------------------------------------------------------------

    def show(self, place: int) -> None:
        """Bring a line into sight, and have it as the one that is meant."""
        self.current = place
        self._hold(place)
        if place not in self._places():
            self.go_to(place, self.room // 3)
        elif self.following:
            self.hold()

    def _places(self) -> list[int]:
        return [place for place, _ in self.visible()]

    def next_of(self, lines: Lines, step: int) -> int | None:
        """The nearest of `lines` below the line that is meant; `step` -1: above it.

        From the top, or the bottom, where that line is not in sight; from the last one to the first, once all are
        known.
        """
        place = self._from(step)
        found = None if place is None else self.scene.next_of(lines, place, step)
        if found is None and place is not None and lines.progress >= 1.0:
            found = self.scene.end_of(lines, step)
        return found

    def knows_next_of(self, lines: Lines, step: int) -> bool:
        """Whether `next_of` gives now what it gives once all of the log has been looked at."""
        place = self._from(step)
        if place is None or lines.progress >= 1.0:
            return True
        return lines.knows(place, step) and self.scene.next_of(lines, place, step) is not None

    def _from(self, step: int) -> int | None:
        """The place from which a step is taken; None where nothing is in sight."""
        seen = self._places()
        if not seen or self.current in seen:
            return self.current if seen else None
        return seen[0] - 1 if step > 0 else seen[-1] + 1

    def mark(self, zone: tzinfo | None) -> None:
        """Draw a rule under the line that is meant, or take it away; without one, under the newest or top line."""
        seen = self._places()
        if not seen:
            return
        place = self.current if self.current in seen else seen[-1 if self.following else 0]
        assert place is not None
        marks = self.scene.marks
        if marks.pop(place, None) is None:
            self._hold(place)
            time = clock(self._held[place].time, zone)
            marks[place] = f"mark {len(marks) + 1}{' · ' if time else ''}{time}"
        self.rearranged()

    def mark_above(self) -> int | None:
        """The mark above the line that is meant, or above the bottom; from the uppermost to the lowest."""
        marks = sorted(place for place in self.scene.marks if self.scene.window.has(place))
        seen = self._places()
        if not marks or not seen:
            return None
        place = self.current if self.current in self.scene.marks else seen[-1] + 1
        return next((mark for mark in reversed(marks) if place is None or mark < place), marks[-1])
