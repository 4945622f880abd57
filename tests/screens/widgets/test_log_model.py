"""What is in sight of a log, against a model that lays all of it out in the slow and obvious way, at each step."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.cells import get_character_cell_size
from rich.style import Style

from backends.client.log_file import LogFile
from backends.client.log_filter import parse_filter
from backends.client.log_segment import FOLD
from screens.widgets.log_paint import PARTS, LogLook
from screens.widgets.log_port import LogPort
from screens.widgets.log_scene import Window
from screens.widgets.sgr import plain

DEADLINE = 60.0
_NAMES = count()
_STYLES = dict.fromkeys(PARTS, Style.null())

Line = tuple[int, int]
"""The number of its file, counting what was cut off as one more, and where in that it begins."""
Row = tuple[Line, int]


@lru_cache(maxsize=64)
def _lines(content: bytes) -> list[tuple[int, str]]:
    """Where lines begin, and what is seen of each."""
    begins = {0, *(match.end() for match in re.finditer(b"\n", content))}
    begins |= {place for place in range(FOLD, len(content), FOLD) if b"\n" not in content[place - FOLD : place]}
    borders = pairwise([*sorted(place for place in begins if place < len(content)), len(content)])
    return [(begin, plain(content[begin:end].decode().removesuffix("\n"))) for begin, end in borders]


@dataclass
class Model:
    """All of a log, and where a person stands in it."""

    files: list[bytes] = field(default_factory=lambda: [b""])
    gone: list[bool] = field(default_factory=lambda: [False])
    typed: str = ""
    hide: bool = True
    wrap: bool = False
    width: int = 20
    room: int = 5
    begin: Line | None = None
    following: bool = True
    top: Row | None = None
    current: Line | None = None
    marks: dict[Line, str] = field(default_factory=dict)

    def lines(self) -> list[tuple[Line, str]]:
        found = []
        for number, content in enumerate(self.files):
            if self.gone[number]:
                continue
            found += [((number, begin), text) for begin, text in _lines(content)]
        return found

    def matching(self) -> list[Line]:
        """The lines that the filter keeps."""
        matcher = parse_filter(self.typed)
        return [line for line, text in self.lines() if matcher is None or matcher.keeps(text)]

    def rows(self) -> list[tuple[Row, str]]:
        """Every row that there would be on a screen without end."""
        kept = set(self.matching())
        found = []
        for line, text in self.lines():
            if (self.hide and line not in kept) or (self.begin is not None and line < self.begin):
                continue
            pieces = self._wrapped(text) if self.wrap else [self._cut(text)]
            pieces += [self.marks[line].ljust(self.width, "─")[: self.width]] if line in self.marks else []
            found += [((line, part), piece) for part, piece in enumerate(pieces)]
        return found

    def _wrapped(self, text: str) -> list[str]:
        pieces = [""]
        used = 0
        for character in text:
            size = get_character_cell_size(character)
            if used + size > self.width:
                pieces.append("")
                used = 0
            pieces[-1] += character
            used += size
        return pieces

    def _cut(self, text: str) -> str:
        if sum(map(get_character_cell_size, text)) <= self.width:
            return text
        shown, used = "", 0
        for character in text:
            used += get_character_cell_size(character)
            if used > self.width - 1:
                break
            shown += character
        return shown + " " * (self.width - 1 - sum(map(get_character_cell_size, shown))) + "›"

    # -- where one stands -------------------------------------------------------------------------

    def visible(self) -> list[tuple[Row, str]]:
        rows = self.rows()
        if not self.following and self.top is not None:
            begin = self._index(rows, self.top)
            if begin + self.room <= len(rows):
                return rows[begin : begin + self.room]
        return rows[max(0, len(rows) - self.room) :]

    def _index(self, rows: Sequence[tuple[Row, str]], row: Row) -> int:
        """Where that row is, the last one of its line where it has fewer now; else the next line."""
        line, part = row
        own = [place for place, (other, _) in enumerate(rows) if other[0] == line]
        if own:
            return own[min(part, len(own) - 1)]
        return next((place for place, (other, _) in enumerate(rows) if other[0] > line), len(rows))

    def follow(self) -> None:
        self.following, self.top = True, None

    def hold(self) -> None:
        seen = self.visible()
        self.following, self.top = False, seen[0][0] if seen else None

    def move(self, by: int) -> None:
        rows, seen = self.rows(), self.visible()
        if not seen or not by or (by > 0 and self.following):
            return
        begin = self._index(rows, seen[0][0])
        if by > 0:
            if len(rows) - begin <= by + self.room:
                self.follow()
            else:
                self.top = rows[begin + by][0]
        elif begin:
            self.following, self.top = False, rows[max(0, begin + by)][0]

    def go_to(self, line: Line) -> None:
        self.current = line
        if line in [row[0] for row, _ in self.visible()]:
            if self.following:
                self.hold()
            return
        rows = self.rows()
        begin = self._index(rows, (line, 0))
        self.following = False
        self.top = rows[max(0, begin - self.room // 3)][0] if begin < len(rows) else (line, 0)

    def next_match(self, step: int) -> Line | None:
        seen = [row[0] for row, _ in self.visible()]
        if not seen:
            return None
        matches = [line for line in self.matching() if self.begin is None or line >= self.begin]
        place = self.current
        if step > 0:
            below = [line for line in matches if (line > place if place is not None else line >= seen[0])]
            return min(below or matches, default=None)
        above = [line for line in matches if (line < place if place is not None else line <= seen[-1])]
        return max(above or matches, default=None)


class Box:
    """The real thing beside its model: a file that things happen to, and the port that it is looked at through."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / str(next(_NAMES)) / "x.log"
        self.path.parent.mkdir()
        self.path.write_bytes(b"")
        self.log = LogFile(self.path, "x")
        self.port = LogPort(self.log)
        self.model = Model()
        self.bases = [0]
        self.dress()

    def dress(self) -> None:
        model = self.model
        self.port.room = model.room
        self.port.restyle(
            LogLook(
                styles=_STYLES,
                base=Style.null(),
                width=model.width,
                sources={"x": 0},
                wrap=model.wrap,
                matcher=self.port.scene.matcher,
            )
        )

    def place(self, line: Line) -> int:
        number, offset = line
        return self.bases[number] + offset

    def look(self) -> None:
        """The log has changed: have it looked at, and everything in it found."""
        change = self.log.refresh()
        if change is not None:
            self.port.changed(change)
        self.found()
        self.port.look_again()

    def found(self) -> None:
        end = time.monotonic() + DEADLINE
        while self.log.work() is not None:
            assert time.monotonic() < end
            time.sleep(0.0005)

    def seen(self) -> list[str]:
        rows = (self.port.row(y) for y in range(self.model.room))
        return ["".join(segment.text for segment in row).rstrip() for row in rows if row is not None]

    # -- what happens -----------------------------------------------------------------------------

    def append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
        self.model.files[-1] += data
        self.look()

    def anew(self, data: bytes) -> None:
        """The file is cut off and written anew: to something else, as the same again cannot be told."""
        if data[:1] == self.model.files[-1][:1] and len(data) >= len(self.model.files[-1]):
            return
        was = self.model.files[-1]
        self.path.write_bytes(data)
        self.look()
        if was:
            self.model.gone[-1] = True
            self._another(data)
        else:
            self.model.files[-1] = data

    def rotate(self, data: bytes) -> None:
        older = len(list(self.path.parent.iterdir()))
        self.path.rename(self.path.with_name(f"old.{older}"))
        self.path.write_bytes(data)
        self.look()
        self._another(data)

    def _another(self, data: bytes) -> None:
        self.model.files.append(data)
        self.model.gone.append(False)
        self.bases.append(self.log.files._segments[-1].base)

    def filter(self, typed: str, hide: bool) -> None:
        self.model.typed, self.model.hide = typed, hide
        self.port.scene.hide = hide
        self.port.scene.set_matcher(parse_filter(typed))
        self.port.current = self.model.current = None
        self.found()
        self.dress()
        self.port.rearranged()

    def resize(self, width: int, room: int) -> None:
        self.model.width, self.model.room = width, room
        self.dress()

    def wrap(self) -> None:
        self.model.wrap = not self.model.wrap
        self.dress()

    def move(self, by: int) -> None:
        self.model.move(by)
        self.port.move(by)

    def pause(self) -> None:
        if self.model.following:
            self.model.hold()
            self.port.hold()
        else:
            self.model.follow()
            self.port.follow()

    def next_match(self, step: int) -> None:
        if not self.model.typed:
            return
        found = self.port.next_of(self.port.scene.hits, step)
        wanted = self.model.next_match(step)
        assert found == (None if wanted is None else self.place(wanted))
        if wanted is not None and found is not None:
            self.model.go_to(wanted)
            self.port.show(found)

    def mark(self) -> None:
        model = self.model
        seen = [row[0] for row, _ in model.visible()]
        self.port.mark(None)
        if seen:
            line = model.current if model.current in seen else seen[-1 if model.following else 0]
            assert line is not None
            if model.marks.pop(line, None) is None:
                self.model.marks[line] = f"── mark {len(model.marks) + 1} "

    def window(self, on: bool) -> None:
        """From the top row on, or all."""
        seen = self.model.visible()
        self.model.begin = seen[0][0][0] if on and seen else None
        begin = self.model.begin
        self.port.scene.window = Window(None if begin is None else self.place(begin))
        self.model.follow()
        self.port.follow()
        self.port.rearranged()


DATA = st.lists(
    st.one_of(
        st.sampled_from([b"a\n", b"hit\n", b"\n", b"half", b"a hit in a line that is longer than a row\r\n"]),
        st.sampled_from(
            ["漢字 hit 漢字漢字漢字漢字漢字\n".encode(), b"\x1b[31mh\x1b[0mit\n", b"over\rwritten hit\n"]
        ),
        st.sampled_from([b"x" * FOLD, b"y" * (FOLD + 99) + b"\n", b"n\n" * 40]),
    ),
    max_size=5,
).map(b"".join)
STEP = st.one_of(
    st.tuples(st.just("append"), DATA),
    st.tuples(st.just("append"), DATA),
    st.tuples(st.sampled_from(["anew", "rotate"]), DATA),
    st.tuples(st.just("filter"), st.sampled_from(["", "hit", "!hit", "~^a", "xx", "nothing"]), st.booleans()),
    st.tuples(st.just("resize"), st.integers(2, 40), st.integers(0, 9)),
    st.tuples(st.just("move"), st.integers(-12, 12)),
    st.tuples(st.just("move"), st.sampled_from([-1, 1, -5, 5, -1000])),
    st.tuples(st.just("next_match"), st.sampled_from([-1, 1])),
    st.tuples(st.just("window"), st.booleans()),
    st.tuples(st.sampled_from(["wrap", "pause", "mark"])),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.lists(STEP, max_size=25))
@example([("append", b"x" * FOLD), ("filter", "~^a", True), ("append", b"a\n")])
@example([("append", b"a\n" * 9), ("move", -2), ("anew", b""), ("append", b"hit\n" * 9), ("mark",)])
def test_what_is_in_sight_is_what_it_should_be_whatever_happens(
    tmp_path: Path, steps: list[tuple[Any, ...]]
) -> None:
    box = Box(tmp_path)
    for name, *values in steps:
        getattr(box, str(name))(*values)
        assert box.seen() == [text.rstrip() for _, text in box.model.visible()], (name, values)
        assert box.port.following == box.model.following
    box.log.close()
