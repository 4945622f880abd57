"""The step that makes the box's own users and groups; people's are hero_team_sync's."""

from __future__ import annotations

import grp
import pwd

from deploy.setup.machine import run
from deploy.setup.places import BROKER, ROOT, WEB
from deploy.setup.step import Step

GROUP = "hero-team"
USERS = {"hero": ROOT, "hero-broker": BROKER, "hero-web": WEB}


def accounts() -> Step:
    """The users of the daemons, and the group of the team."""
    return Step("users and groups of the box", _missing, _make)


def _missing() -> list[str]:
    found = [] if _has_group(GROUP) else [f"make the group {GROUP}"]
    return found + [f"make the system user {user}" for user in USERS if not _has_user(user)]


def _make() -> None:
    if not _has_group(GROUP):
        run("groupadd", "--system", GROUP)
    for user, home in USERS.items():
        if not _has_user(user):
            shell = "/usr/sbin/nologin"
            run(
                "useradd",
                "--system",
                "--user-group",
                "--home-dir",
                str(home),
                "--no-create-home",
                "--shell",
                shell,
                user,
            )


def _has_user(name: str) -> bool:
    return any(user.pw_name == name for user in pwd.getpwall())


def _has_group(name: str) -> bool:
    return any(group.gr_name == name for group in grp.getgrall())
