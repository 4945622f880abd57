"""Passwords of a box whose forge is a folder: hashes in one file, and no more guesses than a person needs."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

from backends.model.errors import HeroError
from backends.slot.files import write_atomically

FILE = "passwords"
SHORTEST = 10
LONGEST = 1024
GUESSES = 5
PAUSE_SECONDS = 60.0
"""After so many wrong ones for a name, for so long no more is looked at."""
_NAMES = 10_000
_COST, _BLOCK, _LANES = 1 << 15, 8, 1
_MEMORY = 128 << 20
_LINE = re.compile(r"([a-z_][a-z0-9_-]{0,30}):scrypt:([0-9a-f]{32}):([0-9a-f]{64})")
_NOBODY = ("0" * 32, "0" * 64)


class TooMany(HeroError):
    """So many wrong passwords that the next one is not looked at."""

    def __init__(self) -> None:
        super().__init__("busy", "Too many wrong passwords.", hint="Try again in a minute.")


class Passwords:
    """Those in `folder`, read anew at each look."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.monotonic):
        self._path = folder / FILE
        self._now = now
        self._wrong: dict[str, tuple[int, float]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def is_right(self, login: str, password: str) -> bool:
        """Whether `password` is that of `login`; takes as long for nobody's. Raises TooMany, HeroError."""
        self._refuse_guessing(login)
        async with self._one_at_a_time:  # each takes 32 MB and a tenth of a second of a core
            right = await asyncio.to_thread(self._compare, login, password)
        if right:
            self._wrong.pop(login, None)
        else:
            self._count(login)
        return right

    def _compare(self, login: str, password: str) -> bool:
        found = read(self._path).get(login)
        salt, expected = found or _NOBODY
        made = _hash(password[:LONGEST], salt)
        return hmac.compare_digest(made, expected) and found is not None

    def _refuse_guessing(self, login: str) -> None:
        count, until = self._wrong.get(login, (0, 0.0))
        if count >= GUESSES and self._now() < until:
            raise TooMany

    def _count(self, login: str) -> None:
        now = self._now()
        count, until = self._wrong.get(login, (0, 0.0))
        if len(self._wrong) >= _NAMES:
            self._wrong = {name: one for name, one in self._wrong.items() if one[1] > now}
        self._wrong[login] = (count + 1 if now < until else 1, now + PAUSE_SECONDS)


def read(path: Path) -> dict[str, tuple[str, str]]:
    """Salt and hash by login. Raises HeroError where others could read them, or it is no such file."""
    try:
        found = path.stat()
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise HeroError("failed", f"{path} cannot be read: {error}.") from error
    if found.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(found.st_mode) & 0o077:
        raise HeroError("denied", f"{path} is not for its owner alone.", hint=f"`chmod 600 {path}`")
    lines = [_LINE.fullmatch(line) for line in text.splitlines()]
    return {line[1]: (line[2], line[3]) for line in lines if line}


def set_password(folder: Path, login: str, password: str) -> None:
    """Give `login` this password; without one, none. Raises HeroError for one that is too short."""
    if password and not SHORTEST <= len(password) <= LONGEST:
        raise HeroError("usage", f"A password has {SHORTEST} characters at least, and {LONGEST} at most.")
    path = folder / FILE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = read(path)
    kept.pop(login, None)
    if password:
        salt = secrets.token_hex(16)
        kept[login] = (salt, _hash(password, salt))
    lines = [f"{name}:scrypt:{salt}:{made}\n" for name, (salt, made) in sorted(kept.items())]
    write_atomically(path, "".join(lines).encode("ascii"), mode=0o600)


def _hash(password: str, salt: str) -> str:
    made = hashlib.scrypt(
        password.encode(), salt=bytes.fromhex(salt), n=_COST, r=_BLOCK, p=_LANES, maxmem=_MEMORY, dklen=32
    )
    return made.hex()
