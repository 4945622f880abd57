"""What sorted and marked lists have in common: the order after this one, and how a title tells both; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def next_of(values: Sequence[T], present: T) -> T:
    """The one after `present`, or the first."""
    return values[(values.index(present) + 1) % len(values)] if present in values else values[0]


def order_notes(sorts: Sequence[str], sort: str, marked: int = 0) -> list[str]:
    """`by cost`, where that is not the usual order, which stands first; `2 marked`."""
    notes = [f"by {sort}"] if sort != sorts[0] else []
    return [*notes, f"{marked} marked"] if marked else notes
