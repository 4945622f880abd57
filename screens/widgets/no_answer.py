"""What every screen says, in the same words, in the place of what the box has not told or will not tell; pure."""

from __future__ import annotations

from datetime import datetime

from screens.widgets.celltext import clean, duration

AWAY = "not up to date: the box is not connected"
"""Under what was told before; how old that is stands in the status line."""


def slot_doubt(*, lost: bool, stale: bool) -> str:
    """Why what is shown of a slot cannot be believed, the box being `lost` or its daemon away; "" where it can."""
    if lost:
        return AWAY
    return "not up to date: its daemon is away" if stale else ""


def old(since: datetime | None, now: datetime) -> str:
    """How old what is shown is: `12s old`; "" for what is not a second old, or of no known age."""
    seconds = (now - since).total_seconds() if since else 0.0
    return f"{duration(seconds)} old" if seconds >= 1 else ""


def outdated(since: datetime | None, now: datetime, why: str) -> str:
    """Under what was told at `since`, while it cannot be told anew."""
    return f"not up to date: {'; '.join(part for part in (old(since, now), clean(why)) if part)}"


def no_box(why: str) -> str:
    """Before the box has told anything: `why` it does not answer, "" while it is asked for the first time."""
    if not why:
        return "Connecting to the box…\n\nIts daemon is started if it does not run."
    return f"The box does not answer.\n{clean(why)}\n\nTrying again; `hero_dev box status` tells more."


def refusal(message: str, hint: str, key: str) -> str:
    """What was refused and why, what to do about it, and the `key` that asks once more."""
    told = "\n".join(part for part in (clean(message), clean(hint)) if part)
    return f"{told}\n\n{key} tries again."
