"""Events for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from backends.model.state import Event

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(
    kind: str = "service.changed", subject: str = "web", *, minute: float = 0, seq: int = 0, **data: Any
) -> Event:
    """An event of alice's slot, `minute` minutes after noon."""
    time = NOON + timedelta(minutes=minute)
    return Event(seq=seq, time=time, box="dev", slot="alice", kind=kind, subject=subject, data=data)


def audit(subject: str = "", *, minute: float = 0, seq: int = 0) -> Event:
    """An audit record of alice's slot."""
    return event("audit.switch", subject, minute=minute, seq=seq)
