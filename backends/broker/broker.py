"""The broker itself: the kernel says who asks, the team repo what they get, and all of it is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from backends.broker.assignments import Assignments
from backends.broker.audit import Audit, Told, shown_session
from backends.broker.choosing import Chooser, next_key
from backends.broker.cooling import Health
from backends.broker.ending import Endings
from backends.broker.leases import Leases
from backends.broker.ledger import Clock, Ledger
from backends.broker.rights import Asking, Rights
from backends.broker.store import KeyStore, OrgKey, check_slot
from backends.model.broker_calls import ClaudeKey, KeyGetParams, KeyInfo, KeyListResult, KeySetParams
from backends.model.claude import OrgGrant
from backends.model.errors import HeroError
from backends.rpc.sockets import Peer
from backends.system_box import login_of

T = TypeVar("T")


class Broker:
    """Everything that is asked over the socket. `hand_over` is box.toml's; methods raise HeroError."""

    def __init__(
        self,
        folder: Path,
        store: KeyStore,
        assignments: Assignments,
        *,
        system: bool,
        hand_over: str,
        told: Told,
        now: Clock,
    ):
        self.store = store
        self.ledger = Ledger(folder / "state.sqlite")
        self.health = Health(self.ledger, now)
        self.leases = Leases(self.ledger, now)
        self.chooser = Chooser(store, assignments, self.health)
        self.endings = Endings(self.leases, assignments, store)
        self.audit = Audit(folder / "audit.jsonl", now, told)
        self.relay_url = ""
        self.notes: list[str] = []
        self._folder = folder
        self._assignments = assignments
        self._rights = Rights(assignments, system=system)
        self._hand_over = hand_over
        self._storing = asyncio.Lock()

    async def open(self) -> int:
        """Read what is kept; the port that the relay had, 0 for none."""
        await asyncio.to_thread(self.store.load)
        kept = await self.ledger.load()
        self.health.begin(kept)
        await self.leases.begin(kept)
        for key in await asyncio.to_thread(self.store.take_in, self._folder / "keys"):
            await self._changed(key.slot)
            await self.audit.add("claude_key.set", ok=True, slot=key.slot, login=key.set_by)
        self.endings.begin()
        return kept.port

    async def close(self) -> None:
        await self.endings.close()
        await self.ledger.close()

    async def get(self, peer: Peer, params: KeyGetParams) -> ClaudeKey:
        """A credential for a session of the caller's."""

        async def grant(asking: Asking) -> ClaudeKey:
            key = next_key(self.chooser.choose(asking.user, check_slot(params.slot) if params.slot else ""))
            return await self._hand(asking, params, key)

        session = shown_session(params.session)
        return await self._recorded("claude_key.get", peer, params.user, grant, session=session)

    async def status(self, peer: Peer, user: str) -> OrgGrant:
        """What a session of the caller's would get now."""
        asking = await self._ask("claude_key.status", peer, user)
        grant = self.chooser.grant(asking.user)
        same = (asking.uid, asking.user, grant.state)
        told = {"uid": asking.uid, "user": asking.user}
        await self.audit.add_seldom(*same, kind="claude_key.status", sentence=grant.detail, ok=True, **told)
        return grant

    async def set(self, peer: Peer, params: KeySetParams, *, rotate: bool) -> KeyInfo:
        """Keep a new key; `rotate`: in the place of one that there is."""

        async def keep(asking: Asking) -> KeyInfo:
            if rotate and self.store.get(params.slot) is None:
                raise HeroError(
                    "not_found", f"There is no key {params.slot} to rotate.", hint="`claude keys set` keeps one."
                )
            async with self._storing:
                key = await asyncio.to_thread(self.store.put, params.slot, params.secret, asking.login)
            await self._changed(params.slot)
            return self._info(key, await asyncio.to_thread(self._assignments.everybody))

        return await self._by_admin(f"claude_key.{'rotate' if rotate else 'set'}", peer, params.slot, keep)

    async def revoke(self, peer: Peer, slot: str) -> None:
        """Forget a key; sessions that have it stop at their next use."""

        async def forget(_: Asking) -> None:
            async with self._storing:
                removed = await asyncio.to_thread(self.store.remove, slot)
            if not removed:
                raise HeroError(
                    "not_found", f"There is no key {slot}.", hint="`hero_dev claude keys list` has them."
                )
            await self._changed(slot)

        await self._by_admin("claude_key.revoke", peer, slot, forget)

    async def listed(self, peer: Peer) -> KeyListResult:
        """All keys without the keys, their use, and what is wrong."""

        async def look(_: Asking) -> KeyListResult:
            people = await asyncio.to_thread(self._assignments.everybody)
            return KeyListResult(
                keys=tuple(self._info(key, people) for key in self.store.all()),
                use=await self.ledger.use(),
                problems=(*self.store.problems, *self._refused(), *_unknown(people, self.store), *self._others()),
            )

        return await self._by_admin("claude_key.list", peer, "", look)

    async def release(self, peer: Peer, lease_id: str) -> None:
        """Forget a lease of the caller's, whose session has ended."""
        asking = await self._ask("claude_key.release", peer, "")
        lease = self.leases.get(lease_id)
        if lease is not None and lease.uid == asking.uid:
            await self.leases.forget(lease)

    async def _hand(self, asking: Asking, params: KeyGetParams, key: OrgKey) -> ClaudeKey:
        session = params.session if shown_session(params.session) == params.session else ""
        if self._hand_over == "key":
            lease = await self.leases.give_key(asking.uid, asking.user, session, key)
            self.endings.begin()
            return ClaudeKey(slot=key.slot, secret=key.secret, oauth=key.oauth, lease=lease.id)
        lease, passed = await self.leases.give_pass(asking.uid, asking.user, session, params.slot)
        return ClaudeKey(slot=key.slot, secret=passed, base_url=self.relay_url, lease=lease.id)

    async def _recorded(
        self, kind: str, peer: Peer, user: str, grant: Callable[[Asking], Awaitable[ClaudeKey]], *, session: str
    ) -> ClaudeKey:
        asking = await self._ask(kind, peer, user)
        told = {**asking.told(), "session": session}
        try:
            found = await grant(asking)
        except HeroError as error:
            await self.audit.add(kind, ok=False, sentence=error.message, **told)
            raise
        try:
            await self.audit.add(kind, ok=True, slot=found.slot, lease=found.lease, **told)
        except HeroError:
            if lease := self.leases.get(found.lease):
                await self.leases.forget(lease)
            raise
        return found

    async def _ask(self, kind: str, peer: Peer, user: str) -> Asking:
        try:
            return self._rights.slot(peer, user)
        except HeroError as error:
            await self.audit.add(kind, ok=False, sentence=error.message, **_unnamed(peer))
            raise

    async def _by_admin(self, kind: str, peer: Peer, slot: str, work: Callable[[Asking], Awaitable[T]]) -> T:
        """What `work` gives; recorded before it is done, for what cannot be recorded is not done."""
        told = _unnamed(peer)
        try:
            asking = self._rights.admin(peer)
            told = asking.told()
            if slot or kind != "claude_key.list":
                told = {"slot": check_slot(slot), **told}
            await self.audit.add(kind, ok=True, **told)
            return await work(asking)
        except HeroError as error:
            await self.audit.add(kind, ok=False, sentence=error.message, **told)
            raise

    async def _changed(self, slot: str) -> None:
        """Another key, or none, is under this name: what held for the old one does not."""
        await self.health.forget(slot)
        await self.endings.look()

    def _info(self, key: OrgKey, people: dict[str, tuple[str, ...]]) -> KeyInfo:
        users = tuple(sorted(login for login, names in people.items() if key.slot in names))
        until = self.health.cooling_until(key.slot)
        return KeyInfo(
            slot=key.slot,
            fingerprint=key.fingerprint,
            set_at=key.set_at,
            set_by=key.set_by,
            generation=key.generation,
            cooling_until=datetime.fromtimestamp(until, UTC) if until else None,
            users=users,
            sessions=sum(one.user in users and one.pinned in ("", key.slot) for one in self.leases.live()),
        )

    def _refused(self) -> tuple[str, ...]:
        return tuple(
            f"The API refused {key.slot} at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC (401):"
            f" it has expired, or was revoked there. `hero_dev claude keys rotate {key.slot}` replaces it."
            for key in self.store.all()
            if (at := self.health.refused_at(key)) is not None
        )

    def _others(self) -> tuple[str, ...]:
        return (*self.ledger.problems, *self.notes)


def _unnamed(peer: Peer) -> dict[str, Any]:
    """For the record of a call that was refused before it was clear for whom it was."""
    return {"uid": peer.uid, "pid": peer.pid, "login": login_of(peer.uid)}


def _unknown(people: dict[str, tuple[str, ...]], store: KeyStore) -> tuple[str, ...]:
    """Names that the team repo assigns and the broker has no key of."""
    named = sorted({name for names in people.values() for name in names if store.get(name) is None})
    return tuple(
        f"{name} is assigned to {', '.join(sorted(one for one, names in people.items() if name in names))},"
        f" and there is no such key."
        for name in named
    )
