"""Who may use the relay: a pass that was given, from a process of the uid that it was given to."""

from __future__ import annotations

import logging
from typing import Any

from backends.broker.audit import Audit
from backends.broker.headers import credential_in
from backends.broker.leases import Leases
from backends.broker.ledger import Lease
from backends.broker.refusal import Refusal
from backends.model.errors import HeroError

log = logging.getLogger(__name__)

KIND = "relay.refused"


class Admission:
    """Admits requests; a refusal is audited once a minute for each uid and reason."""

    def __init__(self, leases: Leases, audit: Audit):
        self._leases = leases
        self._audit = audit

    async def admit(self, scope: dict[str, Any]) -> Lease:
        """The lease of the request's pass. Raises Refusal."""
        uid = await scope["state"]["peer"].uid()
        if uid is None:
            raise await self._refused(-1, 403, "The kernel does not know whose request this is.")
        passed = credential_in(scope["headers"])
        if not passed:
            raise await self._refused(uid, 401, "The request has no pass: sessions get one when they are started.")
        lease = self._leases.known(passed)
        if lease is None:
            raise await self._refused(uid, 403, "The pass is not known (any more): start the session again.")
        if lease.uid != uid:
            raise await self._refused(uid, 403, "The pass was given to another user.", owner=lease.user)
        if lease.ended:
            raise await self._refused(uid, 403, f"{lease.ended} Start the session again.")
        self._leases.touch(lease)
        return lease

    async def _refused(self, uid: int, status: int, sentence: str, **more: Any) -> Refusal:
        try:
            await self._audit.add_seldom(uid, status, kind=KIND, sentence=sentence, uid=uid, **more)
        except HeroError as error:
            log.error("a refusal was not recorded: %s", error)
        return Refusal(status, sentence)
