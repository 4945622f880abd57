"""Find where each key and value of a TOML text stands, which the standard parser does not tell."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

KeyPath = tuple[str | int, ...]
"""A key from the document's root: names, and indexes into arrays."""

_BLANK = re.compile(r"[ \t]*")
_SKIP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r'[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'')
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")


@dataclass(frozen=True)
class Place:
    """Line and column of a key, both from 1; the column counts characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Statement:
    """One `key = value`, `[table]` or `[[array]]`, as offsets into the text.

    `start` is the key or bracket, `value` the value's first character (for a header: `end`), and
    `end` is just after the value or the closing bracket.
    """

    kind: Literal["pair", "table", "array"]
    path: KeyPath
    start: int
    value: int
    end: int


@dataclass(frozen=True)
class Layout:
    """Where everything of a document stands: the place of each key, and its statements in order."""

    places: dict[KeyPath, Place]
    statements: tuple[Statement, ...]

    def place(self, path: KeyPath) -> Place:
        """The place of `path`, or of the nearest thing around it that is written down."""
        for length in range(len(path), 0, -1):
            if found := self.places.get(path[:length]):
                return found
        return Place(1, 1)


def lay_out(text: str) -> Layout:
    """The layout of `text`, which must be valid TOML (tomllib has parsed it); RecursionError if too deep."""
    scanner = _Scanner(text)
    scanner.run()
    return Layout(scanner.places, tuple(scanner.statements))


class _Scanner:
    """One walk through a valid document; it decides nothing that the parser has decided already."""

    def __init__(self, text: str):
        self.text = text
        self.at = 0
        self.places: dict[KeyPath, Place] = {}
        self.statements: list[Statement] = []
        self.arrays: dict[KeyPath, int] = {}
        self.breaks = [match.start() for match in re.finditer("\n", text)]

    def run(self) -> None:
        base: KeyPath = ()
        while self.skip(_SKIP) < len(self.text):
            if self.text[self.at] == "[":
                base = self.header()
            else:
                self.statements.append(self.pair(base))

    def skip(self, pattern: re.Pattern[str]) -> int:
        if match := pattern.match(self.text, self.at):
            self.at = match.end()
        return self.at

    def note(self, path: KeyPath, offset: int) -> None:
        index = bisect_left(self.breaks, offset)
        before = self.breaks[index - 1] if index else -1
        self.places[path] = Place(index + 1, offset - before)

    def note_first(self, path: KeyPath, offset: int) -> None:
        if path not in self.places:
            self.note(path, offset)

    def header(self) -> KeyPath:
        start = self.at
        brackets = 2 if self.text.startswith("[[", start) else 1
        self.at += brackets
        keys = self.keys()
        self.at += brackets
        path: KeyPath = ()
        for name, offset in keys[:-1]:
            path = (*path, name)
            self.note_first(path, offset)
            if path in self.arrays:
                path = (*path, self.arrays[path])
        name, offset = keys[-1]
        path = (*path, name)
        if brackets == 2:
            self.note_first(path, offset)
            self.arrays[path] = self.arrays.get(path, -1) + 1
            path = (*path, self.arrays[path])
        self.note(path, offset)
        self.statements.append(Statement("array" if brackets == 2 else "table", path, start, self.at, self.at))
        return path

    def keys(self) -> list[tuple[str, int]]:
        found = []
        while True:
            self.skip(_BLANK)
            start = self.at
            raw = self.text[start : self.skip(_KEY)]
            name = tomllib.loads(f"k={raw}")["k"] if raw[0] in "\"'" else raw
            found.append((name, start))
            self.skip(_BLANK)
            if self.text[self.at] != ".":
                return found
            self.at += 1

    def pair(self, base: KeyPath) -> Statement:
        start = self.at
        path = base
        for name, offset in self.keys():
            path = (*path, name)
            self.note_first(path, offset)
        self.at += 1
        value = self.skip(_BLANK)
        self.value(path)
        return Statement("pair", path, start, value, self.at)

    def value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self.array(path)
        elif opening == "{":
            self.inline_table(path)
        elif opening in "\"'":
            self.skip(_STRING)
        else:
            start = self.at
            self.at = start + len(self.text[start : self.skip(_SCALAR)].rstrip())

    def array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self.text[self.skip(_SKIP)] != "]":
            element = (*path, index)
            self.note(element, self.at)
            self.value(element)
            index += 1
            if self.text[self.skip(_SKIP)] == ",":
                self.at += 1
        self.at += 1

    def inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self.text[self.skip(_SKIP)] != "}":
            self.pair(path)
            if self.text[self.skip(_SKIP)] == ",":
                self.at += 1
        self.at += 1
