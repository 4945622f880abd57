"""From a binding's state to how it looks in a grid's cell, and to the sentence that says why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from screens.widgets.celltext import clean, coarse_age, duration
from screens.widgets.grid_data import GridCell
from screens.widgets.grid_order import UNBOUND, state_of

if TYPE_CHECKING:
    from backends.model.state import Operation, ServiceStatus

_NO_COUNT = frozenset({"succeeded", "cancelled", "superseded"})
_PHASES = (
    "resolve",
    "download",
    "unpack",
    "worktree",
    "swap",
    "restart",
    "health check",
    "roll back",
    "publish",
    "upload",
    "start",
    "stop",
    "install",
    "fetch",
    "remove",
)
BYTE_PHASES = frozenset({"download", "upload"})
"""Phases whose progress counts bytes."""


def grid_cell(status: ServiceStatus, now: datetime, busy: tuple[str, float | None] | None) -> GridCell:
    """The cell of one binding at `now`; `busy` is what runs on it."""
    return GridCell(
        branch=status.branch,
        hash8=status.hash[:8],
        source=status.running_from or status.source,
        drift=status.drift,
        health=status.health,
        build=_build_sign(status),
        age_text=age_text(status, now),
        busy=busy[0] if busy else None,
        progress=busy[1] if busy else None,
    )


def cell_state(status: ServiceStatus | None) -> str:
    """What the head of a group counts the binding as."""
    return state_of(status.health, status.drift, _build_sign(status)) if status else UNBOUND


def is_faulty(status: ServiceStatus) -> bool:
    """True where a person should look: it does not run as it should, is not there, or its build failed."""
    failed = status.build is not None and status.build.state == "failed"
    return failed or status.health in ("crashed", "unhealthy") or status.drift == "missing"


def age_text(status: ServiceStatus, now: datetime) -> str:
    """How long it has been like this: broken since, else installed since."""
    broken = status.health in ("crashed", "unhealthy", "starting")
    begun = (status.since if broken else status.installed_at) or status.installed_at or status.since
    return coarse_age((now - begun).total_seconds()) if begun else ""


def _build_sign(status: ServiceStatus) -> str:
    """The newest build, where it says more than the rest of the cell: one that runs, waits or failed."""
    build = status.build
    return "" if build is None or build.state in _NO_COUNT else build.state


def phase_of(operation: Operation) -> str:
    """The phase in a word or two; what a build prints is no phase."""
    phase = clean(operation.phase)
    if not phase:
        return operation.kind
    return phase if phase.startswith(_PHASES) else "build"


def share_of(operation: Operation) -> float | None:
    """How much is done, 0 to 1."""
    if not operation.total or operation.total <= 0:
        return None
    return max(0.0, min(1.0, operation.done / operation.total))


def ago(then: datetime | None, now: datetime) -> str:
    """`12s ago`, `3m ago`, `5h ago`; empty without a time."""
    if then is None:
        return ""
    seconds = max(0.0, (now - then).total_seconds())
    if seconds < 60:
        return f"{int(seconds)}s ago"
    return f"{coarse_age(seconds)} ago"


def headline(status: ServiceStatus, now: datetime) -> str:
    """What the process does and why, in one line: `crashed 12s ago · signal 9 · restarted 3 times`."""
    parts = [f"{status.health} {ago(status.since, now)}".strip() if _is_event(status) else status.health]
    if status.health == "healthy" and status.since:
        parts = [f"healthy for {duration((now - status.since).total_seconds())}"]
    if status.reason:
        parts.append(clean(status.reason))
    if status.restarts and "restart" not in status.reason:
        parts.append(f"restarted {status.restarts} time{'s' * (status.restarts > 1)}")
    return " · ".join(parts)


def reason_text(status: ServiceStatus) -> str:
    """Why it is not simply well, in one short line; empty when it is."""
    if status.health in ("crashed", "unhealthy", "starting", "stopped", "unknown") and status.reason:
        return clean(status.reason)
    if status.build and status.build.state == "failed":
        return clean(f"build failed: {status.build.error.splitlines()[0] if status.build.error else ''}".strip())
    return clean(status.drift_reason)


def _is_event(status: ServiceStatus) -> bool:
    return status.health in ("crashed", "unhealthy", "starting", "stopped")
