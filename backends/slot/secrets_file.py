"""Reads the slot's secrets at the moment when a service is started, and never half of a change that git makes."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shlex
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from backends.model.errors import HeroError, nearest
from backends.model.paths import SlotPaths
from backends.model.secrets import SecretsFile, parse_secrets

SIZE_LIMIT = 1 << 20
"""Bytes that are read; a file that long is refused."""
_WAIT = 10.0
"""Seconds for a `hero_dev secrets` that is changing the files just now."""


async def secrets_for(paths: SlotPaths, service: str, names: Iterable[str]) -> dict[str, str]:
    """The secrets called `names` that `service` asks for.

    Raises HeroError, which never shows a value: not_found with the names that there are not, InvalidFile, denied
    where others can read the file.
    """
    needed = sorted(names)
    if not needed:
        return {}
    try:
        async with asyncio.timeout(_WAIT):
            there = (await asyncio.to_thread(read_secrets, paths)).of(service)
    except TimeoutError:
        raise HeroError(
            "busy",
            f"{service} was not started: another program holds {paths.secrets}.",
            hint="Does a `hero_dev secrets` hang? End it, then start the service again.",
        ) from None
    if missing := [name for name in needed if name not in there]:
        raise _missing(service, missing, there)
    return {name: there[name] for name in needed}


def read_secrets(paths: SlotPaths) -> SecretsFile:
    """All of the slot's secrets; none where there is no file. Blocks; raises HeroError."""
    with worktree_lock(paths, exclusive=False):
        text = read_private(paths.secrets_file)
    return SecretsFile() if text is None else parse_secrets(text, str(paths.secrets_file))


def read_private(path: Path) -> str | None:
    """The text of a file that only its owner can read; None where there is none. Raises HeroError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HeroError("failed", f"{path} cannot be read: {error.strerror}.") from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise HeroError("failed", f"{path} is no plain file.", hint="Move it away.")
        if found.st_uid != os.geteuid() or (found.st_mode & 0o077 and path.parent.stat().st_mode & 0o077):
            shown = f"{shlex.quote(str(path.parent))}; chmod 600 {shlex.quote(str(path))}"
            raise HeroError(
                "denied",
                f"{path} can be read by others.",
                hint=f"chmod 700 {shown}; if others may have read it, replace what stands in it.",
            )
        content = file.read(SIZE_LIMIT)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = content[: error.start].count(b"\n") + 1
    raise HeroError("invalid_file", f"{path}:{place}: this is not UTF-8.", hint="Save it as UTF-8.")


@contextlib.contextmanager
def worktree_lock(paths: SlotPaths, *, exclusive: bool) -> Iterator[None]:
    """Held while git exchanges the files (`exclusive`), and while they are read. Without a clone: nothing."""
    folder = paths.secrets / ".git"
    if not folder.is_dir():
        yield
        return
    handle = os.open(folder / "hero.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def _missing(service: str, names: list[str], there: Iterable[str]) -> HeroError:
    listed = ", ".join(names)
    close = nearest(names[0], there, limit=1) if len(names) == 1 else []
    meant = f" (did you mean {close[0]}?)" if close else ""
    what = "a secret" if len(names) == 1 else "secrets"
    return HeroError(
        "not_found",
        f"{service} needs {what} that you have not: {listed}{meant}.",
        hint="`hero_dev secrets edit` adds it; then try again.",
        data={"secrets": names},
    )
