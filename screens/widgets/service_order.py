"""In which order the services of a slot stand; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from backends.model.state import ServiceStatus
from screens.widgets.cells import is_faulty

Sort = Literal["catalogue", "trouble", "branch", "newest"]
SORTS: tuple[Sort, ...] = ("catalogue", "trouble", "branch", "newest")
"""By what they can be sorted, the usual order first."""

_HEALTHS = ("crashed", "unhealthy", "starting", "unknown", "stopped", "healthy")
_BEGINNING = datetime.min.replace(tzinfo=UTC)


def ordered(cells: Iterable[ServiceStatus], sort: Sort, catalogue: Sequence[str]) -> list[ServiceStatus]:
    """By `sort`, and what is alike in the order of the `catalogue`."""
    places = {name: place for place, name in enumerate(catalogue)}
    known = sorted(cells, key=lambda cell: places.get(cell.service, len(places)))
    match sort:
        case "trouble":
            return sorted(known, key=lambda cell: (not is_faulty(cell), _HEALTHS.index(cell.health)))
        case "branch":
            return sorted(known, key=lambda cell: cell.branch)
        case "newest":
            return sorted(known, key=lambda cell: cell.installed_at or _BEGINNING, reverse=True)
    return known
