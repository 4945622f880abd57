"""What a tooltip tells of a cell of the fleet: all that the cell has no room for, and why it is so; pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from textual.content import Content

from backends.model.state import ServiceStatus
from screens.widgets.cells import ago, headline
from screens.widgets.celltext import clean
from screens.widgets.glyphs import UNICODE, Glyphs

_LABEL = 8
_LONG = 200


def cell_tip(user: str, status: ServiceStatus, now: datetime, busy: str = "", glyphs: Glyphs = UNICODE) -> Content:
    """A line each: whose it is, branch, version and where from, drift, health, the build, since when."""
    facts = [f"{label:{_LABEL}}{clean(text, _LONG)}" for label, text in _facts(status, now, busy, glyphs) if text]
    return Content("\n".join((f"{clean(user)} · {clean(status.service)}", *facts)))


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
