"""What it takes to bring somebody back by hand, whom the team repo need not name."""

from __future__ import annotations

from backends.model.errors import HeroError, unknown_name
from backends.system_box import TEAM_GROUP
from backends.team.actions import (
    Action,
    CreateAccount,
    EnableLinger,
    MakeHome,
    MakeSockets,
    RestoreHome,
    SetGroups,
    UnlockAccount,
)
from backends.team.plan import SHELL
from backends.team.state import State
from backends.team.values import Actual


def check(state: State, login: str) -> None:
    """Raises HeroError: `not_found` for somebody who never was, `nothing_to_do` for somebody who is there."""
    record = state.users.get(login)
    if record is None:
        raise unknown_name("user", login, state.users)
    if record.phase == "here" and not record.kept:
        raise HeroError("nothing_to_do", f"{login} is there.", hint="Only somebody who was removed is restored.")


def steps(login: str, actual: Actual) -> tuple[Action, ...]:
    """The actions, without those that are done already. Raises HeroError where there is no archive."""
    user = actual.user(login)
    record, account = user.record, user.account
    if record is None or (account and account.uid != record.uid):
        raise HeroError("conflict", f"The account {login} is not the one that the reconciler made.")
    if user.home == "foreign":
        raise HeroError("conflict", f"/home/{login} is no folder of {login}.", hint="Move it away.")
    if user.home == "none" and not user.archive_there:
        raise HeroError(
            "not_found",
            f"There is no archive of {login}'s home on this machine.",
            hint=f"Put {record.archive or 'it'} into the box's team_sync/archive, from a backup.",
        )
    found: list[Action] = []
    if account is None:
        found.append(CreateAccount(login, record.uid, login, record.role, SHELL))
    if account is None or TEAM_GROUP not in account.groups:
        found.append(SetGroups(login, (TEAM_GROUP,), ()))
    if user.home == "none":
        found.append(RestoreHome(login, record.archive))
    found.append(MakeHome(login, False))
    if record.phase != "here":
        found.append(UnlockAccount(login, SHELL))
    if not user.sockets:
        found.append(MakeSockets(login, actual.router))
    if not user.linger:
        found.append(EnableLinger(login))
    return tuple(found)
