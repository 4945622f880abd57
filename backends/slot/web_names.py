"""Where a slot's sockets lie: those that people reach a service by where the router may go, all others not.

    <service>/            0700, for the slot's user alone
        rpc.sock
        web.sock          → ../.web/<service>/web.sock
    .web/                 0710, on a system box the router may pass
        <service>/web.sock
        <short>.sock      → <service>/web.sock

A link of one user may lead the router into the folder of another; so nothing may lie where it can go but what
everybody reaches through it anyway.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.service import ServiceDescription
from backends.slot.files import disk_error, link_target, remove_file, swap_link

log = logging.getLogger(__name__)

FOLDER = ".web"
PUBLIC = ("web", "ui")
"""Sockets that the router may use; of a service that declares both, the first."""

_PASSED = 0o710
"""On a system box a mode's group bits are the mask of the router's entry in the ACL: it may pass, not look."""

_ADMITTED = 0o060


def public_socket(description: ServiceDescription) -> str:
    """The name of the socket that people reach the service by; empty where it has none."""
    return next((name for name in PUBLIC if name in description.run.sockets), "")


class WebNames:
    """The sockets below `sockets`. `address` is the slot's on the box's router, "" where there is no router."""

    def __init__(self, sockets: Path, address: str = ""):
        self._sockets = sockets
        self._web = sockets / FOLDER
        self._address = address
        self._shorts: Mapping[str, str] = {}
        self._public: dict[str, str] = {}

    def socket(self, service: str, name: str, description: ServiceDescription) -> Path:
        """Where the service has to make its socket `name`."""
        folder = self._web if name == public_socket(description) else self._sockets
        return folder / service / f"{name}.sock"

    def url(self, service: str) -> str:
        """Where people find the service; empty where they cannot."""
        if not (self._address and service in self._public and service in self._shorts):
            return ""
        return f"{self._address}/{self._shorts[service]}/"

    def lay(self, service: str, description: ServiceDescription) -> None:
        """Make room for the sockets of a process that is about to start; what one before it left goes.

        Raises HeroError where something is in the way.
        """
        own, public = self._sockets / service, self._web / service
        own.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in (*(own / f"{name}.sock" for name in description.run.sockets), *_sockets_in(public)):
            remove_file(left)
        chosen = public_socket(description)
        self._public.pop(service, None)
        if not chosen:
            return
        for folder in (self._web, public):
            _open(folder)
        swap_link(own / f"{chosen}.sock", public / f"{chosen}.sock")
        self._public[service] = chosen
        self._point(service)

    def admit(self, service: str) -> None:
        """Let the router connect to the socket that the service has made: the kernel masks the router's entry in
        its ACL with the group bits that the service's umask has left."""
        if service not in self._public:
            return
        path = self._web / service / f"{self._public[service]}.sock"
        try:
            mode = path.lstat().st_mode
            if stat.S_ISSOCK(mode) and mode & _ADMITTED != _ADMITTED:
                path.chmod(stat.S_IMODE(mode) | _ADMITTED)
        except OSError as error:
            log.warning("the router may not reach %s: %s", path, error.strerror)

    def keep(
        self, shorts: Mapping[str, str], bound: Collection[str], describe: Callable[[str], ServiceDescription]
    ) -> None:
        """Have exactly the `bound` services reachable by their name in `shorts`, the catalogue's; what cannot be
        made is logged. `describe` gives the description in force, or raises HeroError where there is none."""
        self._shorts = dict(shorts)
        self._public = dict(_public_of(bound, describe))
        try:
            for service in self._public:
                self._point(service)
            self._remove_stale()
        except (HeroError, OSError) as error:
            log.error("the router cannot be led to this slot's services: %s", error)

    def _point(self, service: str) -> None:
        short = self._shorts.get(service)
        if not short:
            return
        _open(self._web)
        link, target = self._web / f"{short}.sock", self._web / service / f"{self._public[service]}.sock"
        if link_target(link) != target:
            swap_link(link, target)

    def _remove_stale(self) -> None:
        names = {f"{short}.sock" for service, short in self._shorts.items() if service in self._public}
        if not self._web.is_dir() or self._web.is_symlink():
            return
        for entry in self._web.iterdir():
            if entry.is_symlink() and entry.name not in names:
                remove_file(entry)


def _public_of(
    services: Collection[str], describe: Callable[[str], ServiceDescription]
) -> Iterator[tuple[str, str]]:
    for service in services:
        try:
            name = public_socket(describe(service))
        except HeroError:
            continue
        if name:
            yield service, name


def _sockets_in(folder: Path) -> list[Path]:
    return list(folder.glob("*.sock")) if folder.is_dir() and not folder.is_symlink() else []


def _open(folder: Path) -> None:
    """A folder of ours that the router may pass. Raises HeroError where something else is in its place."""
    if folder.is_symlink():
        raise HeroError("conflict", f"{folder} is a link, and should be a folder.", hint="Remove it.")
    try:
        folder.mkdir(exist_ok=True)
        if folder.stat().st_mode & 0o777 != _PASSED:
            folder.chmod(_PASSED)
    except OSError as error:
        raise disk_error(folder, error) from error
