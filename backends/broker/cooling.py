"""How long a key has to rest after the API's 429, and which keys rest or were refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from backends.broker.ledger import Clock, Kept, Ledger
from backends.broker.store import OrgKey

DEFAULT_SECONDS = 60.0
"""Where the API does not say for how long."""
LONGEST_SECONDS = 8 * 86400.0
"""A weekly limit, and what a clock may be wrong."""

_PREFIX = "anthropic-ratelimit-"


def rest_of(headers: Mapping[str, str], now: float) -> float:
    """Seconds for which the key of a 429 answer rests; `headers` by lower-case name, `now` since the epoch."""
    seconds = _seconds(headers.get("retry-after", ""), now)
    if seconds is None:
        seconds = _until(headers.get(f"{_PREFIX}unified-reset", ""), now)
    if seconds is None:
        resets = [_until(headers[name], now) for name in headers if _is_spent(name, headers)]
        seconds = max((one for one in resets if one is not None), default=None)
    return DEFAULT_SECONDS if seconds is None else min(max(seconds, 1.0), LONGEST_SECONDS)


def _is_spent(name: str, headers: Mapping[str, str]) -> bool:
    """Whether `name` tells when a limit begins anew of which nothing remains."""
    if not (name.startswith(_PREFIX) and name.endswith("-reset")):
        return False
    return headers.get(name.removesuffix("reset") + "remaining", "").strip() == "0"


def _seconds(text: str, now: float) -> float | None:
    """`retry-after`: seconds or a date."""
    number = _number(text)
    if number is not None:
        return number
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _until(text: str, now: float) -> float | None:
    """A moment: seconds since the epoch, or RFC 3339."""
    number = _number(text)
    if number is not None:
        return number - now
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


class Health:
    """Which keys rest, and which the API took for no key; both hold for everybody on the box."""

    def __init__(self, ledger: Ledger, now: Clock):
        self._ledger = ledger
        self._now = now
        self._cooling: dict[str, float] = {}
        self._refused: dict[str, tuple[str, float]] = {}

    def begin(self, kept: Kept) -> None:
        """With what was known before a restart."""
        self._cooling = dict(kept.cooling)
        self._refused = dict(kept.refused)

    def cooling_until(self, slot: str) -> float | None:
        """Until when the key rests; None where it does not."""
        until = self._cooling.get(slot, 0.0)
        return until if until > self._now() else None

    def refused_at(self, key: OrgKey) -> float | None:
        """When the API answered 401 to this very key; None where it did not, or has taken it since."""
        mark, at = self._refused.get(key.slot, ("", 0.0))
        return at if mark == key.fingerprint else None

    async def cool(self, slot: str, seconds: float) -> None:
        """Let the key rest, for everybody. Raises HeroError where that cannot be kept; it holds all the same."""
        until = self._now() + seconds
        if until > self._cooling.get(slot, 0.0):
            self._cooling[slot] = until
            await self._ledger.keep_cooling(slot, until)

    async def refuse(self, key: OrgKey) -> None:
        """The API did not take the key. Raises HeroError where that cannot be kept; it holds all the same."""
        self._refused[key.slot] = (key.fingerprint, self._now())
        await self._ledger.keep_refused(key.slot, *self._refused[key.slot])

    async def forget(self, slot: str) -> None:
        """Another key is under this name now, or the API took it again. Raises HeroError."""
        known = (self._cooling.pop(slot, None), self._refused.pop(slot, None))
        if any(known):
            await self._ledger.forget_health(slot)
