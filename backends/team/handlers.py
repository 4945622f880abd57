"""Which part of the reconciler answers which call, and who may ask for it."""

from __future__ import annotations

from backends.model import team_calls as calls
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.model.method import Empty
from backends.model.names import check_commit, check_login
from backends.model.team_calls import TeamDiff
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.sockets import Peer
from backends.system_box import login_of
from backends.team.reconciler import Reconciler


def register(dispatcher: Dispatcher, reconciler: Reconciler) -> None:
    """Have `dispatcher` answer every call of the reconciler.

    Whoever can reach the socket is of the team, or the box's daemon: they may look, and have applied what is
    reviewed.
    """
    handlers = _Handlers(reconciler)
    dispatcher.register(BY_NAME["team.plan"], handlers.plan)
    dispatcher.register(BY_NAME["team.diff"], handlers.diff)
    dispatcher.register(BY_NAME["team.apply"], handlers.apply)
    dispatcher.register(BY_NAME["team.status"], handlers.status)
    dispatcher.register(BY_NAME["team.restore"], handlers.restore)
    dispatcher.register(BY_NAME["team.accept"], handlers.accept)


class _Handlers:
    def __init__(self, reconciler: Reconciler):
        self._reconciler = reconciler

    async def plan(self, _: Call, __: Empty) -> calls.TeamRun:
        return await self._reconciler.plan()

    async def diff(self, _: Call, __: Empty) -> TeamDiff:
        return await self._reconciler.differences()

    async def apply(self, _: Call, __: Empty) -> calls.TeamRun:
        return await self._reconciler.apply()

    async def status(self, _: Call, __: Empty) -> calls.TeamStatus:
        return self._reconciler.status()

    async def restore(self, call: Call, params: calls.TeamRestoreParams) -> calls.TeamRun:
        actor = self._admin(call.peer, "bring somebody back")
        return await self._reconciler.restore(check_login(params.user), actor)

    async def accept(self, call: Call, params: calls.TeamAcceptParams) -> calls.TeamRun:
        actor = self._admin(call.peer, "accept a rewritten history")
        return await self._reconciler.accept(check_commit(params.commit), actor)

    def _admin(self, peer: Peer, what: str) -> str:
        """The caller's login, who is root or an admin of the commit in force. Raises HeroError `denied`."""
        login = login_of(peer.uid)
        admins = self._reconciler.admins
        if peer.uid == 0 or login in admins:
            return login
        names = ", ".join(sorted(admins)) or "nobody yet"
        raise HeroError(
            "denied", f"{login} may not {what}.", hint=f"Root may, and admins of the team: {names} (team.toml)."
        )
