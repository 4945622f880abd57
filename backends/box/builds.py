"""Who may have what built: a request's missing parts from the slot's binding, its actor from the kernel."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable

from backends.model.calls import BuildSubmitParams
from backends.model.errors import HeroError, unknown_name
from backends.model.state import CatalogueEntry, ServiceStatus, SlotStatus
from backends.rpc.sockets import Peer


def login_of(peer: Peer) -> str:
    """The login behind the peer's uid, which the kernel tells; the number where nobody has it."""
    try:
        return pwd.getpwuid(peer.uid).pw_name
    except KeyError:
        return str(peer.uid)


def require_right(peer: Peer, user: str, admins: Iterable[str]) -> str:
    """The caller's login, who may have `user`'s slot build: its owner, an admin, or whoever runs the box itself.

    Raises HeroError `denied`.
    """
    login = login_of(peer)
    if peer.uid in (os.getuid(), 0) or login == user or login in admins:
        return login
    raise HeroError(
        "denied",
        f"{login} may not have {user}'s slot build.",
        hint=f"Ask {user}, or an admin of the team; your own slot you may.",
    )


def completed(
    params: BuildSubmitParams, slot: SlotStatus | None, catalogue: Iterable[CatalogueEntry], trunk: str
) -> BuildSubmitParams:
    """`params` with the repository and branch of the slot's binding, or else of the catalogue and the trunk.

    Raises HeroError `not_found` for a slot or a service that nobody knows.
    """
    if slot is None:
        raise HeroError(
            "not_found",
            f"There is no slot of {params.user!r} on this box.",
            hint="`hero_dev status --all` lists them.",
        )
    cell = next((one for one in slot.services if one.service == params.service), None)
    repo = params.repo or _repo_of(params.service, cell, catalogue)
    branch = params.branch or (cell.branch if cell else trunk)
    return params.model_copy(update={"repo": repo, "branch": branch})


def _repo_of(service: str, cell: ServiceStatus | None, catalogue: Iterable[CatalogueEntry]) -> str:
    repos = {entry.name: entry.repo for entry in catalogue}
    if cell and cell.repo:
        return cell.repo
    if service in repos:
        return repos[service]
    raise unknown_name("service", service, repos)
