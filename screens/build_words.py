"""What the builds screen says in sentences: its titles, its empty states; pure."""

from __future__ import annotations

from collections.abc import Callable

from screens.build_feed import BuildFeed
from screens.widgets.build_model import SORTS, Sort
from screens.widgets.list_order import order_notes
from screens.widgets.no_answer import AWAY, refusal


def titles(feed: BuildFeed, service: str, sort: Sort, marked: int, *, online: bool) -> tuple[str, str]:
    """Over and under the list; sorted, it is told of how many, as older ones are not asked for by themselves."""
    builds = feed.builds
    counts = [(sum(one.state == state for one in builds), state) for state in ("running", "queued")]
    told = [f"{count} {state}" for count, state in counts if count]
    if feed.book.at_once and told:
        told.append(f"at most {feed.book.at_once} at once")
    told += order_notes(SORTS, sort, marked)
    title = " · ".join((f"builds of {service}" if service else "builds", *told))
    if not online:
        return title, AWAY if feed.known else ""
    return title, f"of the newest {len(builds)}" if sort != SORTS[0] and feed.book.more else ""


def empty_sentence(feed: BuildFeed, service: str, key: Callable[[str], str], away: str) -> str:
    """Why there is no build in the list, and what to do; `away` is what to say while the box is not there."""
    if feed.builds:
        none = f"None of the newest {len(feed.builds)} matches." if feed.book.more else "Nothing matches."
        return f"{none}\n\n{key('app.back')} clears the filter."
    if away and not feed.known:
        return away
    if feed.problem:
        return refusal(feed.problem.message, feed.problem.hint, key("app.refresh"))
    if not feed.known:
        return "Asking the box…"
    what = f"Nothing of {service} was" if service else "Nothing was"
    return (
        f"{what} built yet.\n\n{key('cell.build')} on a service builds it;\n"
        "`hero_dev hooks install` lets every push build."
    )
