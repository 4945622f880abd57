"""The machine's accounts, read once each from /etc: no look-up per user, and no lie from a name service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from backends.model.errors import HeroError
from backends.team.values import Account

_NO_LOGIN = ("nologin", "false", "sync", "git-shell")


@dataclass(frozen=True)
class Accounts:
    """Accounts by login, gids by group, logins by uid, all numbers that are taken, shells that may log in."""

    users: dict[str, Account] = field(default_factory=dict)
    gids: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    owners: dict[int, str] = field(default_factory=dict)
    taken: frozenset[int] = frozenset()
    shells: frozenset[str] = frozenset()


def read_accounts(etc: Path) -> Accounts:
    """What passwd, group, shadow and shells in `etc` say. Raises HeroError where they cannot be read."""
    locked = {row[0]: _is_locked(row) for row in _rows(etc / "shadow", 9)}
    members: dict[str, set[str]] = {}
    groups: dict[str, int] = {}
    for row in _rows(etc / "group", 4):
        name, gid, names = row[0], row[2], row[3]
        if not gid.isdigit():
            continue
        groups[name] = int(gid)
        for member in filter(None, names.split(",")):
            members.setdefault(member, set()).add(name)
    users: dict[str, Account] = {}
    gids: dict[str, int] = {}
    owners: dict[int, str] = {}
    for row in _rows(etc / "passwd", 7):
        login, uid, gid, home, shell = row[0], row[2], row[3], row[5], row[6]
        if not uid.isdigit() or not gid.isdigit():
            continue
        users[login] = Account(int(uid), home, shell, locked.get(login, True), frozenset(members.get(login, ())))
        gids[login] = int(gid)
        owners.setdefault(int(uid), login)
    taken = frozenset(owners) | frozenset(groups.values()) | frozenset(gids.values())
    return Accounts(users, gids, groups, owners, taken, _shells(etc))


def _is_locked(row: list[str]) -> bool:
    """Neither by password nor by key: a lock alone leaves keys in force, so the account has expired too."""
    return row[1].startswith("!") and row[7] != ""


def _shells(etc: Path) -> frozenset[str]:
    try:
        lines = (etc / "shells").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset({"/bin/sh", "/bin/bash"})
    found = (line.strip() for line in lines)
    return frozenset(line for line in found if line.startswith("/") and not line.endswith(_NO_LOGIN))


def _rows(path: Path, fields: int) -> list[list[str]]:
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as error:
        raise HeroError(
            "failed", f"{path} cannot be read: {error.strerror}.", hint="This is root's work."
        ) from error
    rows = (line.split(":") for line in lines if line and line[0] not in "#+-")
    return [row for row in rows if len(row) >= fields]
