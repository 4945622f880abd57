"""Who asks the broker: the peer's uid on a system box; on a rootless box its one user, for any of the slots."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from backends.broker.assignments import Assignments
from backends.model.errors import HeroError
from backends.rpc.sockets import Peer
from backends.system_box import login_of


@dataclass(frozen=True)
class Asking:
    """One caller: its process, who that is, and for which user of the team it asks."""

    uid: int
    pid: int
    login: str
    user: str

    def told(self) -> dict[str, Any]:
        """For the record."""
        return {"uid": self.uid, "pid": self.pid, "login": self.login, "user": self.user}


class Rights:
    """The rights of callers. `system` False: all slots have this process's own uid."""

    def __init__(self, assignments: Assignments, *, system: bool):
        self._assignments = assignments
        self._system = system

    def slot(self, peer: Peer, user: str) -> Asking:
        """Who asks for a slot's sake. Raises HeroError `denied`, `usage`."""
        login = login_of(peer.uid)
        if self._system:
            if user not in ("", login):
                raise HeroError("denied", f"{login} may not ask in another user's name.")
            return Asking(peer.uid, peer.pid, login, login)
        self._refuse_stranger(peer, login)
        if not user:
            return Asking(peer.uid, peer.pid, login, login)
        return Asking(peer.uid, peer.pid, login, self._checked(user))

    def admin(self, peer: Peer) -> Asking:
        """Who asks to see or change the keys. Raises HeroError `denied`."""
        login = login_of(peer.uid)
        if not self._system:
            self._refuse_stranger(peer, login)
        elif peer.uid != 0 and login not in self._assignments.admins:
            names = ", ".join(self._assignments.admins) or "nobody yet"
            raise HeroError(
                "denied",
                f"{login} may not see or change the org's keys.",
                hint=f"Root and admins of the team may: {names} (team.toml).",
            )
        return Asking(peer.uid, peer.pid, login, login)

    def _checked(self, user: str) -> str:
        assigned = self._assignments.of(user)
        if not assigned.login:
            raise HeroError("usage", "That is no name of a user.")
        return assigned.login

    def _refuse_stranger(self, peer: Peer, login: str) -> None:
        if peer.uid != os.geteuid():
            raise HeroError("denied", f"This box is another user's: {login} gets nothing here.")
