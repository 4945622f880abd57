"""A slot's way to the broker of the org's keys; where that does not answer, nobody else's credential is taken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from backends.broker_place import BrokerPlace, broker_place
from backends.model.broker_calls import ClaudeKey, KeyGetParams, KeyStatusParams
from backends.model.claude import OrgGrant
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.rpc.connection import Connection, connect
from backends.rpc.spawn import ensure_daemon

SECONDS = 15.0
START_SECONDS = 20.0
RETRY_SECONDS = 5.0
"""Between two tries to hear of leases again, after the broker went away."""

Ended = Callable[[str, str], None]
"""Takes a lease and the reason of its end; must return at once."""


class BrokerClient:
    """The broker of `box`, as the slot of `user` asks it; started where it is not and systemd does not do that.

    `lazy`: not for its status alone, as long as it never ran and so has no key to tell of.
    """

    def __init__(self, box: BoxPaths, user: str, *, lazy: bool = False):
        self._lazy = lazy
        self._place = broker_place(box)
        self._user = user

    async def get(self, session: str, slot: str = "") -> ClaudeKey:
        """A credential for `session`, `<slot>/<agent>`; of the key `slot`, or with "" of the first that is free.

        Raises HeroError: denied, not_found (the broker has no such key), unreachable, no_space.
        """
        params = KeyGetParams(slot=slot, user=self._user, session=session)
        return ClaudeKey.model_validate(await self._call("aibroker.claude_key.get", params.model_dump()))

    async def status(self) -> OrgGrant:
        """Which key a session would get; of the state `unreachable` where the broker gives no answer."""
        params = KeyStatusParams(user=self._user)
        start = not self._lazy or self._place.state.exists()
        try:
            told = await self._call("aibroker.claude_key.status", params.model_dump(), start=start)
            return OrgGrant.model_validate(told)
        except HeroError as error:
            return OrgGrant(state="unreachable", detail=error.message)

    async def release(self, lease: str) -> None:
        """A session has ended: what it was given is good no more. A broker that is away forgets it in time."""
        with contextlib.suppress(HeroError):
            await self._call("aibroker.claude_key.release", {"lease": lease}, start=False)

    async def leases(self, ended: Ended, needed: Callable[[], bool] = lambda: False) -> None:
        """Have `ended` called for each lease of this user that ends, until this is cancelled.

        Those that ended while nobody listened are told too, so one may be told again. `needed` tells whether any
        session runs by the broker: then it is started again where it has gone, and systemd does not do that.
        """
        while True:
            with contextlib.suppress(HeroError):
                connection = await self._connected(start=needed())
                try:
                    connection.listen("lease.ended", partial(_told, ended))
                    await connection.call("aibroker.leases", timeout=SECONDS)
                    await connection.wait_lost()
                finally:
                    await connection.close()
            await asyncio.sleep(RETRY_SECONDS)

    async def _call(self, method: str, params: dict[str, object], *, start: bool = True) -> object:
        try:
            connection = await self._connected(start=start)
            try:
                return await connection.call(method, params, timeout=SECONDS)
            finally:
                await connection.close()
        except HeroError as error:
            if error.code not in ("unreachable", "timeout"):
                raise
            raise _unreachable(self._place, error) from error

    async def _connected(self, *, start: bool) -> Connection:
        try:
            return await connect(self._place.socket, label="The broker", timeout=SECONDS)
        except HeroError as error:
            if error.code != "unreachable" or not start or not self._place.argv:
                raise
        await asyncio.to_thread(
            ensure_daemon,
            self._place.socket,
            list(self._place.argv),
            log=self._place.log,
            timeout=START_SECONDS,
        )
        return await connect(self._place.socket, label="The broker", timeout=SECONDS)


def _told(ended: Ended, params: dict[str, object]) -> None:
    ended(str(params.get("lease", "")), str(params.get("reason", "")))


def _unreachable(place: BrokerPlace, error: HeroError) -> HeroError:
    where = f"See {place.log}." if place.argv else "`systemctl status hero_aibroker` tells why."
    return HeroError(
        "unreachable",
        "The broker of the org's Claude keys does not answer, so no session was started on one of them:"
        f" {error.message} Nobody else's credential is used instead.",
        hint=f"{where} `hero_dev claude use personal` takes your own login, if you have one.",
    )
