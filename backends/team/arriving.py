"""Actions for somebody who comes or stays: the account, the home, keys, sockets, limits, linger, secrets."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time

from backends.failpoints import failpoint
from backends.forge.credential import read_token
from backends.model.errors import HeroError
from backends.team.accounts import read_accounts
from backends.team.actions import (
    ChangeRole,
    CreateAccount,
    EnableLinger,
    MakeHome,
    MakeSecretsRepository,
    MakeSockets,
    SeedManifest,
    SetGroups,
    SetKeys,
    SetLimits,
    SetShell,
    UnlockAccount,
)
from backends.team.files import remove_root_file, write_root_file
from backends.team.machine import Machine
from backends.team.rendered import keys_digest, render_limits, render_sockets
from backends.team.values import INTEGRATION, Record, Wanted

_NOT_IN_A_NAME = re.compile(r"[:,=\\\"]|[^\x20-\x7e\xa0-\uffff]")


async def create_account(machine: Machine, action: CreateAccount) -> None:
    """The uid is remembered before it is used: whatever happens now, nobody else gets it."""
    login, uid = action.user, str(action.uid)
    if login not in machine.state.now.users:
        machine.state.add(login, Record(uid=action.uid, role=action.role))
    failpoint("team_sync.account.reserved")
    accounts = await asyncio.to_thread(read_accounts, machine.places.etc)
    if login not in accounts.groups:
        await machine.run("groupadd", "--gid", uid, "--", login)
    failpoint("team_sync.account.group")
    # "*": no password is ever right, and unlike a lock it leaves keys in force.
    await machine.run(
        *("useradd", "--uid", uid, "--gid", uid, "--no-create-home", "--password", "*"),
        *("--home-dir", str(machine.places.home(login)), "--shell", action.shell),
        *("--comment", gecos(action.full_name), "--", login),
    )
    failpoint("team_sync.account.made")


def gecos(name: str) -> str:
    """`name` as /etc/passwd can hold it."""
    return " ".join(_NOT_IN_A_NAME.sub(" ", name).split())[:100]


async def unlock_account(machine: Machine, action: UnlockAccount) -> None:
    await machine.run("usermod", "--unlock", "--expiredate", "", "--shell", action.shell, "--", action.user)
    failpoint("team_sync.account.unlocked")
    machine.state.record(action.user, phase="here")


async def set_shell(machine: Machine, action: SetShell) -> None:
    await machine.run("usermod", "--shell", action.shell, "--", action.user)


async def set_groups(machine: Machine, action: SetGroups) -> None:
    for group in action.add:
        await machine.run("gpasswd", "--add", action.user, group)
    for group in action.remove:
        await machine.run("gpasswd", "--delete", action.user, group)
    given = (set(machine.state.now.users[action.user].groups) | set(action.add)) - set(action.remove)
    machine.state.record(action.user, groups=tuple(sorted(given)))


async def change_role(machine: Machine, action: ChangeRole) -> None:
    machine.state.record(action.user, role=action.role)


async def make_home(machine: Machine, action: MakeHome) -> None:
    """A new home is complete before it has its name."""
    login, places = action.user, machine.places
    sockets = str(places.slots_run / login)
    home = places.home(login)
    if home.is_dir() and not home.is_symlink():
        await machine.in_home(await machine.owner(login), "make", sockets=sockets, fresh=False)
        return
    stage = places.homes / f".{login}.new"
    await machine.remove_tree(stage)
    owner = await machine.owner(login, stage)
    machine.stage(stage, owner)
    failpoint("team_sync.home.staged")
    await machine.in_home(owner, "make", sockets=sockets, fresh=True)
    machine.state.record(login, seeded=False, keys="", keys_seen="")
    failpoint("team_sync.home.filled")
    machine.move(stage, home)


async def seed_manifest(machine: Machine, action: SeedManifest, wanted: Wanted) -> None:
    """Where the slot's daemon was waiting for a manifest, it is started.

    The integration slot publishes for everybody, so it is given the box's token, unless it has one of its own.
    """
    owner = await machine.owner(action.user)
    token = _token(machine) if action.user == INTEGRATION else ""
    await machine.in_home(owner, "seed", manifest=wanted.manifest, token=token)
    machine.state.record(action.user, seeded=True)
    if (machine.places.lingering / action.user).exists():
        with contextlib.suppress(HeroError):
            manager = f"--machine={action.user}@.host"
            await machine.run("systemctl", "--user", manager, "--no-block", "start", "hero_slotd.service")


def _token(machine: Machine) -> str:
    path = machine.places.box.forge_token
    return read_token(path) if path.is_file() else ""


async def set_keys(machine: Machine, action: SetKeys, wanted: Wanted) -> None:
    owner = await machine.owner(action.user)
    done = await machine.in_home(owner, "keys", lines=list(wanted.keys), strict=wanted.strict)
    failpoint("team_sync.keys.written")
    digest = keys_digest(wanted.keys, wanted.strict)
    machine.state.record(action.user, keys=digest, keys_seen=str(done.get("seen", ""))[:200])


async def make_sockets(machine: Machine, action: MakeSockets) -> None:
    path = machine.places.tmpfiles(action.user)
    text = render_sockets(action.user, action.router)
    write_root_file(path, text.encode(), mode=0o644)
    await machine.run("systemd-tmpfiles", "--create", str(path))


async def set_limits(machine: Machine, action: SetLimits) -> None:
    """In force for what runs already, too, at the next `daemon-reload`, which the caller sees to."""
    path = machine.places.limits(action.uid)
    text = render_limits(action.limits)
    if text:
        write_root_file(path, text.encode(), mode=0o644)
    else:
        remove_root_file(path)


async def enable_linger(machine: Machine, action: EnableLinger) -> None:
    await machine.run("loginctl", "enable-linger", action.user)


async def make_secrets_repository(machine: Machine, action: MakeSecretsRepository, wanted: Wanted) -> None:
    """Private, and the user's to write to. Where the token may not, that is told and tried again in an hour."""
    from backends.forge.forgejo import Forgejo

    machine.state.record(action.user, secrets_tried=time.time())
    if not isinstance(machine.forge, Forgejo):
        return
    try:
        await machine.forge.create_repository(action.repo, private=True)
    except HeroError as error:
        if error.code != "conflict":
            raise
    await machine.forge.add_writer(action.repo, wanted.forge_user or action.user)
    machine.state.record(action.user, secrets=action.repo)
