"""Carries a plan out, action by action: one that fails stops its user's others, and nobody else's."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from backends.failpoints import failpoint
from backends.model.errors import HeroError
from backends.model.team_calls import TeamAction
from backends.team import actions as a
from backends.team import arriving, leaving
from backends.team.actions import Action
from backends.team.machine import Machine
from backends.team.values import Wanted

log = logging.getLogger(__name__)

_ALONE: dict[type[Action], Callable[[Machine, Any], Awaitable[None]]] = {
    a.CreateAccount: arriving.create_account,
    a.UnlockAccount: arriving.unlock_account,
    a.SetShell: arriving.set_shell,
    a.SetGroups: arriving.set_groups,
    a.ChangeRole: arriving.change_role,
    a.MakeHome: arriving.make_home,
    a.MakeSockets: arriving.make_sockets,
    a.SetLimits: arriving.set_limits,
    a.EnableLinger: arriving.enable_linger,
    a.LockAccount: leaving.lock_account,
    a.EndSessions: leaving.end_sessions,
    a.ArchiveHome: leaving.archive_home,
    a.RemoveHome: leaving.remove_home,
    a.RestoreHome: leaving.restore_home,
}
_WITH_USER: dict[type[Action], Callable[[Machine, Any, Wanted], Awaitable[None]]] = {
    a.SeedManifest: arriving.seed_manifest,
    a.SetKeys: arriving.set_keys,
    a.MakeSecretsRepository: arriving.make_secrets_repository,
}
_ASIDE = (a.MakeSecretsRepository,)
"""Actions on which nothing else of the user depends."""


class Applier:
    """Applies plans to `machine`; `told` hears of each action how it went. `users` are those who are wanted."""

    def __init__(self, machine: Machine, users: Mapping[str, Wanted], told: Callable[[TeamAction], None]):
        self._machine = machine
        self._users = users
        self._told = told
        self._failed: set[str] = set()
        self._reload = False

    async def apply(self, actions: Iterable[Action], going_on: Callable[[], bool]) -> tuple[TeamAction, ...]:
        """How each went; what was not tried any more, once `going_on` says no, is not among them."""
        done = []
        for action in actions:
            if not going_on():
                break
            if action.user not in self._failed:
                done.append(await self._one(action))
                failpoint("team_sync.action")
        await self._reload_units()
        return tuple(done)

    async def _one(self, action: Action) -> TeamAction:
        try:
            await self._do(action)
        except HeroError as error:
            outcome = action.told(False, error.message)
        except OSError as error:
            outcome = action.told(False, f"{error.filename or 'a file'}: {error.strerror or error}")
        else:
            outcome = action.told(True)
        if not outcome.ok and not isinstance(action, _ASIDE):
            self._failed.add(action.user)
        self._told(outcome)
        return outcome

    async def _do(self, action: Action) -> None:
        if isinstance(action, a.EnableLinger):
            await self._reload_units()
        if alone := _ALONE.get(type(action)):
            await alone(self._machine, action)
        else:
            await _WITH_USER[type(action)](self._machine, action, self._users[action.user])
        if isinstance(action, a.SetLimits | a.RemoveHome):
            self._reload = True

    async def _reload_units(self) -> None:
        """Limits are in force from here on; once for all users, for it takes longer the more there are."""
        if not self._reload:
            return
        self._reload = False
        try:
            await self._machine.run("systemctl", "daemon-reload")
        except HeroError as error:
            log.error("limits are not in force yet: %s", error.message)
            self._machine.note("", f"Limits are not in force before the next boot: {error.message}")
