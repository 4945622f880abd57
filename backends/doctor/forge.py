"""Whether the forge is there, how fast it answers, by which clock, and what our tokens may do on it."""

from __future__ import annotations

import asyncio
import os
import shlex
import ssl
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backends.doctor.asking import in_thread
from backends.doctor.clock import WHY as WHY_CLOCK
from backends.doctor.clock import skew, skew_state
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, passed_over, well
from backends.model.errors import HeroError

if TYPE_CHECKING:
    from backends.forge.forgejo import Forgejo

SLOW = 1.0
"""Seconds in which a forge near by answers."""
_PATIENCE = 2.5

_WHY = "Nothing can be fetched, published or noticed; what is installed runs on."
_WHY_RIGHTS = "Without it builds are not published, and private repositories are not seen."
_NO_FILE = "box.toml cannot be used, so nobody knows which forge is meant"
_CLOCK = {"title": "clock against the forge", "part": "clock"}


@dataclass(frozen=True)
class Echo:
    """An answer of the forge: HTTP status, its `Date`, and when it was asked and answered by our clock."""

    status: int
    date: str
    asked: float
    answered: float
    seconds: float


async def _reach(context: Context) -> Sequence[Found]:
    if context.file is None:
        return [passed_over(_NO_FILE)]
    address = context.file.forge
    if address.kind == "folder":
        return [_folder(context.box.forge)]
    try:
        echo = await knock(address.url)
    except HeroError as error:
        return [
            Found("bad", error.message, _WHY, f"curl -v {address.url}/api/v1/version"),
            passed_over("the forge cannot be reached", **_CLOCK),
        ]
    return [judge_echo(address.url, echo), judge_clock(context, echo)]


async def knock(url: str) -> Echo:
    """Ask the forge at `url` for its version, as nobody. Raises HeroError `unreachable`."""
    from backends.forge.lean_httpx import httpx

    trust = await in_thread(ssl.create_default_context)
    asked, began = time.time(), time.monotonic()
    try:
        async with asyncio.timeout(_PATIENCE), httpx.AsyncClient(verify=trust, trust_env=False) as client:
            answer = await client.get(f"{url}/api/v1/version", timeout=_PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        slow = isinstance(error, (httpx.TimeoutException, TimeoutError))
        why = f"no answer within {_PATIENCE:g} s" if slow else str(error) or type(error).__name__
        raise HeroError("unreachable", f"The forge {url} cannot be reached: {why}.") from None
    seconds = time.monotonic() - began
    return Echo(answer.status_code, answer.headers.get("date", ""), asked, time.time(), seconds)


def judge_echo(url: str, echo: Echo) -> Found:
    """What that answer says of the forge."""
    took = f"{echo.seconds * 1000:.0f} ms"
    if echo.status >= 500:
        return Found("bad", f"The forge {url} answers with {echo.status}.", _WHY, "See its log, or its proxy's")
    if echo.status >= 400 and echo.status not in (401, 403):
        what = f"{url} answers with {echo.status}, as no forge does."
        return Found("bad", what, _WHY, "Is `[forge] url` of box.toml right?")
    if echo.seconds > SLOW:
        return Found("warn", f"The forge {url} took {took} to answer.", "Each fetch and release waits for it.", "")
    return well(f"{url} answers in {took}.")


def judge_clock(context: Context, echo: Echo) -> Found:
    """Whether this clock and the forge's agree."""
    off = skew(echo.date, echo.asked, echo.answered)
    if off is None:
        return passed_over("the forge does not tell its time", **_CLOCK)
    state = skew_state(off)
    if state == "ok":
        return well("This clock and the forge's agree.", **_CLOCK)
    what = f"This clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the forge's."
    mend = f"{context.as_root}timedatectl set-ntp true"
    return Found(state, what, WHY_CLOCK, mend, _CLOCK["title"], _CLOCK["part"])


def _folder(folder: Path) -> Found:
    if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
        return well(f"The forge is the folder {folder}.")
    return Found("bad", f"The forge's folder {folder} cannot be read.", _WHY, f"ls -ld {folder}")


async def _box_token(context: Context) -> Sequence[Found]:
    return await _token(context, context.box.forge_token, "the box's")


async def _slot_token(context: Context) -> Sequence[Found]:
    path = context.slot.forge_token
    if not context.system and not path.exists():
        return [passed_over("this slot uses the box's token")]
    return await _token(context, path, f"{context.user}'s")


async def _token(context: Context, path: Path, whose: str) -> Sequence[Found]:
    if context.file is None:
        return [passed_over(_NO_FILE)]
    if context.file.forge.kind == "folder":
        return [passed_over("a folder is the forge, and asks for no token")]
    try:
        found = path.lstat()
    except FileNotFoundError:
        mend = f"put a token of {context.file.forge.url}/user/settings/applications into {path}, mode 0600"
        return [Found("warn", f"There is no token in {path}.", _WHY_RIGHTS, mend)]
    except OSError:
        return [passed_over(f"{whose} token is not this user's to see")]
    if not stat.S_ISREG(found.st_mode):
        return [Found("bad", f"{path} is no regular file.", _WHY_RIGHTS, f"ls -l {path}, and put the token there")]
    if found.st_mode & 0o077:
        return [_open_to_others(context, path, found)]
    return await _judge_token(context, path, whose)


def _open_to_others(context: Context, path: Path, found: os.stat_result) -> Found:
    may = context.is_root or found.st_uid == context.uid

    async def mend() -> str:
        await in_thread(lambda: _close(path))
        return f"{path} is for its owner only. If others may have read it, make a new token."

    return Found(
        "bad",
        f"Others may read the token in {path} (mode {stat.S_IMODE(found.st_mode):04o}).",
        "Whoever has it can publish in its owner's name; Hero does not use it as long as it is open.",
        f"chmod 600 {shlex.quote(str(path))}",
        repair=mend if may else None,
    )


def _close(path: Path) -> None:
    # Of the very file: its folder is not root's, and a link may stand there by now.
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fchmod(fd, 0o600)
    finally:
        os.close(fd)


async def _judge_token(context: Context, path: Path, whose: str) -> list[Found]:
    from backends.forge.credential import read_token
    from backends.forge.forgejo import Forgejo

    assert context.file
    url = context.file.forge.url
    try:
        forge = Forgejo(url, read_token(path))
    except HeroError as error:
        return [Found("bad", error.message, _WHY_RIGHTS, error.hint)]
    pages = f"{url}/user/settings/applications"
    try:
        login = await _login(forge)
        lacks = await forge.check(_repo(context))
    except HeroError as error:
        if error.code == "unreachable":
            return [passed_over("the forge cannot be reached")]
        return [
            Found("bad", f"{whose} token: {error.message}", _WHY_RIGHTS, error.hint or f"make a new one: {pages}")
        ]
    finally:
        await forge.aclose()
    if lacks:
        return [Found("warn", f"{whose} token: {one}", _WHY_RIGHTS, f"make a new one: {pages}") for one in lacks]
    return [well(f"{whose[:1].upper()}{whose[1:]} token is that of {login}, and may do what it has to.")]


async def _login(forge: Forgejo) -> str:
    """Whose the token is; "" where it may not say so. Raises HeroError where it is nobody's."""
    from backends.forge.forgejo_errors import status_of

    try:
        return (await forge.user()).login
    except HeroError as error:
        if status_of(error) != 403:
            raise
        return ""


def _repo(context: Context) -> str:
    """A repository to which builds are published."""
    services = context.team.catalogue.services
    assert context.file
    return services[0].repo if services else context.file.team_repo


CHECKS = (
    Check("forge.reachable", "forge", _reach, seconds=3.5),
    Check("forge.token", "token of the box", _box_token, seconds=4.0),
    Check("forge.slot_token", "token of the slot", _slot_token, scope="slot", seconds=4.0),
)
