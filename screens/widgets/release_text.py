"""The sentences of the releases screen: who runs what, what to compare, why there is nothing to see; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from backends.model.errors import HeroError
from backends.model.forge import ReleaseInfo
from backends.model.state import ServiceStatus
from screens.widgets.celltext import clean
from screens.widgets.list_order import order_notes
from screens.widgets.no_answer import AWAY, refusal
from screens.widgets.one_line import Part
from screens.widgets.release_model import SORTS, ReleaseBook, Runners, Sort, versions


@dataclass(frozen=True, slots=True)
class Version:
    """A commit by what people call it, and by what the forge finds it: its full hash where that is known."""

    name: str
    ref: str


def running_parts(runners: Runners, room: int) -> Sequence[Part]:
    """`runs in 3 slots   development-9f3c21ab ×2   1a2b3c4d built ×1`, as many versions as `room` cells hold."""
    found = versions(runners)
    if not found:
        return (("No slot runs it.", "gate--label"),)
    slots = len(runners.cells)
    parts: list[Part] = [(f"runs in {slots} slot{'s' * (slots != 1)}", "gate--label")]
    left = room - cell_len(parts[0][0])
    for place, (version, count) in enumerate(found):
        name, times = f"   {clean(version)}", f" ×{count}"
        others = f"   and {len(found) - place} other{'s' * (len(found) - place > 1)}"
        reserve = cell_len(others) if place + 1 < len(found) else 0
        if cell_len(name + times) + reserve > left:
            return (*parts, (others, "gate--label"))
        parts += [(name, "gate--tag"), (times, "gate--label")]
        left -= cell_len(name + times)
    return tuple(parts)


def branch_ring(*branches: str) -> list[str]:
    """All branches, then each of these once."""
    return list(dict.fromkeys(("", *branches)))


def compared(
    release: ReleaseInfo, mark: ReleaseInfo | None, mine: ServiceStatus | None, known: Sequence[ReleaseInfo]
) -> tuple[Version, Version] | str:
    """The older and the newer of what to compare, or a sentence why there is nothing to compare."""
    if mark and mark.tag != release.tag:
        return _in_order(mark, release)
    if mark:
        return "It is the marked one itself."
    if mine is None or not mine.hash:
        return "You run no version of it to compare with."
    if mine.hash[:8] == release.commit[:8]:
        return "You run this very commit."
    running = next((one for one in known if mine.tag == one.tag or one.commit == mine.hash), None)
    if running:
        return _in_order(running, release)
    return Version(mine.tag or f"{mine.hash[:8]} (mine)", mine.hash), _version(release)


def _in_order(one: ReleaseInfo, other: ReleaseInfo) -> tuple[Version, Version]:
    if one.published_at and other.published_at and one.published_at > other.published_at:
        one, other = other, one
    return _version(one), _version(other)


def _version(release: ReleaseInfo) -> Version:
    return Version(release.tag, release.commit or release.tag)


def list_titles(
    branch: str, book: ReleaseBook, problem: HeroError | None, online: bool, sort: Sort
) -> tuple[str, str]:
    """What stands over the list, and under it where it is not up to date."""
    title = f"releases of {branch}" if branch else "releases"
    if book.releases:
        title += f" · {len(book.releases):,}{' and more' if book.next_page else ''}"
    title = " · ".join((title, *order_notes(SORTS, sort)))
    if not online:
        return title, AWAY if book.known else ""
    return title, f"not up to date: {problem.message}" if problem and book.releases else ""


def empty_sentence(
    service: str, branch: str, book: ReleaseBook, problem: HeroError | None, away: str, keys: Mapping[str, str]
) -> str:
    """Why no release is listed, and what to do.

    `away` is what to say while the box is not there; `keys` are those of `app.back` and the like.
    """
    if book.releases:
        none = f"None of the newest {len(book.releases)} matches." if book.next_page else "Nothing matches."
        return f"{none}\n\n{keys['back']} clears the filter."
    if away and not book.known:
        return away
    if problem:
        return refusal(problem.message, problem.hint, keys["again"])
    if not book.known:
        return "Asking the forge…"
    if branch:
        return f"No release of {clean(branch)} yet.\n\n{keys['branch']} shows other branches."
    return f"No release yet.\n\n`hero_dev rebuild {clean(service)} --publish` makes the first."
