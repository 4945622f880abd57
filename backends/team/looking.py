"""Reads what a machine is: /etc once, one look at each home from outside, a child only where keys have changed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from backends.model.errors import HeroError
from backends.system_box import ROUTER_GROUP
from backends.team.accounts import Accounts, read_accounts
from backends.team.as_user.steps import seen
from backends.team.files import read_root_file
from backends.team.homes import CHILD, Owner, in_home
from backends.team.places import Places
from backends.team.rendered import keys_digest
from backends.team.state import State
from backends.team.values import Account, Actual, ActualUser, Desired, Home, Record, Wanted

SECRETS_RETRY_SECONDS = 3600.0
"""Between two tries to make a repository that the forge refused."""

_UNREADABLE = "?"
_AT_ONCE = 8
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


async def look(
    places: Places, desired: Desired, state: State, *, all_keys: bool = False, child: Sequence[str] = CHILD
) -> Actual:
    """The machine as it is, for everybody of `desired` and of the state. Raises HeroError.

    Where the file of a user's keys is not what it was when they were written, or with `all_keys`, a process of
    that user's compares them.
    """
    actual, accounts = await asyncio.to_thread(_from_outside, places, desired, state)
    suspects = [
        desired.users[login]
        for login, user in actual.users.items()
        if login in desired.users and _is_suspect(user, desired.users[login], all_keys)
    ]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def compared(wanted: Wanted) -> tuple[str, ActualUser]:
        async with gate:
            owner = owner_of(places, accounts, wanted.login)
            return wanted.login, await _compare(actual.users[wanted.login], wanted, owner, child)

    found = await asyncio.gather(*(compared(wanted) for wanted in suspects))
    return replace(actual, users={**actual.users, **dict(found)})


def remembered(records: Mapping[str, Record], desired: Desired, actual: Actual) -> dict[str, Record]:
    """The records with what a look has shown: whose keys are as they should be, and who is wanted again."""
    found = dict(records)
    for login, wanted in desired.users.items():
        if login not in found:
            continue
        user = actual.user(login)
        update: dict[str, object] = {"kept": False}
        if user.home == "there" and user.keys == keys_digest(wanted.keys, wanted.strict):
            update |= {"keys": user.keys, "keys_seen": user.keys_seen}
        found[login] = found[login].model_copy(update=update)
    return found


def owner_of(places: Places, accounts: Accounts, login: str) -> Owner:
    """Whose home `login`'s is. Raises HeroError `not_found`."""
    account = accounts.users.get(login)
    if account is None:
        raise HeroError("not_found", f"This machine has no account {login}.")
    return Owner(login, account.uid, accounts.gids[login], str(places.home(login)))


def _from_outside(places: Places, desired: Desired, state: State) -> tuple[Actual, Accounts]:
    accounts = read_accounts(places.etc)
    now = time.time()
    users = {}
    for login in {*desired.users, *state.users}:
        record, account = state.users.get(login), accounts.users.get(login)
        users[login] = _user(places, login, record, account, now)
    actual = Actual(
        users=users,
        groups=accounts.groups,
        taken=accounts.taken,
        owners=accounts.owners,
        shells=accounts.shells,
        uids=places.uids,
        router=ROUTER_GROUP in accounts.users,
    )
    return actual, accounts


def _user(places: Places, login: str, record: Record | None, account: Account | None, now: float) -> ActualUser:
    uid = record.uid if record else account.uid if account else -1
    home, slot, keys_seen = _home(places, login, uid)
    return ActualUser(
        record=record,
        account=account,
        linger=(places.lingering / login).exists(),
        home=home,
        slot=slot,
        # As long as the file is the very one that was written, it holds what was written.
        keys=(record.keys if keys_seen == record.keys_seen else _UNREADABLE) if record else "",
        keys_seen=keys_seen,
        sockets=_sockets(places, login, uid),
        limits=read_root_file(places.limits(uid)) if record else "",
        archive_there=bool(record and record.archive and (places.archives / record.archive).is_file()),
        leftover=os.path.lexists(places.leaving_home(login)),
        secrets_due=not record or now - record.secrets_tried >= SECRETS_RETRY_SECONDS,
    )


def _home(places: Places, login: str, uid: int) -> tuple[Home, bool, str]:
    """What is at the home's path, whether ~/hero is as it should be, and what the file of keys looks like."""
    path = places.home(login)
    try:
        top = os.open(path, _FOLDER)
    except FileNotFoundError:
        return "none", False, ""
    except OSError:
        return "foreign", False, ""
    try:
        found = os.fstat(top)
        if found.st_uid != uid:
            return "foreign", False, ""
        return "there", _slot(places, login, top), _keys_seen(top)
    finally:
        os.close(top)


def _slot(places: Places, login: str, top: int) -> bool:
    with contextlib.suppress(OSError), _inside(top, ("hero", "var")) as var:
        return os.readlink("sockets", dir_fd=var) == str(places.slots_run / login)
    return False


def _keys_seen(top: int) -> str:
    looks = ""
    with contextlib.suppress(OSError), _inside(top, (".ssh",)) as ssh:
        for name in ("authorized_keys", "authorized_keys2"):
            with contextlib.suppress(FileNotFoundError):
                looks += seen(os.stat(name, dir_fd=ssh, follow_symlinks=False))
    return looks


@contextlib.contextmanager
def _inside(top: int, names: Sequence[str]) -> Iterator[int]:
    """The folder that `names` lead to from the open folder `top`, no link among them. Raises OSError."""
    opened: list[int] = []
    try:
        for name in names:
            opened.append(os.open(name, _FOLDER, dir_fd=opened[-1] if opened else top))
        yield opened[-1]
    finally:
        for fd in opened:
            os.close(fd)


def _sockets(places: Places, login: str, uid: int) -> str:
    """The tmpfiles text, where the folder that it describes is there and the user's."""
    try:
        found = (places.slots_run / login).lstat()
    except OSError:
        return ""
    ready = stat.S_ISDIR(found.st_mode) and found.st_uid == uid
    return read_root_file(places.tmpfiles(login)) if ready else ""


def _is_suspect(user: ActualUser, wanted: Wanted, all_keys: bool) -> bool:
    if not user.record or not user.account or user.account.uid != user.record.uid or user.home != "there":
        return False
    return all_keys or user.keys == _UNREADABLE


async def _compare(user: ActualUser, wanted: Wanted, owner: Owner, child: Sequence[str]) -> ActualUser:
    digest = keys_digest(wanted.keys, wanted.strict)
    try:
        found = await in_home(owner, "look", child=child, lines=list(wanted.keys), strict=wanted.strict)
    except HeroError:
        # What is in the way is told when the keys are written.
        return replace(user, keys=_UNREADABLE)
    return replace(user, keys=digest if found.get("current") is True else _UNREADABLE)
