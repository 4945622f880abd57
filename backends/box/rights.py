"""Who may do what on the box: the kernel says who calls, the team repo who is an admin."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.rpc.sockets import Peer
from backends.system_box import BROKER_USER, WEB_USER, login_of


class Rights:
    """The rights of callers. On a rootless box (`system` False) all are one user, who may do everything.

    `admins` gives the logins of the team's admins at this moment.
    """

    def __init__(self, *, system: bool, admins: Callable[[], Iterable[str]]):
        self.system = system
        self._admins = admins

    def is_root(self, peer: Peer) -> bool:
        """Whether the caller is root, or whoever runs the box itself."""
        return peer.uid in (os.geteuid(), 0)

    def is_admin(self, peer: Peer) -> bool:
        return self.is_root(peer) or login_of(peer.uid) in self._admins()

    def owner_or_admin(self, peer: Peer, user: str) -> str:
        """The caller's login, who may have `user`'s slot build. Raises HeroError `denied`."""
        login = login_of(peer.uid)
        if login == user or self.is_admin(peer):
            return login
        raise HeroError(
            "denied",
            f"{login} may not have {user}'s slot build.",
            hint=f"Ask {user}, or an admin of the team; your own slot you may.",
        )

    def admin(self, peer: Peer, what: str) -> str:
        """The caller's login, who may do `what` to the box. Raises HeroError `denied`."""
        login = login_of(peer.uid)
        if self.is_admin(peer):
            return login
        names = ", ".join(sorted(self._admins())) or "nobody yet"
        raise HeroError("denied", f"{login} may not {what}.", hint=f"Admins of the team may: {names} (team.toml).")

    def speaks_for(self, peer: Peer, slot: str) -> None:
        """Let the caller report as `slot`: on a system box that user alone. Raises HeroError `denied`."""
        login = login_of(peer.uid)
        if self.system and login != slot:
            raise HeroError("denied", f"{login} may not report as {slot}.", hint="Each slot speaks for itself.")

    def refuse_change(self, peer: Peer, method: str) -> None:
        """Raises HeroError `denied` where `method` changes something, and the caller may only look: the cockpit in
        the browser, whoever it is shown to."""
        known = BY_NAME.get(method)
        if self.system and known and known.mutates and login_of(peer.uid) == WEB_USER:
            raise HeroError(
                "denied", f"{WEB_USER} may only look.", hint="On the box, everybody acts as themselves."
            )

    def root(self, peer: Peer, what: str) -> None:
        """Raises HeroError `denied` where the caller is not root."""
        if peer.uid != 0 and not (peer.uid == os.geteuid() and not self.system):
            raise HeroError("denied", f"{login_of(peer.uid)} may not {what}: only the reconciler does.")

    def broker(self, peer: Peer) -> None:
        """Raises HeroError `denied` where the caller is not the broker of the org's keys."""
        if self.system and login_of(peer.uid) != BROKER_USER:
            raise HeroError("denied", f"{login_of(peer.uid)} may not tell what the broker did.")
