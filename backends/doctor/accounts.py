"""Whether everybody whom the team repo names has the Linux account that goes with it."""

from __future__ import annotations

import grp
import json
import pwd
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backends.doctor.asking import ask, in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, Repair, listed, passed_over, well
from backends.model.errors import HeroError
from backends.system_box import TEAM_GROUP

DAEMON_USERS = ("hero", "hero-broker", "hero-web")
ROOTLESS = "a rootless box has no accounts of its own"

_RECONCILE = "hero_dev team apply"
_WHY_ACCOUNT = "Without the right account nobody can log in, and files belong to the wrong person."


@dataclass(frozen=True)
class Person:
    """A user as this machine has it; None and "" where there is nothing. `home_mode` has the permission bits."""

    login: str
    uid: int | None = None
    home: str = ""
    in_team: bool = False
    home_owner: int | None = None
    home_mode: int = 0


def judge(person: Person, expected_uid: int | None) -> list[str]:
    """What is wrong with an account, a phrase each. `expected_uid`: the reconciler's table, None where unknown."""
    if person.uid is None:
        return ["has no account"]
    found = []
    if expected_uid is not None and person.uid != expected_uid:
        found.append(f"has uid {person.uid}, the table says {expected_uid}")
    if not person.in_team:
        found.append(f"is not in the group {TEAM_GROUP}")
    if person.home_owner is None:
        found.append(f"has no home {person.home}")
    elif person.home_owner != person.uid:
        found.append(f"does not own {person.home} (uid {person.home_owner} does)")
    elif person.home_mode & 0o077:
        found.append(f"has a home that others can enter ({person.home}, mode {person.home_mode:04o})")
    return found


def uid_table(text: str) -> dict[str, int]:
    """Login → uid of the reconciler's state; empty for what is none."""
    try:
        users = json.loads(text).get("users", {})
        return {login: record["uid"] for login, record in users.items() if isinstance(record.get("uid"), int)}
    except (ValueError, AttributeError, KeyError, TypeError):
        return {}


async def _people(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over(ROOTLESS)]
    wanted = sorted(name for name, user in context.team.users.items() if user.enabled)
    if not wanted:
        return [
            Found(
                "warn",
                "The team repo's copy on this box names nobody.",
                "Nobody gets a slot until it does.",
                f"{context.as_root}hero_dev team status",
            )
        ]
    table = await in_thread(lambda: uid_table(_readable(context.box.team_state)))
    people = await in_thread(lambda: _look_up(wanted))
    found = [_told(context, person, judge(person, table.get(person.login))) for person in people.values()]
    wrong = [one for one in found if one is not None]
    unknown = "" if table else " (uids are compared by root only)"
    return wrong or [well(f"{listed(wanted)}: accounts, groups and homes are as they should be{unknown}.")]


def _told(context: Context, person: Person, faults: list[str]) -> Found | None:
    if not faults:
        return None
    return Found("bad", f"{person.login} {' and '.join(faults)}.", _WHY_ACCOUNT, f"{context.as_root}{_RECONCILE}")


async def _daemons(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over(ROOTLESS)]
    users, groups = await in_thread(lambda: ({one.pw_name for one in pwd.getpwall()}, _groups()))
    missing = [f"user {name}" for name in DAEMON_USERS if name not in users]
    missing += [] if TEAM_GROUP in groups else [f"group {TEAM_GROUP}"]
    if missing:
        return [
            Found(
                "bad",
                f"This machine lacks {listed(missing)}.",
                "The box's daemons run as these.",
                f"{context.as_root}deploy/bootstrap.sh (it makes what is missing)",
            )
        ]
    return [well(f"{listed(DAEMON_USERS)} and the group {TEAM_GROUP} are there.")]


async def _linger(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over("the daemons of a rootless box need no session")]
    have = await in_thread(lambda: _present(pwd.getpwall(), context.users))
    away = [user for user in have if not (context.machine.lingering / user).exists()]
    if not away:
        return [well(f"{listed(have)}: their services outlive a logout." if have else "Nobody has a slot yet.")]
    return [
        Found(
            "bad",
            f"{user} does not linger.",
            "Their services end at logout, and do not come back after a reboot.",
            f"{context.as_root}loginctl enable-linger {user}",
            repair=_enable_linger(context, user) if context.is_root else None,
        )
        for user in away
    ]


def _enable_linger(context: Context, user: str) -> Repair:
    async def mend() -> str:
        answer = await ask("loginctl", "enable-linger", user, env=context.environment)
        if answer.code:
            raise HeroError("failed", f"loginctl did not enable it: {answer.complaint}.")
        return f"{user} lingers."

    return mend


def _look_up(wanted: Iterable[str]) -> dict[str, Person]:
    accounts = {one.pw_name: one for one in pwd.getpwall()}
    members = _groups().get(TEAM_GROUP, frozenset())
    return {login: _person(login, accounts.get(login), login in members) for login in wanted}


def _person(login: str, account: pwd.struct_passwd | None, in_team: bool) -> Person:
    if account is None:
        return Person(login)
    try:
        home = Path(account.pw_dir).lstat()
    except OSError:
        return Person(login, account.pw_uid, account.pw_dir, in_team)
    owner = home.st_uid if stat.S_ISDIR(home.st_mode) else None
    return Person(login, account.pw_uid, account.pw_dir, in_team, owner, stat.S_IMODE(home.st_mode))


def _groups() -> Mapping[str, frozenset[str]]:
    return {one.gr_name: frozenset(one.gr_mem) for one in grp.getgrall()}


def _present(accounts: Iterable[pwd.struct_passwd], users: Sequence[str]) -> list[str]:
    names = {one.pw_name for one in accounts}
    return [user for user in users if user in names]


def _readable(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


CHECKS = (
    Check("accounts.people", "everybody's account", _people),
    Check("accounts.daemons", "accounts of the daemons", _daemons),
    Check("accounts.linger", "linger", _linger),
)
