"""The builds that a screen knows: what runs, what waits, what ended, each in its order; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Literal

from screens.widgets.list_filters import ListFilters, matcher

if TYPE_CHECKING:
    from backends.model.build_calls import BuildListResult
    from backends.model.state import Build

Sort = Literal["queue", "slowest", "service", "slot", "state"]
SORTS: tuple[Sort, ...] = ("queue", "slowest", "service", "slot", "state")
"""By what builds can be sorted; as the queue has them, which is the usual order, first."""

_STATES = {"failed": 0, "running": 1, "queued": 2}
_RANK = {"queued": 0, "running": 1}
_ENDED = 2
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_LATE = 1_000_000
_REMEMBERED = 40
"""Durations of a service in a slot that are looked at."""


@dataclass(frozen=True, slots=True)
class BuildBook:
    """Builds by id. `places` is the order in which the box last told those that wait; `more`: older ones exist."""

    builds: Mapping[str, Build] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    more: bool = False
    at_once: int = 0


@dataclass(frozen=True)
class BuildFilters(ListFilters):
    """What is left: those that failed, builds of `only_slot`."""

    SAYS = {"only_failed": "failed only", "only_slot": "mine only"}  # noqa: RUF012

    only_failed: bool = False
    only_slot: str = ""


@dataclass(frozen=True)
class Timings:
    """Seconds that the builds that succeeded took, oldest first; `until`: how many of its cell's came up to it."""

    of_cell: Mapping[tuple[str, str], tuple[float, ...]] = field(default_factory=dict)
    until: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def of_service(self) -> Mapping[str, tuple[float, ...]]:
        """The same whatever the slot."""
        found: dict[str, tuple[float, ...]] = {}
        for (_, service), seconds in self.of_cell.items():
            found[service] = (*found.get(service, ()), *seconds)
        return found

    def usual(self, build: Build) -> tuple[float, ...]:
        """The last ones of this service in this slot."""
        return self.of_cell.get((build.slot, build.service), ())[-_REMEMBERED:]

    def before(self, build: Build) -> tuple[float, ...]:
        """Those of this service in this slot as it stood when this build ended, itself included."""
        known = self.of_cell.get((build.slot, build.service), ())
        return known[: self.until.get(build.id, len(known))]

    def expected(self, build: Build) -> float | None:
        """The median of this service in this slot, else in any; None where it was never built."""
        known = self.usual(build) or self.of_service.get(build.service, ())
        return median(known) if known else None

    def share(self, build: Build, now: datetime) -> float | None:
        """How much of a running build is done if it takes as long as usual; never quite all."""
        expected, seconds = self.expected(build), took(build, now)
        if not expected or seconds is None or build.state != "running":
            return None
        return max(0.0, min(0.99, seconds / expected))


def is_open(build: Build) -> bool:
    """True while it waits or runs."""
    return build.state in _RANK


def took(build: Build, now: datetime) -> float | None:
    """Seconds that it ran, until now if it runs; None where it never began."""
    if build.started_at is None:
        return None
    return max(0.0, ((build.finished_at or now) - build.started_at).total_seconds())


def moment(build: Build) -> datetime:
    """When it came to the state that it is in."""
    return build.finished_at or build.started_at or build.queued_at or _BEGINNING


# -- taking in what the box tells -----------------------------------------------------------------


def with_builds(book: BuildBook, told: Iterable[Build]) -> BuildBook:
    """The book after news of these; news of an earlier state than the known one is late, and changes nothing."""
    builds = dict(book.builds)
    for build in told:
        known = builds.get(build.id)
        if known is None or _rank(build) >= _rank(known):
            builds[build.id] = build
    return book if builds == book.builds else replace(book, builds=builds)


def with_page(book: BuildBook, page: BuildListResult) -> BuildBook:
    """The book with older builds."""
    return replace(with_builds(book, page.builds), more=page.more)


def with_answer(book: BuildBook, page: BuildListResult, heard: Collection[str]) -> BuildBook:
    """The book after a fresh first page, with builds that were `heard` of since it was asked for.

    Older builds stay where the page reaches back to them; otherwise there may be a gap, and they are asked for
    again as one scrolls.
    """
    told = {build.id: build for build in page.builds}
    ended = {id: build for id, build in book.builds.items() if not is_open(build)}
    joined = any(id in ended for id in told)
    kept = ended if joined else {id: build for id, build in ended.items() if id in heard}
    news = [build for id, build in book.builds.items() if id in heard]
    places = {build.id: place for place, build in enumerate(page.builds)}
    more = book.more if joined and any(id not in told for id in kept) else page.more
    return with_builds(BuildBook({**kept, **told}, places, more, page.at_once), news)


def _rank(build: Build) -> int:
    return _RANK.get(build.state, _ENDED)


# -- what is shown, in which order ----------------------------------------------------------------


def ordered(book: BuildBook) -> list[Build]:
    """What runs, the longest first; what waits, as it will run; what ended, the newest first."""
    return sorted(book.builds.values(), key=lambda build: _place(book, build))


def _place(book: BuildBook, build: Build) -> tuple[int, float, float, str]:
    if build.state == "running":
        return 0, moment(build).timestamp() if build.started_at else _LATE, 0, build.id
    if build.state == "queued":
        queued = build.queued_at.timestamp() if build.queued_at else 0.0
        urgent = 0 if build.priority == "interactive" else _LATE
        return 1, urgent + book.places.get(build.id, _LATE / 2), queued, build.id
    return 2, -_seconds(moment(build)), 0, build.id


def _seconds(when: datetime) -> float:
    return 0.0 if when == _BEGINNING else when.timestamp()


def sorted_by(builds: Iterable[Build], sort: Sort, now: datetime) -> list[Build]:
    """Builds in the order of `ordered` by `sort`; those that are equal in it keep their order.

    By `slowest`, what never began comes last; by `state`, what failed comes first, then what runs and what waits.
    """

    def place(build: Build) -> tuple[float, str]:
        match sort:
            case "slowest":
                seconds = took(build, now)
                return 1.0 if seconds is None else -seconds, ""
            case "state":
                return _STATES.get(build.state, len(_STATES)), ""
            case "service":
                return 0, build.service
            case "slot":
                return 0, build.slot
        return 0, ""

    return sorted(builds, key=place)


def oldest(builds: Sequence[Build]) -> str:
    """The id of the last of ordered builds that ended; "" where none has."""
    return builds[-1].id if builds and not is_open(builds[-1]) else ""


def filtered(builds: Iterable[Build], filters: BuildFilters) -> list[Build]:
    """Those that the filters leave."""
    matches = matcher(filters.text)
    return [build for build in builds if _is_left(build, filters) and matches(_words(build))]


def _is_left(build: Build, filters: BuildFilters) -> bool:
    if filters.only_slot and build.slot != filters.only_slot:
        return False
    return not filters.only_failed or build.state == "failed"


def _words(build: Build) -> str:
    words = (build.slot, build.service, build.branch, build.commit, build.state, build.reason, build.actor)
    return "\n".join((*words, build.tag, build.id))


def timings(builds: Sequence[Build]) -> Timings:
    """Of builds in the order of `ordered`."""
    found: dict[tuple[str, str], list[float]] = {}
    until: dict[str, int] = {}
    for build in reversed(builds):
        if is_open(build):
            break
        known = found.setdefault((build.slot, build.service), [])
        seconds = took(build, _BEGINNING) if build.finished_at else None
        if build.state == "succeeded" and seconds is not None:
            known.append(seconds)
        until[build.id] = len(known)
    return Timings({cell: tuple(seconds) for cell, seconds in found.items()}, until)
