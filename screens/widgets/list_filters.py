"""What narrows a list: words that are typed, and switches that each have their words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

FUZZY = "-f"
_LONG = 80
"""Characters of a line in which letters that merely follow each other would mean anything."""


def matcher(typed: str) -> Callable[[str], bool]:
    """Whether the lines that a row is known by match what was typed.

    All words must occur, after `!` none of them may; after `-f` the letters of each in their order, in one line.
    """
    text = typed.strip().lower()
    if text.startswith(FUZZY):
        letters = text.removeprefix(FUZZY).split()
        return lambda told: all(_follows(word, told) for word in letters)
    words = text.removeprefix("!").split()
    if text.startswith("!"):
        return lambda told: not any(word in told.lower() for word in words)
    return lambda told: all(word in told.lower() for word in words)


def _follows(letters: str, told: str) -> bool:
    for line in told.lower().split("\n"):
        rest = iter(line[:_LONG])
        if all(letter in rest for letter in letters):
            return True
    return False


@dataclass(frozen=True)
class ListFilters:
    """What of a list is left: `text` as `matcher` takes it. A list adds its switches, each off by default.

    `SAYS` has for each switch what a person is told while it is on.
    """

    SAYS: ClassVar[Mapping[str, str]] = {}

    text: str = ""

    @property
    def any(self) -> bool:
        """Whether something may be left out."""
        return self != type(self)()

    @property
    def says(self) -> str:
        """What is on, for the status line."""
        typed = [f"/{self.text}"] if self.text else []
        return " · ".join([*typed, *(words for name, words in self.SAYS.items() if getattr(self, name))])

    def toggled(self, switch: str, on: object = True) -> Self:
        """With `switch` off, or where it was off, `on`."""
        change: dict[str, Any] = {switch: type(on)() if getattr(self, switch) else on}
        return replace(self, **change)

    def widened(self) -> Self:
        """Without the first that is on."""
        for field in fields(self):
            if getattr(self, field.name):
                change: dict[str, Any] = {field.name: field.default}
                return replace(self, **change)
        return self
