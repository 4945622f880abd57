"""What a slot's daemon may say: its own events only, well formed, whatever that process has become."""

from __future__ import annotations

import re
from datetime import UTC
from itertools import pairwise

from backends.model.box_calls import ReportParams
from backends.model.errors import HeroError
from backends.model.names import BadValue, check_login
from backends.model.state import Event
from backends.model.text import safe_line

_KIND = re.compile(r"[a-z][a-z_]*(?:\.[a-z_-]+){1,3}")
_HIGHEST_ID = 1 << 62


def check_slot(name: str) -> str:
    """`name` if a slot may be called so. Raises HeroError `usage`."""
    try:
        return check_login(name)
    except BadValue as error:
        raise HeroError("usage", f"A slot reports under a name that cannot be: {error.message}") from error


def own_events(report: ReportParams, box: str) -> list[Event]:
    """The events of `report` under the slot's own name; `seq` of each stays its outbox id.

    Raises HeroError `usage` where the ids do not rise up to `last_outbox_id`.
    """
    ids = [0, *(event.seq for event in report.events)]
    rising = all(before < after for before, after in pairwise(ids))
    if not rising or (report.events and ids[-1] != report.last_outbox_id) or ids[-1] > _HIGHEST_ID:
        raise HeroError("usage", f"The outbox ids that {report.slot} reports do not rise to `last_outbox_id`.")
    return [_own(event, box, report.slot) for event in report.events]


def _own(event: Event, box: str, slot: str) -> Event:
    return event.model_copy(
        update={
            "box": box,
            "slot": slot,
            "kind": event.kind if _KIND.fullmatch(event.kind) and len(event.kind) < 100 else "slot.unknown",
            "subject": safe_line(event.subject, 500),
            "time": event.time if event.time.tzinfo else event.time.replace(tzinfo=UTC),
        }
    )
