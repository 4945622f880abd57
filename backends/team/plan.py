"""From what is wanted and what there is to a list of actions: pure, and empty once they are done."""

from __future__ import annotations

from collections.abc import Iterator

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
from backends.team.values import INTEGRATION, Actual, ActualUser, Desired, Record, Wanted

SHELL = "/bin/bash"
"""What a new account gets; whoever chooses another one that /etc/shells lists keeps it."""

FEW = 2
"""People who may always leave at once, however small the team is."""

GUARDED_GROUPS = frozenset({"root", "shadow", "disk", "kmem", "hero-broker", "hero-web"})
"""Groups that are as good as root, or have the org's keys: no file of the team repo puts anybody in them."""


def plan(desired: Desired, actual: Actual) -> tuple[Action, ...]:
    """What has to be done, in this order: the integration slot, everybody else, and then removals.

    Somebody whose file cannot be used, or for whom `refusals` has a sentence, is left exactly as they are.
    """
    if not desired.usable:
        return ()
    refused = refusals(desired, actual)
    uids = _new_uids(desired, actual, refused)
    actions: list[Action] = []
    for login in _in_order(desired):
        if login not in refused:
            actions += _bring(desired.users[login], actual.user(login), uids.get(login, 0), desired, actual)
    for login in leaving(desired, actual):
        if login not in refused:
            actions += _remove(login, actual.user(login))
    return tuple(actions)


def leaving(desired: Desired, actual: Actual) -> list[str]:
    """Everybody of whom we know and whom nobody wants any more, sorted; never those whose file is stopped."""
    if not desired.usable:
        return []
    there = {login for login, user in actual.users.items() if user.record and not user.record.kept}
    return sorted(there - set(desired.users) - desired.stopped)


def refusals(desired: Desired, actual: Actual) -> dict[str, str]:
    """Why nothing is done for a user, by login: the account, its number or its home is somebody else's."""
    if not desired.usable:
        return {}
    found = {}
    free = _count_free(actual)
    for login in _in_order(desired):
        sentence = _refusal(login, actual.user(login), actual)
        if not sentence and actual.user(login).record is None:
            free -= 1
            sentence = _no_number(actual) if free < 0 else ""
        if sentence:
            found[login] = f"users/{login}.toml is not carried out: {sentence}"
    crowd = _crowd(desired, actual)
    for login in leaving(desired, actual):
        if sentence := _refusal_to_remove(login, actual.user(login)) or crowd.get(login, ""):
            found[login] = sentence
    return found


def _crowd(desired: Desired, actual: Actual) -> dict[str, str]:
    """Why those who would leave stay, by login, where it is most of the team at once: so does a mistake look."""
    here = [login for login, user in actual.users.items() if user.record and user.record.phase == "here"]
    going = [login for login in leaving(desired, actual) if login in here]
    if len(going) <= max(FEW, len(here) // 2):
        return {}
    why = (
        f"{len(going)} of {len(here)} people have no file any more, and so many are not removed at once."
        " If it is meant, take their files away in steps of at most half of the team."
    )
    return {login: f"{login} is not removed: {why}" for login in going}


def notes(desired: Desired, actual: Actual) -> list[str]:
    """What a person should know besides: things that a user's file asks for and this machine does not give."""
    found = []
    for login in _in_order(desired):
        for group in sorted(desired.users[login].groups - usable_groups(actual)):
            known = group in actual.groups
            why = "as good as root" if known else f"not on this machine (as root: `groupadd {group}`)"
            found.append(f"users/{login}.toml: {login} is not put in the group {group}, which is {why}.")
        user = actual.user(login)
        if locked_by_hand(user):
            found.append(f"{login} is locked on this machine by somebody's hand; only that hand unlocks it.")
        if (
            user.record
            and user.record.phase in ("packed", "archived")
            and user.home == "none"
            and not user.archive_there
        ):
            found.append(
                f"users/{login}.toml: {login} is back, but the archive {user.record.archive or 'of the home'} is "
                "not on this machine; the home begins empty."
            )
    return found


def _in_order(desired: Desired) -> list[str]:
    return sorted(desired.users, key=lambda login: (login != INTEGRATION, login))


def _refusal(login: str, user: ActualUser, actual: Actual) -> str:
    record, account = user.record, user.account
    if account and record is None:
        return f"there is an account {login} already (uid {account.uid}) that the team repo did not make."
    if account and record and account.uid != record.uid:
        return f"the account {login} has uid {account.uid}, and {record.uid} is the one that it was made with."
    if record and account is None:
        owner = actual.owners.get(record.uid)
        if owner:
            return f"its uid {record.uid} belongs to {owner} on this machine."
    number = record.uid if record else None
    if account is None and login in actual.groups and actual.groups[login] != number:
        return f"there is a group {login} already (gid {actual.groups[login]}) that the team repo did not make."
    if user.home == "foreign":
        return f"/home/{login} is there and is no folder of {login}; move it away."
    return ""


def _refusal_to_remove(login: str, user: ActualUser) -> str:
    record, account = user.record, user.account
    if record and account and account.uid != record.uid:
        return (
            f"{login} is not removed: the account has uid {account.uid}, and {record.uid} is the one that it was "
            "made with."
        )
    if user.home == "foreign":
        return f"{login} is not removed: /home/{login} is no folder of {login}; move it away."
    if record and record.phase == "archived" and user.home == "there":
        return f"/home/{login} is there, though {login} was archived; nobody touches it."
    return ""


def _no_number(actual: Actual) -> str:
    return f"all uids from {actual.uids[0]} to {actual.uids[-1]} are taken."


def _count_free(actual: Actual) -> int:
    return len(actual.uids) - sum(uid in actual.uids for uid in _never_again(actual))


def _never_again(actual: Actual) -> set[int]:
    """Numbers that no new user may get: taken on the machine, or somebody's once."""
    return set(actual.taken) | {user.record.uid for user in actual.users.values() if user.record}


def _new_uids(desired: Desired, actual: Actual, refused: dict[str, str]) -> dict[str, int]:
    taken = _never_again(actual)
    free = (uid for uid in actual.uids if uid not in taken)
    new = (login for login in _in_order(desired) if login not in refused and not actual.user(login).record)
    return {login: next(free) for login in new}


def usable_groups(actual: Actual) -> frozenset[str]:
    """Groups of the machine that a file of the team repo may put somebody in."""
    return frozenset(name for name, gid in actual.groups.items() if gid and name not in GUARDED_GROUPS)


def _bring(wanted: Wanted, user: ActualUser, new_uid: int, desired: Desired, actual: Actual) -> Iterator[Action]:
    """Everything that makes `user` what is wanted."""
    login, record = wanted.login, user.record
    uid = record.uid if record else new_uid
    yield from _account(wanted, user, uid)
    yield from _groups(wanted, user, desired, actual)
    if record and record.role != wanted.role:
        yield ChangeRole(login, record.role, wanted.role)
    yield from _home(wanted, user)
    if record and record.phase != "here":
        yield UnlockAccount(login, _shell(user, actual))
    elif user.account and user.account.shell not in actual.shells:
        yield SetShell(login, SHELL)
    if user.keys != keys_digest(wanted.keys, wanted.strict):
        yield SetKeys(login, len(wanted.keys), wanted.strict)
    if user.sockets != render_sockets(login, actual.router):
        yield MakeSockets(login, actual.router)
    if user.limits != render_limits(wanted.limits):
        yield SetLimits(login, uid, wanted.limits)
    # Last of what a slot needs: from here on its daemon runs.
    if not user.linger and not locked_by_hand(user):
        yield EnableLinger(login)
    if wanted.secrets and user.secrets_due and (record or Record(uid=uid)).secrets != wanted.secrets:
        yield MakeSecretsRepository(login, wanted.secrets)


def locked_by_hand(user: ActualUser) -> bool:
    """Whether somebody, and not the reconciler, has locked the account; only that hand unlocks it."""
    return bool(user.account and user.account.locked and user.record and user.record.phase == "here")


def _account(wanted: Wanted, user: ActualUser, uid: int) -> Iterator[Action]:
    if user.account is None:
        role = user.record.role if user.record else wanted.role
        yield CreateAccount(wanted.login, uid, wanted.full_name, role, SHELL)


def _shell(user: ActualUser, actual: Actual) -> str:
    return user.account.shell if user.account and user.account.shell in actual.shells else SHELL


def _groups(wanted: Wanted, user: ActualUser, desired: Desired, actual: Actual) -> Iterator[Action]:
    there = user.account.groups if user.account else frozenset()
    ours = desired.managed | frozenset(user.record.groups if user.record else ()) | {TEAM_GROUP}
    add = (wanted.groups & usable_groups(actual)) - there
    remove = (there & ours) - wanted.groups
    if add or remove:
        yield SetGroups(wanted.login, tuple(sorted(add)), tuple(sorted(remove)))


def _home(wanted: Wanted, user: ActualUser) -> Iterator[Action]:
    record = user.record
    gone = record and record.phase in ("packed", "archived")
    restored = bool(gone and user.home == "none" and user.archive_there)
    if record and restored:
        yield RestoreHome(wanted.login, record.archive)
    fresh = user.home == "none" and not restored
    if user.home == "none" or not user.slot:
        yield MakeHome(wanted.login, fresh)
    if wanted.manifest is not None and (fresh or not (record and record.seeded)):
        yield SeedManifest(wanted.login, wanted.role)


def _remove(login: str, user: ActualUser) -> Iterator[Action]:
    """Everything that is left to do for somebody who goes; what they worked on is safe before anything is gone."""
    record, account = user.record, user.account
    if record is None:
        return
    if account and (record.phase == "here" or not account.locked):
        yield LockAccount(login)
    if record.phase in ("here", "leaving"):
        yield EndSessions(login, record.uid)
        if user.home == "there":
            yield ArchiveHome(login)
    elif user.linger:
        yield EndSessions(login, record.uid)
    if record.phase != "archived" or user.leftover:
        yield RemoveHome(login, record.uid)
