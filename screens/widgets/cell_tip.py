"""What a tooltip tells of a cell, a row or a column of the fleet: all that it has no room for, and why; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from textual.content import Content

from backends.model.state import ServiceStatus
from screens.fleet_view import SlotView
from screens.widgets.cells import ago, headline
from screens.widgets.celltext import clean
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.grid_order import SORTS, Order
from screens.widgets.list_order import next_of

_LABEL = 8
_LONG = 200


def cell_tip(user: str, status: ServiceStatus, now: datetime, busy: str = "", glyphs: Glyphs = UNICODE) -> Content:
    """A line each: whose it is, branch, version and where from, drift, health, the build, since when."""
    return _tip(f"{clean(user)} · {clean(status.service)}", _facts(status, now, busy, glyphs))


def slot_tip(slot: SlotView) -> Content:
    """Whose slot it is, what it may do, what its agents run on, how many there are."""
    head = slot.head
    live = [agent for agent in slot.agents.values() if agent.state != "gone"]
    facts = [
        ("name", head.full_name),
        ("role", head.role),
        ("claude", f"{head.credential} {head.credential_state}".strip()),
        ("agents", ", ".join(f"{agent.name} {agent.state}" for agent in live)),
        ("away", "its daemon is away; what is shown may be out of date" if head.stale else ""),
        *(("problem", one) for one in head.problems),
    ]
    return _tip(clean(head.slot), facts)


def service_tip(service: str, repo: str) -> Content:
    """Its whole name, and where it comes from."""
    return _tip(clean(service), [("repo", repo)])


def order_tip(order: Order, key: str) -> Content:
    """In which order the rows are, and how to have another one."""
    return Content(f"sorted by {order.sort}\na click, or {key}, sorts by {next_of(SORTS, order.sort)}")


def _tip(title: str, facts: Iterable[tuple[str, str]]) -> Content:
    return Content("\n".join((title, *(f"{label:{_LABEL}}{clean(text, _LONG)}" for label, text in facts if text))))


def _facts(status: ServiceStatus, now: datetime, busy: str, glyphs: Glyphs) -> Iterator[tuple[str, str]]:
    source = status.running_from or status.source
    asked = f", asked for: {status.source}" if source != status.source else ""
    drift = f"{glyphs.drift.get(status.drift, '?')} {status.drift}"
    yield "now", f"{glyphs.busy} {busy}" if busy else ""
    yield "branch", status.branch
    yield "version", f"{status.hash[:12] or 'none'} from {source}{asked}"
    yield "drift", f"{drift} · {status.drift_reason}" if status.drift_reason else drift
    yield "health", f"{glyphs.health.get(status.health, '?')} {headline(status, now)}"
    yield "says", status.last_log if status.health in ("crashed", "unhealthy") else ""
    if status.build and status.build.state in ("queued", "running", "failed"):
        when = ago(status.build.finished_at or status.build.started_at or status.build.queued_at, now)
        yield "build", f"{glyphs.build.get(status.build.state, '?')} {status.build.state} {when}"
    yield "since", _since(status, now)


def _since(status: ServiceStatus, now: datetime) -> str:
    parts = [f"{status.since:%Y-%m-%d %H:%M:%S} UTC"] if status.since else []
    parts += [f"installed {ago(status.installed_at, now)}"] if status.installed_at else []
    return ", ".join(parts)
