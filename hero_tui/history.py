"""Where a person has been in the cockpit, as a browser keeps it: pure, bounded, nothing lost on the way back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

LIMIT = 50
"""Visits that are remembered; the oldest go first."""


@dataclass(frozen=True)
class Visit:
    """A place by name, and what it was opened on. `first` is where its cursor begins; `memory` is how the person
    left it, None until then."""

    place: str
    on: tuple[str, ...] = ()
    first: str = ""
    memory: object = field(default=None, compare=False)

    def same_as(self, other: Visit) -> bool:
        """Whether both show the same."""
        return (self.place, self.on) == (other.place, other.on)


@dataclass(frozen=True)
class History:
    """Visits in their order, of which that at `at` is shown; `before` is the one that was shown before it."""

    visits: tuple[Visit, ...]
    at: int = 0
    before: int | None = None
    limit: int = LIMIT

    @property
    def here(self) -> Visit:
        """The visit that is shown."""
        return self.visits[self.at]

    def keeping(self, memory: object) -> History:
        """With `memory` of how the person leaves what is shown, which knows better than `first` of the cursor."""
        kept = replace(self.here, first="", memory=memory)
        return replace(self, visits=(*self.visits[: self.at], kept, *self.visits[self.at + 1 :]))

    def gone_to(self, visit: Visit) -> History:
        """After a step to `visit`: what lay ahead is forgotten, and the oldest where there are too many."""
        visits = (*self.visits[: self.at + 1], visit)
        over = max(0, len(visits) - self.limit)
        at = len(visits) - over - 1
        return replace(self, visits=visits[over:], at=at, before=at - 1 if at else None)

    def instead(self, visit: Visit) -> History:
        """With `visit` in the place of the one that is shown."""
        return replace(self, visits=(*self.visits[: self.at], visit, *self.visits[self.at + 1 :]))

    def moved(self, steps: int) -> History | None:
        """After so many steps back (negative) or forward; None where there is no such visit."""
        at = self.at + steps
        return replace(self, at=at, before=self.at) if 0 <= at < len(self.visits) else None

    def last(self) -> History | None:
        """Back at what was shown before; done twice, here again. None where nothing was."""
        return None if self.before is None else replace(self, at=self.before, before=self.at)
