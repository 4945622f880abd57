"""The changes that screens have the cockpit carry out: how one is asked for, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from screens.widgets.progress import OperationView

if TYPE_CHECKING:
    from backends.model.frozen import Frozen


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that a person asked for: the call, what it is called, what it holds meanwhile."""

    user: str
    method: str
    params: Frozen
    title: str
    services: tuple[str, ...]
    word: str


@dataclass(frozen=True, slots=True)
class Doing:
    """An operation that this cockpit began: its line, and once it failed, what to read about it."""

    view: OperationView
    user: str
    service: str
    lines: tuple[str, ...] = ()
    number: int = 0
    """What the cockpit calls it."""


class Doings(Protocol):
    """What this cockpit began. Nothing here blocks."""

    def begin(self, asked: Asked) -> None:
        """Start a change; its cells are marked busy at once, its progress and end are told by `all`."""

    def all(self) -> Sequence[Doing]:
        """What runs, and what ended and was not set aside yet; oldest first."""

    def tray(self) -> Sequence[Doing]:
        """Every change that nobody dismissed, newest first."""

    def dismiss(self, number: int | None = None) -> None:
        """Forget a change that has ended, or all of them."""

    def retry(self, number: int) -> None:
        """Begin a change again that has ended."""

    def cancel(self, user: str, operation: str) -> None:
        """Ask the slot of `user` to stop an operation."""
