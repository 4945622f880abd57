"""The secrets of the webhooks: derived from one key, a generation a repository, so that none is kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import secrets as random_source
import sqlite3
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backends.database import Database
from backends.durable import sync_folder
from backends.model.errors import HeroError

OVERLAP_SECONDS = 600.0
"""How long a secret holds on after it was replaced: what the forge signed before is still on its way."""

_TABLE = (
    "CREATE TABLE IF NOT EXISTS hook_generations(repo TEXT PRIMARY KEY, generation INTEGER NOT NULL, "
    "pending INTEGER NOT NULL, rotated_at REAL, previous_until REAL NOT NULL) WITHOUT ROWID"
)
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Generation:
    """Which of a repository's secrets is in force.

    `pending` is the one being handed to the forge, 0 for none; it holds already, for the forge may sign with it
    before it has answered. Times in seconds since the epoch.
    """

    number: int = 1
    pending: int = 0
    rotated_at: float | None = None
    previous_until: float = 0.0


_FIRST = Generation()


class HookSecrets:
    """Secrets of all repositories. `open` first; a repository that was never heard of has a first one too, so that
    it is refused no faster than any other."""

    def __init__(self, database: Database, key_file: Path):
        self._database = database
        self._database.add_schema(_create)
        self._key_file = key_file
        self._key = b""
        self._generations: dict[str, Generation] = {}

    @property
    def is_open(self) -> bool:
        """Whether the key is there."""
        return bool(self._key)

    @property
    def mark(self) -> str:
        """What tells this key from another, and tells nothing of it."""
        return self._derive("mark")[:16]

    async def open(self) -> None:
        """Read the key, or make it, and the generations. Raises HeroError: `denied` where others can read it."""
        self._generations = await self._database.run(_select)
        self._key = await asyncio.to_thread(load_key, self._key_file)

    def secret(self, repo: str, generation: int) -> str:
        """The secret of `repo` in that generation, as hex. Raises HeroError `failed` without a key."""
        return self._derive(f"{repo}\n{generation}")

    def generation(self, repo: str) -> Generation:
        """How `repo` stands."""
        return self._generations.get(repo, _FIRST)

    def valid_secrets(self, repo: str, now: float) -> tuple[str, ...]:
        """What a delivery of `repo` may be signed with at `now` (seconds since the epoch), the present one first.

        Raises HeroError `failed` without a key.
        """
        found = self.generation(repo)
        numbers = [found.number]
        if found.pending:
            numbers.append(found.pending)
        if found.number > 1 and now < found.previous_until:
            numbers.append(found.number - 1)
        return tuple(self.secret(repo, number) for number in numbers)

    def rotated_at(self, repo: str) -> datetime | None:
        """When the present secret of `repo` took its place; None for the first."""
        moment = self.generation(repo).rotated_at
        return None if moment is None else datetime.fromtimestamp(moment, UTC)

    async def begin_rotation(self, repo: str) -> int:
        """Have the next secret hold beside the present one; its generation. Nothing changes if one was begun."""
        found = self.generation(repo)
        if not found.pending:
            found = Generation(found.number, found.number + 1, found.rotated_at, found.previous_until)
            await self._keep(repo, found)
        return found.pending

    async def end_rotation(self, repo: str, now: float) -> None:
        """The forge has the next secret: it is the present one, and the last one ends in OVERLAP_SECONDS."""
        found = self.generation(repo)
        if found.pending:
            await self._keep(repo, Generation(found.pending, 0, now, now + OVERLAP_SECONDS))

    def _derive(self, text: str) -> str:
        if not self._key:
            raise _unusable(self._key_file, "it was not read")
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    async def _keep(self, repo: str, generation: Generation) -> None:
        await self._database.run(lambda db: _insert(db, repo, generation))
        self._generations[repo] = generation


def load_key(path: Path) -> bytes:
    """The key in the file `path`, made if there is none; blocks. Raises HeroError `denied` where others can read
    it, `invalid_file` where it is no key."""
    try:
        return _read_key(path)
    except FileNotFoundError:
        _make_key(path)
        return _read_key(path)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def _read_key(path: Path) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise _unusable(path, "it is no file")
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise HeroError(
                "denied",
                f"{path} holds the key of the webhooks, but is not for this user's eyes only.",
                hint=f"`chmod 600 {path}` if nobody has read it; else remove it and run `hero_dev hooks install`.",
            )
        text = os.read(handle, 1024).decode("ascii", "replace").strip()
    finally:
        os.close(handle)
    if not _KEY.fullmatch(text):
        raise HeroError(
            "invalid_file",
            f"{path} holds no key of webhooks.",
            hint="Remove it: a new one is made, and `hero_dev hooks install` gives the forge the new secrets.",
        )
    return bytes.fromhex(text)


def _make_key(path: Path) -> None:
    """Write a new key, all of it or nothing; whoever is first wins."""
    try:
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{random_source.token_hex(4)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(random_source.token_hex(32).encode() + b"\n")
                out.flush()
                os.fsync(out.fileno())
            _link(fresh, path)
        finally:
            fresh.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def _link(fresh: Path, path: Path) -> None:
    try:
        os.link(fresh, path)
    except FileExistsError:
        return


def _unusable(path: Path, why: str) -> HeroError:
    return HeroError("failed", f"The key of the webhooks, {path}, cannot be used: {why}.")


def _create(db: sqlite3.Connection, replaces: bool) -> None:
    db.execute(_TABLE)


def _select(db: sqlite3.Connection) -> dict[str, Generation]:
    rows = db.execute("SELECT repo, generation, pending, rotated_at, previous_until FROM hook_generations")
    return {row[0]: Generation(*row[1:]) for row in rows}


def _insert(db: sqlite3.Connection, repo: str, generation: Generation) -> None:
    db.execute("PRAGMA synchronous=FULL")
    db.execute(
        "INSERT OR REPLACE INTO hook_generations(repo, generation, pending, rotated_at, previous_until) "
        "VALUES(?, ?, ?, ?, ?)",
        (repo, generation.number, generation.pending, generation.rotated_at, generation.previous_until),
    )
