"""What narrows a list: words that are typed, and switches that each have their words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class ListFilters:
    """Words of `text` must all occur, after a `!` none of them may. A list adds its switches, each off by default.

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
