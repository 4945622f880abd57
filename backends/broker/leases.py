"""What sessions were given: passes for the relay, or keys; and that some of it is good no more."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace

from backends.broker.ledger import Clock, Kept, Lease, Ledger
from backends.broker.store import OrgKey

PASS_PREFIX = "hero-pass-"  # noqa: S105 — by which people know what it is
UNUSED_SECONDS = 30 * 86400.0
"""After which a lease that nobody used is forgotten."""
ENDED_SECONDS = 7 * 86400.0
"""For which an ended one is remembered, to be told to a slot that was away."""
PER_USER = 500
"""Leases of one user; the one that was used longest ago goes first."""

Ended = Callable[[Lease], None]


def digest_of(passed: str) -> str:
    """By which a pass is known: the pass itself is nowhere."""
    return hashlib.sha256(passed.encode("utf-8", "surrogateescape")).hexdigest()


class Leases:
    """All leases. Methods that keep something raise HeroError where the disk does not take it."""

    def __init__(self, ledger: Ledger, now: Clock):
        self._ledger = ledger
        self._now = now
        self._by_id: dict[str, Lease] = {}
        self._by_digest: dict[str, str] = {}
        self._used: dict[str, float] = {}

    async def begin(self, kept: Kept) -> None:
        """With what was known before a restart."""
        for lease in kept.leases:
            self._remember(lease)
        await self._tidy()

    def live(self, kind: str = "") -> tuple[Lease, ...]:
        """Those that are good, of `kind` or all."""
        return tuple(one for one in self._by_id.values() if not one.ended and kind in ("", one.kind))

    def ended_of(self, uid: int) -> tuple[Lease, ...]:
        """Those of one uid that have ended and are remembered."""
        return tuple(one for one in self._by_id.values() if one.ended and one.uid == uid)

    def known(self, passed: str) -> Lease | None:
        """The lease of a pass; None for one that was never given, or is forgotten."""
        found = self._by_digest.get(digest_of(passed))
        return self._by_id.get(found) if found else None

    def get(self, lease: str) -> Lease | None:
        return self._by_id.get(lease)

    async def give_pass(self, uid: int, user: str, session: str, pinned: str) -> tuple[Lease, str]:
        """A new pass and its lease."""
        passed = PASS_PREFIX + secrets.token_urlsafe(32)
        return await self._give("pass", digest_of(passed), uid, user, session, pinned, ""), passed

    async def give_key(self, uid: int, user: str, session: str, key: OrgKey) -> Lease:
        """The lease of a key that is handed over itself."""
        return await self._give("key", "", uid, user, session, key.slot, key.fingerprint)

    async def end(self, lease: Lease, reason: str) -> Lease:
        """`lease`, good no more because of `reason`; so too where that cannot be kept: it would be found again."""
        ended = replace(lease, ended=reason, used=self._now())
        self._remember(ended)
        await self._ledger.keep_lease(ended)
        return ended

    async def forget(self, lease: Lease) -> None:
        """A lease whose session has ended by itself."""
        await self._ledger.forget_leases([lease.id])
        self._drop(lease)

    def touch(self, lease: Lease) -> None:
        """It was used now; kept with the next lease that is given."""
        self._used[lease.id] = self._now()

    async def _give(
        self, kind: str, digest: str, uid: int, user: str, session: str, pinned: str, fingerprint: str
    ) -> Lease:
        now = self._now()
        lease = Lease(
            secrets.token_hex(8), kind, digest, uid, user, session, pinned, fingerprint, created=now, used=now
        )
        await self._keep_used()
        await self._ledger.keep_lease(lease)
        self._remember(lease)
        if session:
            # A session is started again with a new one: whoever still has the old one is not it.
            for other in [one for one in self._by_id.values() if _replaces(lease, one)]:
                await self.forget(other)
        await self._tidy()
        return lease

    async def _keep_used(self) -> None:
        for lease_id, used in tuple(self._used.items()):
            lease = self._by_id.get(lease_id)
            if lease and used > lease.used:
                self._remember(replace(lease, used=used))
                await self._ledger.keep_lease(self._by_id[lease_id])
            self._used.pop(lease_id, None)

    async def _tidy(self) -> None:
        now = self._now()
        stale = [one for one in self._by_id.values() if now - self._last(one) > _kept_for(one)]
        by_user: dict[str, list[Lease]] = {}
        for one in self.live():
            by_user.setdefault(one.user, []).append(one)
        for many in by_user.values():
            stale += sorted(many, key=self._last, reverse=True)[PER_USER:]
        if stale:
            await self._ledger.forget_leases([one.id for one in stale])
        for one in stale:
            self._drop(one)

    def _last(self, lease: Lease) -> float:
        return max(lease.used, self._used.get(lease.id, 0.0))

    def _remember(self, lease: Lease) -> None:
        self._by_id[lease.id] = lease
        if lease.digest:
            self._by_digest[lease.digest] = lease.id

    def _drop(self, lease: Lease) -> None:
        self._by_id.pop(lease.id, None)
        self._by_digest.pop(lease.digest, None)
        self._used.pop(lease.id, None)


def _replaces(fresh: Lease, other: Lease) -> bool:
    return (
        other.id != fresh.id
        and not other.ended
        and (other.uid, other.user, other.session) == (fresh.uid, fresh.user, fresh.session)
    )


def _kept_for(lease: Lease) -> float:
    return ENDED_SECONDS if lease.ended else UNUSED_SECONDS
