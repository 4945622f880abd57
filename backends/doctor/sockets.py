"""Whether sockets and their folders have the owners and rights that keep slots apart and let the router in."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backends.doctor.acl import ACCESS, DEFAULT, effective, read_acl, render_acl
from backends.doctor.asking import ask, in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, Repair, well
from backends.model.errors import HeroError
from backends.system_box import ROUTER_GROUP, TEAM_GROUP, group_id, login_of

_WHY = "A folder that is too open lets others into slots; one that is too closed locks daemons and the router out."
_X, _RWX = 1, 7


@dataclass(frozen=True)
class Expected:
    """How a path should be. `mode` holds without the group's bits where there is a list of names, whose mask they
    are; `router` and `router_inherits` are the rights of the router's entries, None where there need be none."""

    path: Path
    kind: str
    owner: str
    group: str
    mode: int
    router: int | None = None
    router_inherits: int | None = None


@dataclass(frozen=True)
class Seen:
    """How it is; the router's rights as `Expected` has them, None without an entry."""

    kind: str
    uid: int
    gid: int
    mode: int
    named: bool = False
    router: int | None = None
    router_inherits: int | None = None


def differences(expected: Expected, seen: Seen | None, uid: int | None, gid: int | None) -> list[str]:
    """What is not as expected, a phrase each; `uid` and `gid` are the expected owner's, None: there is none."""
    if seen is None:
        return ["is not there"]
    if seen.kind != expected.kind:
        return [f"is a {seen.kind}, not a {expected.kind}"]
    found = []
    if uid is None or seen.uid != uid:
        found.append(f"belongs to {login_of(seen.uid)}, not to {expected.owner}")
    if gid is None or seen.gid != gid:
        found.append(f"has the group {seen.gid}, not {expected.group}")
    counted = 0o7707 if seen.named else 0o7777
    if seen.mode & counted != expected.mode & counted:
        found.append(f"has mode {seen.mode:04o}, not {expected.mode:04o}")
    if _lacks(seen.router, expected.router):
        found.append("does not let the router in")
    if _lacks(seen.router_inherits, expected.router_inherits):
        found.append("does not let the router into new sockets")
    return found


def _lacks(seen: int | None, expected: int | None) -> bool:
    return expected is not None and (seen or 0) & expected != expected


def expected_of(context: Context) -> list[Expected]:
    """Folders and sockets of a system box that are there whenever it runs."""
    run = context.machine.run
    router = _X if uid_of(ROUTER_GROUP) is not None else None
    return [
        Expected(run, "folder", "root", "root", 0o755),
        Expected(run / "box", "folder", "hero", TEAM_GROUP, 0o2750, router),
        Expected(run / "team_sync", "folder", "root", TEAM_GROUP, 0o750),
        Expected(run / "slots", "folder", "root", "root", 0o755),
        Expected(run / "box" / "rpc.sock", "socket", "hero", TEAM_GROUP, 0o660),
        Expected(run / "team_sync" / "rpc.sock", "socket", "root", TEAM_GROUP, 0o660),
        *(
            Expected(run / "slots" / user, "folder", user, user, 0o700, router, router and _RWX)
            for user in context.users
        ),
    ]


def see(path: Path) -> Seen | None:
    """How `path` is; None where it is not there. Raises OSError."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    kind = "folder" if stat.S_ISDIR(found.st_mode) else "socket" if stat.S_ISSOCK(found.st_mode) else "file"
    if stat.S_ISLNK(found.st_mode):
        return Seen("link", found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))
    entries, inherited = read_acl(path, ACCESS), read_acl(path, DEFAULT) if kind == "folder" else ()
    router = uid_of(ROUTER_GROUP)
    rights = None if router is None else effective(entries, router)
    passed_on = None if router is None else effective(inherited, router)
    mode = stat.S_IMODE(found.st_mode)
    return Seen(kind, found.st_uid, found.st_gid, mode, bool(entries), rights, passed_on)


async def _rights(context: Context) -> Sequence[Found]:
    if not context.system:
        return await in_thread(lambda: _rootless(context))
    return await in_thread(lambda: _system(context))


def _system(context: Context) -> list[Found]:
    wrong, fine = [], 0
    for expected in expected_of(context):
        try:
            seen = see(expected.path)
        except OSError as error:
            if not isinstance(error, PermissionError):
                wrong.append(_wrong(context, expected, [f"cannot be looked at: {error.strerror}"]))
            continue
        faults = differences(expected, seen, uid_of(expected.owner), _gid_of(expected.group))
        fine += not faults
        wrong += [_wrong(context, expected, faults)] if faults else []
    return wrong or [well(f"{fine} folders and sockets below {context.machine.run} are as they should be.")]


def _wrong(context: Context, expected: Expected, faults: list[str]) -> Found:
    what = f"{expected.path} {' and '.join(faults)}."
    if expected.kind == "socket":
        unit = "hero_team_sync" if expected.owner == "root" else "hero_boxd"
        repair = _restart(context, unit) if context.is_root else None
        mend = f"{context.as_root}systemctl restart {unit}"
        return Found("bad", what, "Nobody reaches the daemon.", mend, repair=repair, once=f"{unit}.service")
    command = f"systemd-tmpfiles --create --prefix={expected.path}"
    if expected.router is not None:
        command += f" && setfacl -m u:{ROUTER_GROUP}:--x {expected.path}"
    repair = _make_again(context, expected) if context.is_root else None
    return Found("bad", what, _WHY, f"{context.as_root}{command}", repair=repair)


def _restart(context: Context, unit: str) -> Repair:
    async def mend() -> str:
        answer = await ask("systemctl", "restart", unit, env=context.environment, seconds=20)
        if answer.code:
            raise HeroError("failed", f"systemctl did not restart {unit}: {answer.complaint}.")
        return f"{unit} was restarted, and made its socket again."

    return mend


def _make_again(context: Context, expected: Expected) -> Repair:
    async def mend() -> str:
        path = expected.path
        answer = await ask("systemd-tmpfiles", "--create", f"--prefix={path}", env=context.environment)
        if answer.code:
            raise HeroError("failed", f"systemd-tmpfiles: {answer.complaint}.")
        if expected.router is not None:
            await in_thread(lambda: unmask(path, expected.router or 0))
        return f"systemd-tmpfiles made {path} as it should be."

    return mend


def unmask(path: Path, rights: int) -> None:
    """Have the mask of `path`'s list let `rights` through: a chmod, like that of tmpfiles, takes them out."""
    entries = read_acl(path, ACCESS)
    opened = [replace(entry, rights=entry.rights | rights) if entry.tag == "mask" else entry for entry in entries]
    if opened != list(entries):
        os.setxattr(path, ACCESS, render_acl(opened), follow_symlinks=False)


def _rootless(context: Context) -> list[Found]:
    folders = [context.box.run, *(context.box.slot(user).sockets for user in context.users)]
    there = [folder for folder in folders if folder.exists()]
    found = [fault for folder in there if (fault := _open_to_others(folder))]
    return found or [well(f"{len(there)} folders of sockets are for their owner only.")]


def _open_to_others(folder: Path) -> Found | None:
    real = folder.resolve()
    state = real.stat()
    reachable = all(above.stat().st_mode & 0o001 for above in real.parents)
    if state.st_uid != os.geteuid():
        return Found(
            "bad", f"{real} belongs to {login_of(state.st_uid)}.", _WHY, "Look who made it, and move it away"
        )
    if not (state.st_mode & 0o077 and reachable):
        return None

    async def mend() -> str:
        real.chmod(stat.S_IMODE(state.st_mode) & 0o700)
        return f"{real} is for its owner only."

    return Found("warn", f"Others can enter {real}.", _WHY, f"chmod 700 {real}", repair=mend)


def uid_of(login: str) -> int | None:
    """The uid of `login`; None where there is no such user."""
    try:
        return pwd.getpwnam(login).pw_uid
    except KeyError:
        return None


def _gid_of(group: str) -> int | None:
    try:
        return group_id(group)
    except HeroError:
        return None


CHECKS = (Check("sockets.rights", "rights of sockets", _rights),)
