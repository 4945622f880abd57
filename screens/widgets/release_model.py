"""The releases that a screen knows, newest first, who runs them, and which cannot be run here; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from backends.model.forge import ReleaseInfo
from backends.model.forge_calls import ReleaseListResult
from backends.model.release import platform_runs_here
from backends.model.state import ServiceStatus
from screens.widgets.list_filters import matcher

Sort = Literal["newest", "branch", "author", "size"]
SORTS: tuple[Sort, ...] = ("newest", "branch", "author", "size")
"""By what releases can be sorted; the first is the forge's own order."""


@dataclass(frozen=True, slots=True)
class ReleaseBook:
    """Releases in the forge's order, newest first. `known`: it has answered; `next_page`: older ones exist."""

    releases: tuple[ReleaseInfo, ...] = ()
    next_page: int | None = None
    known: bool = False


@dataclass(frozen=True, slots=True)
class Runners:
    """Who runs what of a service: users by tag, or where that was built there, by the commit's first 8 digits.

    `cells` has each of these users' bindings.
    """

    by_tag: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_commit: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cells: Mapping[str, ServiceStatus] = field(default_factory=dict)

    def of(self, release: ReleaseInfo) -> tuple[str, ...]:
        """The users who run this release, or a build of the same commit."""
        return self.by_tag.get(release.tag, ()) + self.by_commit.get(release.commit[:8], ())


# -- taking in what the box tells -----------------------------------------------------------------


def with_first_page(book: ReleaseBook, page: ReleaseListResult) -> ReleaseBook:
    """The book after a fresh first page; older releases stay where the page reaches back to them."""
    fresh = _distinct(page.releases)
    tags = [release.tag for release in book.releases]
    if page.next_page is None or not fresh or fresh[-1].tag not in tags:
        return ReleaseBook(fresh, page.next_page, known=True)
    older = book.releases[tags.index(fresh[-1].tag) + 1 :]
    return ReleaseBook(_distinct((*fresh, *older)), book.next_page if older else page.next_page, known=True)


def with_page(book: ReleaseBook, page: ReleaseListResult) -> ReleaseBook:
    """The book with older releases; one that moved to this page since the last was asked for is not told twice."""
    return replace(book, releases=_distinct((*book.releases, *page.releases)), next_page=page.next_page)


def with_news(book: ReleaseBook, told: Iterable[ReleaseInfo]) -> ReleaseBook:
    """The book after news of these: a known one in its place as it is now, a new one where its time says."""
    releases = list(book.releases)
    for release in told:
        place = next((place for place, one in enumerate(releases) if one.tag == release.tag), None)
        if place is not None:
            releases[place] = release
        else:
            releases.insert(_place(releases, release), release)
    changed = tuple(releases)
    return book if changed == book.releases else replace(book, releases=changed)


def _place(releases: Sequence[ReleaseInfo], release: ReleaseInfo) -> int:
    when = release.published_at
    if when is None:
        return 0
    older = (place for place, one in enumerate(releases) if one.published_at and one.published_at <= when)
    return next(older, 0)


def _distinct(releases: Iterable[ReleaseInfo]) -> tuple[ReleaseInfo, ...]:
    found: dict[str, ReleaseInfo] = {}
    for release in releases:
        found.setdefault(release.tag, release)
    return tuple(found.values())


# -- what is shown --------------------------------------------------------------------------------


def filtered(releases: Sequence[ReleaseInfo], text: str) -> Sequence[ReleaseInfo]:
    """Those that match `text`."""
    if not text.strip():
        return releases
    matches = matcher(text)
    return tuple(release for release in releases if matches(_words(release)))


def ordered(releases: Sequence[ReleaseInfo], sort: Sort) -> Sequence[ReleaseInfo]:
    """By branch, by author (nobody last) or the largest first; what is alike stays newest first."""
    match sort:
        case "branch":
            return tuple(sorted(releases, key=lambda one: one.branch.casefold()))
        case "author":
            return tuple(sorted(releases, key=lambda one: (not one.author, one.author.casefold())))
        case "size":
            return tuple(sorted(releases, key=lambda one: -one.size))
    return releases


def _words(release: ReleaseInfo) -> str:
    state = "" if release.complete else "incomplete"
    return "\n".join((release.tag, release.commit, release.author, release.subject, state, *release.platforms))


def why_not(release: ReleaseInfo, machine: str | None = None) -> str:
    """Why it cannot be installed on this machine, in two or three words; "" where it can."""
    if not release.complete:
        return "incomplete"
    if not any(platform_runs_here(platform, machine) for platform in release.platforms):
        return "not for this machine"
    return ""


def refusal(release: ReleaseInfo, machine: str | None = None) -> str:
    """The same as a sentence for whoever wants to install it."""
    match why_not(release, machine):
        case "incomplete":
            return "It is incomplete: without its SHA256SUMS nothing installs it."
        case "not for this machine":
            there = ", ".join(release.platforms) or "nothing"
            return f"It has no archive for this machine, only: {there}."
    return ""


def runners_of(cells: Iterable[tuple[str, ServiceStatus]]) -> Runners:
    """Who runs what, of one service's bindings by user."""
    by_tag: dict[str, tuple[str, ...]] = {}
    by_commit: dict[str, tuple[str, ...]] = {}
    known: dict[str, ServiceStatus] = {}
    for user, cell in cells:
        if not cell.hash:
            continue
        known[user] = cell
        found, key = (by_tag, cell.tag) if cell.tag else (by_commit, cell.hash[:8])
        found[key] = (*found.get(key, ()), user)
    return Runners(by_tag, by_commit, known)


def versions(runners: Runners) -> list[tuple[str, int]]:
    """What runs and in how many slots, the most frequent first; a build is told by its commit."""
    counts = Counter(cell.tag or f"{cell.hash[:8]} built" for cell in runners.cells.values())
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def short_platforms(platforms: Sequence[str], machine: str | None = None) -> str:
    """`any`, `musl-x86_64 +1`: one that runs on this machine first; all are Linux unless they say otherwise."""
    if not platforms:
        return "none"
    first = next((one for one in platforms if platform_runs_here(one, machine)), platforms[0])
    short = first.removeprefix("linux-")
    return f"{short} +{len(platforms) - 1}" if len(platforms) > 1 else short
