"""What a system box has that a rootless one has not: root's folders, groups that may use a socket, one place."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import socket
import stat
from pathlib import Path

from backends.model.errors import HeroError

TEAM_GROUP = "hero-team"
"""The group of everybody who has a slot."""
ROUTER_GROUP = "caddy"
"""The group of the router's process."""
TEAM_SYNC_SOCKET = Path("/run/hero/team_sync/rpc.sock")
BROKER_SOCKET = Path("/run/hero/broker/rpc.sock")
BROKER_STATE = Path("/var/lib/hero-broker")
"""The org's keys, and all else that the broker keeps; nobody but its own user enters."""
BROKER_USER = "hero-broker"
WEB_USER = "hero-web"
"""Whom the cockpit in the browser runs as, which may change nothing."""
WEB_SOCKET = Path("/run/hero/web/http.sock")
WEB_STATE = Path("/var/lib/hero-web")
"""What its daemon keeps: the secret under which the forge knows it, where there is one."""
WEB_SECRET = "oauth_secret"  # noqa: S105  # the file's name
"""That file, there or in a rootless box's own folder."""
SLOTS_RUN = Path("/run/hero/slots")
"""One folder a slot, for its sockets."""


def prepared_folder(link: Path) -> Path:
    """The folder for sockets that root has made for this user, where `link` leads.

    Raises HeroError `not_found` where it is not there, `denied` where it is somebody else's.
    """
    folder = link.resolve()
    try:
        found = folder.stat()
    except OSError as error:
        raise HeroError(
            "not_found",
            f"{folder}, where {link} leads, is not there: {error.strerror}.",
            hint="As root: `systemd-tmpfiles --create` makes it again.",
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise HeroError(
            "denied",
            f"{folder}, where {link} leads, is no folder of this user.",
            hint="As root: `hero_dev doctor --fix` puts it right.",
        )
    return folder


def has_web_secret(path: Path) -> bool | None:
    """Whether the secret that the forge gave is in `path`; None where this user may not see."""
    try:
        return path.lstat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError:
        return None


def tell_ready() -> None:
    """Tell systemd, where it started this process, that the daemon serves now (sd_notify's READY=1)."""
    address = os.environ.pop("NOTIFY_SOCKET", "")
    if not address:
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, contextlib.suppress(OSError):
        notify.sendto(b"READY=1", name)


def group_id(name: str) -> int:
    """The gid of a group of the box. Raises HeroError `not_found`."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise HeroError(
            "not_found", f"This machine has no group {name}.", hint="deploy/bootstrap.sh makes it."
        ) from error


def login_of(uid: int) -> str:
    """The login of `uid`; the number where nobody has it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
