"""What the Host screen says in sentences: its titles, its empty states, the question before a clean; pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from backends.model.containers import ContainerReport
from backends.model.host import CleanPlan, DiskReport
from screens.host_view import HostView
from screens.widgets.cells import ago
from screens.widgets.celltext import byte_count, duration
from screens.widgets.host_model import BOX, HostFilters, Sort, View
from screens.widgets.no_answer import refusal

_PLAN_LINES = 12
STALE_SECONDS = 6.0
"""Age of a look at which it is no longer called the present: three were missed."""


def age_of(view: HostView, now: datetime) -> float:
    """Seconds since the last look."""
    return (now - view.seen_at).total_seconds() if view.seen_at else 0.0


def meters_titles(view: HostView, now: datetime, *, days: bool) -> tuple[str, str]:
    """Over and under the meters."""
    title = f"machine · {'two days' if days else 'the last hour'}"
    if view.sample is None:
        return title, ""
    old = age_of(view, now)
    if view.problem:
        return title, f"{duration(old)} old, reconnecting"
    return title, f"{duration(old)} old" if old >= STALE_SECONDS else ""


def list_titles(view: View, sort: Sort, report: DiskReport | None, now: datetime) -> tuple[str, str]:
    """Over and under the list."""
    words = {"processes": "who takes what", "disk": "what takes the room", "containers": "containers"}
    title = f"{words[view]} · by {sort}"
    if view == "processes" or report is None:
        return title, ""
    if report.measuring:
        name = report.measuring[0] or BOX
        more = f" and {len(report.measuring) - 1} more" if len(report.measuring) > 1 else ""
        return title, f"measuring {name}{more}…"
    times = [one.measured_at for one in report.slots if one.measured_at]
    if not times:
        return title, ""
    going = sum(part.reclaimable for one in report.slots for part in one.parts)
    can = f"{byte_count(going)} can go · " if going else ""
    return title, f"{can}measured {ago(min(times), now)}"


def container_titles(sort: Sort, told: ContainerReport | None, problem: str) -> tuple[str, str]:
    """The same over the containers: how many run, or that this is not how it is now."""
    title = f"containers · by {sort}"
    if problem:
        return title, f"not up to date: {problem}"
    states = [one.state for engine in told.engines for one in engine.containers] if told else []
    return title, f"{states.count('running')} of {len(states)} run" if states else ""


def empty_sentence(
    which: View,
    view: HostView,
    report: DiskReport | None,
    filters: HostFilters,
    problem: str,
    key: Callable[[str], str],
) -> str:
    """Why there is nothing in the list, and what to do."""
    if problem:
        return refusal(problem, "", key("app.refresh"))
    if which == "processes":
        if view.sample is None:
            return f"{view.problem}\n\nTrying again." if view.problem else "Asking the box…"
        return _nothing(filters, key) or "Nothing runs that the box may see."
    if report is None:
        return "Asking the box…"
    if filters.any:
        return _nothing(filters, key)
    if report.measuring:
        return "Measuring, at the lowest priority…"
    return f"Nothing has been measured yet.\n\n{key('host.measure')} measures all slots, at the lowest priority."


def no_containers(
    told: ContainerReport | None, problem: str, filters: HostFilters, key: Callable[[str], str]
) -> str:
    """Why there is no container in the list."""
    if problem:
        return refusal(problem, "", key("app.refresh"))
    if told is None:
        return "Asking the box…"
    if filters.any:
        return _nothing(filters, key)
    if not told.engines:
        return "There is no Docker and no Podman here.\n\nThey would only be looked at, never changed."
    return "Nothing is in it.\n\nContainers are only looked at, never changed."


def clean_question(plan: CleanPlan) -> tuple[str, list[str]]:
    """The question before a clean, and what would go."""
    shown = plan.items[:_PLAN_LINES]
    lines = [f"{byte_count(item.size):>8}  {item.name}" for item in shown]
    if len(plan.items) > len(shown):
        lines.append(f"and {len(plan.items) - len(shown)} more")
    if plan.kept:
        lines += ["", f"What runs, is bound, unpushed or in use stays: {len(plan.kept)} more."]
    return f"Remove {byte_count(plan.size)} of {plan.slot}'s slot?", lines


def nothing_to_clean(plan: CleanPlan) -> str:
    """Why nothing can go."""
    if not plan.kept:
        return "There is nothing that could be removed."
    first = plan.kept[0]
    return f"Nothing can be removed: {first.name} stays, {first.why}; and so {len(plan.kept)} in all."


def _nothing(filters: HostFilters, key: Callable[[str], str]) -> str:
    return f"Nothing matches.\n\n{key('app.back')} clears the filter." if filters.any else ""
