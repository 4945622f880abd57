"""A machine in memory: what each action of a plan makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from backends.system_box import TEAM_GROUP
from backends.team.actions import (
    Action,
    ArchiveHome,
    ChangeRole,
    CreateAccount,
    EnableLinger,
    EndSessions,
    LockAccount,
    MakeHome,
    MakeSecretsRepository,
    MakeSockets,
    RemoveHome,
    RestoreHome,
    SeedManifest,
    SetGroups,
    SetKeys,
    SetLimits,
    SetShell,
    UnlockAccount,
)
from backends.team.rendered import keys_digest, render_limits, render_sockets
from backends.team.values import Account, Actual, ActualUser, Desired, Record


def after(actions: Iterable[Action], desired: Desired, actual: Actual) -> Actual:
    """The machine once all `actions` are done."""
    for action in actions:
        actual = _done(action, desired, actual)
    return actual


def _done(action: Action, desired: Desired, actual: Actual) -> Actual:
    user = _user_after(action, desired, actual.user(action.user), actual)
    owners = dict(actual.owners)
    if user.account:
        owners[user.account.uid] = action.user
    taken = actual.taken | {user.account.uid} if user.account else actual.taken
    groups = dict(actual.groups)
    if isinstance(action, CreateAccount):
        groups[action.user] = action.uid
    users = {**actual.users, action.user: user}
    return replace(actual, users=users, owners=owners, taken=taken, groups=groups)


def _user_after(action: Action, desired: Desired, user: ActualUser, actual: Actual) -> ActualUser:
    if isinstance(action, CreateAccount):
        record = user.record or Record(uid=action.uid, role=action.role)
        return replace(user, record=record, account=Account(action.uid, f"/home/{action.user}", action.shell))
    assert user.record
    record, account = user.record, user.account
    wanted = desired.users.get(action.user)
    match action:
        case UnlockAccount():
            assert account
            record = record.model_copy(update={"phase": "here"})
            return replace(user, record=record, account=replace(account, locked=False, shell=action.shell))
        case SetShell():
            assert account
            return replace(user, account=replace(account, shell=action.shell))
        case SetGroups():
            assert account
            groups = (account.groups | set(action.add)) - set(action.remove)
            given = (set(record.groups) | set(action.add)) - set(action.remove)
            record = record.model_copy(update={"groups": tuple(sorted(given))})
            return replace(user, record=record, account=replace(account, groups=groups))
        case ChangeRole():
            return replace(user, record=record.model_copy(update={"role": action.role}))
        case RestoreHome():
            assert user.home == "none"
            return replace(user, home="there", slot=True)
        case MakeHome():
            update = {"seeded": False} if action.fresh else {}
            return replace(user, record=record.model_copy(update=update), home="there", slot=True)
        case SeedManifest():
            assert user.home == "there"
            return replace(user, record=record.model_copy(update={"seeded": True}))
        case SetKeys():
            assert wanted
            assert user.home == "there"
            return replace(user, keys=keys_digest(wanted.keys, wanted.strict))
        case MakeSockets():
            return replace(user, sockets=render_sockets(action.user, actual.router))
        case SetLimits():
            return replace(user, limits=render_limits(action.limits))
        case EnableLinger():
            assert account
            assert not account.locked
            return replace(user, linger=True)
        case MakeSecretsRepository():
            return replace(user, record=record.model_copy(update={"secrets": action.repo}))
        case LockAccount():
            assert account
            record = record.model_copy(update={"phase": "leaving"}) if record.phase == "here" else record
            return replace(user, record=record, account=replace(account, locked=True, shell="/usr/sbin/nologin"))
        case EndSessions():
            return replace(user, linger=False)
        case ArchiveHome():
            assert account is None or account.locked
            record = record.model_copy(update={"phase": "packed", "archive": f"{action.user}.tar.zst"})
            return replace(user, record=record, archive_there=True)
        case RemoveHome():
            assert user.home == "none" or record.phase == "packed"
            record = record.model_copy(update={"phase": "archived"})
            return replace(
                user, record=record, home="none", slot=False, keys="", sockets="", limits="", leftover=False
            )
    raise AssertionError(action)


GROUPS = {"root": 0, TEAM_GROUP: 998, "docker": 997, "hero": 996}
