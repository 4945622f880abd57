"""What is wanted of a user and what there is, in lines of the same words: pure; where a plan acts, they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backends.model.ssh_keys import SshKey
from backends.model.team_calls import TeamDifference
from backends.model.text import safe_line
from backends.system_box import TEAM_GROUP
from backends.team.plan import leaving, locked_by_hand, refusals, usable_groups
from backends.team.rendered import keys_digest, render_limits, render_sockets
from backends.team.values import Actual, ActualUser, Desired, Wanted

_YES = {True: "yes", False: "no"}
_OTHERWISE = "otherwise than the team repo has it"


def differences(desired: Desired, actual: Actual) -> tuple[TeamDifference, ...]:
    """Everybody who is not as wanted, and why nothing is done about it where nothing is."""
    if not desired.usable:
        return ()
    refused = refusals(desired, actual)
    sides = {login: _of_wanted(wanted, desired, actual) for login, wanted in desired.users.items()}
    sides |= {login: _of_leaving(actual.user(login)) for login in leaving(desired, actual)}
    return tuple(
        TeamDifference(user=login, wanted=_lines(wanted), there=_lines(there), why=refused.get(login, ""))
        for login, (wanted, there) in sorted(sides.items())
        if wanted != there
    )


Side = Mapping[str, Iterable[str] | str]
"""By name what is so, one thing or several."""


def _lines(side: Side) -> tuple[str, ...]:
    pairs = ((name, one) for name, what in side.items() for one in ([what] if isinstance(what, str) else what))
    return tuple(f"{name}: {safe_line(one, 300)}" for name, one in pairs)


def _of_wanted(wanted: Wanted, desired: Desired, actual: Actual) -> tuple[Side, Side]:
    user = actual.user(wanted.login)
    record, account = user.record, user.account
    groups = _groups(wanted, user, desired, actual)
    keys = _keys(wanted, user)
    limits = _limits(wanted, user)
    sockets = render_sockets(wanted.login, actual.router)
    open_shell = bool(account and account.shell in actual.shells)
    by_hand = locked_by_hand(user)
    want = {
        "account": f"uid {record.uid}" if record else "there",
        "role": wanted.role,
        "phase": "here",
        "shell": "one that may log in",
        "group": groups[0],
        "home": "there",
        "~/hero": "as it should be",
        "manifest": "begun" if wanted.manifest is not None else (),
        "key": keys[0],
        "sockets": "a folder for the owner and the router",
        "limit": limits[0],
        "services run without a login": _YES[user.linger or not by_hand],
        "secrets": (wanted.secrets,) if wanted.secrets else (),
    }
    there = {
        "account": f"uid {account.uid}" if account and record else "not ours" if account else "none",
        "role": record.role if record else "none",
        "phase": record.phase if record else "none",
        "shell": "one that may log in" if open_shell else account.shell if account else "none",
        "group": groups[1],
        "home": user.home,
        "~/hero": "as it should be" if user.slot else _OTHERWISE,
        "manifest": () if wanted.manifest is None else "begun" if record and record.seeded else "not begun",
        "key": keys[1],
        "sockets": "a folder for the owner and the router" if user.sockets == sockets else _OTHERWISE,
        "limit": limits[1],
        "services run without a login": _YES[user.linger],
        "secrets": () if not wanted.secrets else (record.secrets,) if record and record.secrets else ("none",),
    }
    return want, there


def _of_leaving(user: ActualUser) -> tuple[Side, Side]:
    """Nobody wants an account for them any more; their record stays."""
    record, account = user.record, user.account
    want: Side = {
        "account": "locked" if account else "none",
        "phase": "archived",
        "home": "in a verified archive",
        "services run without a login": "no",
    }
    there: Side = {
        "account": "none" if not account else "locked" if account.locked else "open",
        "phase": record.phase if record else "none",
        "home": "in a verified archive" if user.home == "none" and not user.leftover else user.home,
        "services run without a login": _YES[user.linger],
    }
    return want, there


def _groups(
    wanted: Wanted, user: ActualUser, desired: Desired, actual: Actual
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that the reconciler looks after; somebody's own ones are nobody's business."""
    there = user.account.groups if user.account else frozenset()
    ours = desired.managed | frozenset(user.record.groups if user.record else ()) | {TEAM_GROUP} | wanted.groups
    want = wanted.groups & (usable_groups(actual) | there)
    return tuple(sorted(want)), tuple(sorted(there & ours))


def _keys(wanted: Wanted, user: ActualUser) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Fingerprints. Which other keys are there is in the user's home, where nobody looks for this."""
    want = (*(_fingerprint(line) for line in wanted.keys), *(("no others",) if wanted.strict else ()))
    if user.keys == keys_digest(wanted.keys, wanted.strict):
        return want, want
    return want, ("authorized_keys is " + _OTHERWISE,)


def _fingerprint(line: str) -> str:
    """Of a key that was checked when its file was read, with its comment."""
    kind, blob, *comment = line.split(" ", 2)
    return " ".join((SshKey(kind, blob, "").fingerprint, *comment))


def _limits(wanted: Wanted, user: ActualUser) -> tuple[tuple[str, ...], tuple[str, ...]]:
    want = render_limits(wanted.limits)
    settings = _settings(want)
    if user.limits == want:
        return settings, settings
    there = _settings(user.limits)
    return settings, there if there != settings else (*there, _OTHERWISE)


def _settings(text: str) -> tuple[str, ...]:
    """`MemoryMax=1`; of the drop-in's text."""
    return tuple(line for line in text.splitlines() if "=" in line and not line.startswith("#"))
