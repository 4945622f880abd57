"""Who pays for this slot's agents: the user's preference, login and org keys, resolved and kept in sight."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from backends.claude.base import Broker
from backends.claude.login import EXPIRING, is_expiring, read_login
from backends.claude.program import find_program
from backends.model.agent_calls import ClaudeStatus
from backends.model.broker_calls import ClaudeKey
from backends.model.claude import Credential, OrgGrant, PersonalLogin, Preference, Resolution, resolve
from backends.model.errors import HeroError
from backends.model.manifest_edit import set_preference
from backends.slot.login_watch import LoginWatch
from backends.slot.manifest_file import ManifestFile

log = logging.getLogger(__name__)

ASK_AGAIN = 60.0
"""Seconds until a broker that did not answer is asked again."""

_AT_MOST = timedelta(hours=12)


@dataclass(frozen=True)
class Shown:
    """The credential as the fleet shows it: SlotStatus's `credential` and `credential_state`."""

    credential: str = "none"
    state: Literal["", "expiring", "cooling"] = ""


class ClaudeChoices:
    """The credentials of the slot whose user has this `home`; `broker` is asked as that user."""

    def __init__(
        self,
        home: Path,
        manifest: ManifestFile,
        broker: Broker,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self._home = home
        self._manifest = manifest
        self._broker = broker
        self._clock = clock
        self._org = OrgGrant(state="not_assigned", detail="the broker was not asked yet")
        self._shown = Shown()
        self._told: Callable[[Shown], None] = lambda _: None
        self._wanted = asyncio.Event()

    @property
    def shown(self) -> Shown:
        """What was resolved last; at first that nobody pays."""
        return self._shown

    def when_changed(self, told: Callable[[Shown], None]) -> None:
        """Call `told` whenever `shown` has changed."""
        self._told = told

    def soon(self) -> None:
        """Something may have changed: the manifest, the team repo, an org key."""
        self._wanted.set()

    async def run(self) -> None:
        """Keep `shown` true until cancelled: at every change of the login, and when time alone changes it."""
        with contextlib.ExitStack() as stack:
            watch: LoginWatch | None = None
            try:
                watch = stack.enter_context(LoginWatch(self._home))
            except HeroError as error:
                log.error("a new login shows at the next look only: %s", error.message)
            while True:
                self._wanted.clear()
                await self._until_something(watch, self._due(await self.resolution()))

    async def status(self) -> ClaudeStatus:
        """Which credential the next session gets, and why; which program it is."""
        resolution, program = await asyncio.gather(self.resolution(), find_program(self._home, os.environ))
        return ClaudeStatus(resolution=resolution, program=program)

    async def use(self, preference: Preference) -> ClaudeStatus:
        """Prefer a credential from now on; the manifest says so. Raises InvalidFile, HeroError."""
        await self._manifest.edit(lambda text: set_preference(text, preference))
        return await self.status()

    async def credential_for(self, session: str) -> tuple[Resolution, ClaudeKey | None]:
        """What `session` (`<slot>/<agent>`) runs on: the key where the org pays. With kind `none`, nobody does.

        Raises HeroError where the broker, asked for the key, refuses: nobody else pays in its place.
        """
        resolved = await self.next_credential()
        if resolved.credential.kind != "org":
            return resolved, None
        key = await self._broker.get(session)
        return resolved.model_copy(update={"credential": Credential(kind="org", key=key.slot)}), key

    async def next_credential(self) -> Resolution:
        """What a session would run on; the broker is asked only where that matters."""
        preference, login = await asyncio.to_thread(self._own)
        needs_broker = preference == "org" or (preference == "auto" and login.state != "usable")
        # A session that the user's own login pays for does not wait until a broker is started.
        return resolve(preference, login, await self._broker.status() if needs_broker else self._org)

    async def resolution(self) -> Resolution:
        """The rule's answer at this moment."""
        (preference, login), self._org = await asyncio.gather(asyncio.to_thread(self._own), self._broker.status())
        resolved = resolve(preference, login, self._org)
        self._show(resolved)
        return resolved

    def _own(self) -> tuple[Preference, PersonalLogin]:
        """What the user's own files say."""
        return self._manifest.load().manifest.claude.preference, read_login(self._home, self._clock())

    def _show(self, resolved: Resolution) -> None:
        shown = Shown(resolved.credential.name, self._state(resolved))
        if shown != self._shown:
            self._shown = shown
            self._told(shown)

    def _state(self, resolved: Resolution) -> Literal["", "expiring", "cooling"]:
        kind = resolved.credential.kind
        if kind == "personal" and is_expiring(resolved.personal, self._clock()):
            return "expiring"
        return "cooling" if kind == "org" and resolved.org.state == "cooling" else ""

    def _due(self, resolved: Resolution) -> float | None:
        """Seconds until time alone makes another answer; None where it does not."""
        if resolved.org.state == "unreachable" and resolved.credential.kind == "none":
            return ASK_AGAIN
        now = self._clock()
        moments = [resolved.org.cooling_until] if resolved.credential.kind == "org" else []
        if ends := resolved.personal.expires_at:
            moments += [ends - EXPIRING, ends]
        ahead = [moment - now for moment in moments if moment and moment > now]
        # A clock that is set, or a machine that slept, would make a long wait longer.
        return min(min(ahead), _AT_MOST).total_seconds() + 0.1 if ahead else None

    async def _until_something(self, watch: LoginWatch | None, due: float | None) -> None:
        """Return when `soon` was called, the login's file has changed, or `due` seconds are over."""
        waiting: list[asyncio.Task[object]] = [asyncio.create_task(self._wanted.wait(), name="credential-wanted")]
        if watch is not None:
            waiting.append(asyncio.create_task(watch.changed(), name="login-changed"))
        try:
            await asyncio.wait(waiting, timeout=due, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
