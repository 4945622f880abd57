"""Times of the daemons (ISO 8601) as ages and moments for people."""

from __future__ import annotations

from datetime import datetime


def seconds_since(moment: str | None, now: float) -> float | None:
    """Seconds from `moment` to `now` (since the epoch), never negative; None without a moment."""
    if not moment:
        return None
    return max(0.0, now - datetime.fromisoformat(moment).timestamp())


def age(moment: str | None, now: float) -> str:
    """`12s`, `3m`, `5h`, `4d`, `8w`; empty without a moment."""
    seconds = seconds_since(moment, now)
    return "" if seconds is None else span(seconds)


def span(seconds: float) -> str:
    """A duration in its largest unit."""
    for limit, unit, letter in ((60, 1, "s"), (3600, 60, "m"), (172800, 3600, "h"), (1209600, 86400, "d")):
        if seconds < limit:
            return f"{int(seconds // unit)}{letter}"
    return f"{int(seconds // 604800)}w"


def elapsed(begun: str | None, ended: str | None) -> str:
    """How long something took: `0.3 s`, `12 s`, `4 m`; empty while it is not known."""
    if not begun or not ended:
        return ""
    seconds = max(0.0, (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def took(seconds: float) -> str:
    """How long something took, without spaces: `0.2s`, `41s`, `3m20s`, `1h05m`."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m{whole % 60:02}s" if whole < 3600 else f"{whole // 3600}h{whole % 3600 // 60:02}m"


def local(moment: str) -> str:
    """Date and time on this machine's clock, to the second."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
