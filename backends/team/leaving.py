"""Actions for somebody who leaves: lock, end, archive, verify, and only then remove; and the way back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.durable import sync_folder
from backends.failpoints import failpoint
from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.team.actions import ArchiveHome, EndSessions, LockAccount, RemoveHome, RestoreHome
from backends.team.as_user.unpushed import SECONDS as UNPUSHED_SECONDS
from backends.team.commands import ENVIRONMENT
from backends.team.files import remove_root_file
from backends.team.homes import Owner
from backends.team.machine import Machine
from backends.team.processes import end_all, kill_all

ARCHIVE_SECONDS = 3600.0
"""For packing, verifying or unpacking one home."""

_NOLOGIN = "/usr/sbin/nologin"
_CHECK = (sys.executable, "-I", "-m", "backends.team.archive_check")
_TAR_WARNED = 1
"""tar's exit code where a file changed meanwhile; whether that matters is for the check to say."""


async def lock_account(machine: Machine, action: LockAccount) -> None:
    """No password, no key, no schedule lets anybody in: an expired account is refused by all of them."""
    if machine.state.now.users[action.user].phase == "here":
        machine.state.record(action.user, phase="leaving", archive="", keys="", keys_seen="")
    failpoint("team_sync.leaving.noted")
    await machine.run("usermod", "--lock", "--expiredate", "1", "--shell", _NOLOGIN, "--", action.user)
    failpoint("team_sync.leaving.locked")


async def end_sessions(machine: Machine, action: EndSessions) -> None:
    await end_all(machine.run, action.user, action.uid)
    failpoint("team_sync.leaving.ended")


async def archive_home(machine: Machine, action: ArchiveHome) -> None:
    """The archive has its name once it is verified; until then it is made anew."""
    login, places = action.user, machine.places
    await _tell_unpushed(machine, login)
    with contextlib.suppress(FileExistsError):
        places.archives.mkdir(mode=0o700)
    for stale in places.archives.glob(f".{login}-*.partial"):
        stale.unlink()
    if former := machine.state.now.users[login].archive:
        # Of a run that was cut off; something may have changed in the home since.
        (places.archives / former).unlink(missing_ok=True)
    name = f"{login}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.zst"
    partial = places.archives / f".{name}.partial"
    try:
        await _pack(machine, places.home(login), partial)
        failpoint("team_sync.archive.packed")
        await _check(machine, login, partial, places.home(login))
    except HeroError:
        partial.unlink(missing_ok=True)
        raise
    failpoint("team_sync.archive.verified")
    machine.state.record(login, archive=name)
    partial.rename(places.archives / name)
    sync_folder(places.archives)
    failpoint("team_sync.archive.named")
    machine.state.record(login, phase="packed")


async def remove_home(machine: Machine, action: RemoveHome) -> None:
    """The home goes by one rename, and is removed under another name; so there is never half of one."""
    login, places = action.user, machine.places
    record = machine.state.now.users[login]
    home, aside = places.home(login), places.leaving_home(login)
    if os.path.lexists(home):
        if record.phase != "packed":
            raise HeroError("conflict", f"{home} has no verified archive, so it is not removed.")
        await machine.remove_tree(aside)
        machine.move(home, aside)
    failpoint("team_sync.removal.moved")
    machine.state.record(login, phase="archived", seeded=False)
    failpoint("team_sync.removal.noted")
    await machine.remove_tree(aside)
    await machine.remove_tree(places.slots_run / login)
    remove_root_file(places.tmpfiles(login))
    remove_root_file(places.limits(action.uid))
    with contextlib.suppress(OSError):
        places.limits(action.uid).parent.rmdir()


async def restore_home(machine: Machine, action: RestoreHome) -> None:
    """Unpacked by the user's own process into a folder beside, which becomes the home when it is whole."""
    login, places = action.user, machine.places
    archive, stage = places.archives / action.archive, places.coming_home(login)
    await machine.remove_tree(stage)
    owner = await machine.owner(login, stage)
    machine.stage(stage, owner)
    failpoint("team_sync.restore.staged")
    try:
        await _unpack(owner, archive)
    except HeroError:
        await machine.remove_tree(stage)
        raise
    await machine.run("sync", "--file-system", str(places.homes))
    failpoint("team_sync.restore.unpacked")
    machine.state.record(login, seeded=True, keys="", keys_seen="")
    machine.move(stage, places.home(login))
    await machine.remove_tree(places.leaving_home(login))


async def _tell_unpushed(machine: Machine, login: str) -> None:
    """What git has in the worktrees and no forge has, into the log; then nothing of it may run on."""
    try:
        owner = await machine.owner(login)
        found = await machine.in_home(owner, "unpushed", seconds=UNPUSHED_SECONDS + 10)
    except HeroError as error:
        machine.note(login, f"Unpushed work could not be listed, and is in the archive: {error.message}")
        return
    for tree in _worktrees(found):
        machine.note(login, f"Not pushed, and in the archive: {tree}.")
    if found.get("complete") is not True:
        machine.note(login, "Not all worktrees could be looked at; all of them are in the archive.")
    await kill_all(login, owner.uid)


def _worktrees(found: dict[str, Any]) -> list[str]:
    trees = found.get("worktrees")
    told = []
    for tree in trees if isinstance(trees, list) else []:
        if isinstance(tree, dict):
            counts = [f"{tree.get(name)} {name}" for name in ("changed", "commits") if tree.get(name)]
            told.append(safe_line(f"{tree.get('worktree')} ({', '.join(counts)})", 400))
    return told


async def _pack(machine: Machine, home: Path, target: Path) -> None:
    old = os.umask(0o077)
    try:
        target.touch(mode=0o600)
    finally:
        os.umask(old)
    await machine.run(
        *("tar", "--create", "--zstd", f"--file={target}", f"--directory={home}", "--one-file-system"),
        *("--sparse", "--numeric-owner", "--format=posix", "--acls", "--sort=name", "--", "."),
        seconds=ARCHIVE_SECONDS,
        also=(_TAR_WARNED,),
    )
    with target.open("rb") as packed:
        await asyncio.to_thread(os.fsync, packed.fileno())


async def _check(machine: Machine, login: str, archive: Path, home: Path) -> None:
    """Raises HeroError `verification` where the archive is not all of the home."""
    try:
        said = await machine.run(*_CHECK, str(archive), str(home), seconds=ARCHIVE_SECONDS, also=(1,))
        found = json.loads(said.strip().splitlines()[-1])
        different, files, size = (
            [str(one) for one in found["differences"]],
            int(found["files"]),
            int(found["bytes"]),
        )
    except (ValueError, LookupError, TypeError) as error:
        raise _not_whole(login, "it could not be read to its end") from error
    if different or files < 1:
        raise _not_whole(login, f"these differ: {safe_line(', '.join(different), 300)}")
    machine.note(login, f"The archive of the home is verified: {files} files, {size} bytes.")


def _not_whole(login: str, why: str) -> HeroError:
    return HeroError(
        "verification",
        f"The archive of {login}'s home is not what the home is ({why}), so nothing is removed.",
        hint="It is made anew at the next run.",
    )


async def _unpack(owner: Owner, archive: Path) -> None:
    try:
        packed = archive.open("rb")
    except OSError as error:
        raise HeroError("not_found", f"{archive} cannot be read: {error.strerror}.") from error
    with packed:
        process = await asyncio.create_subprocess_exec(
            *("tar", "--extract", "--zstd", "--file=-", f"--directory={owner.home}", "--acls"),
            *("--no-same-owner", "--same-permissions", "--delay-directory-restore"),
            cwd="/",
            env=ENVIRONMENT,
            stdin=packed,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            user=owner.uid,
            group=owner.gid,
            extra_groups=(),
            umask=0o077,
        )
    try:
        async with asyncio.timeout(ARCHIVE_SECONDS):
            _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode("utf-8", "replace").splitlines() or [""]
        raise HeroError("failed", f"{archive.name} could not be unpacked: {safe_line(lines[0], 300)}.")
