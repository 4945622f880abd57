"""The org's keys: one file each, sealed where there is a store key, in memory while the broker runs."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from backends.broker.sealing import CannotOpen, Sealing
from backends.durable import sync_folder
from backends.failpoints import failpoint
from backends.model.errors import HeroError
from backends.model.frozen import Frozen

UNSEALED = (
    "The org's keys lie unencrypted in {folder}, readable for its owner alone: this broker was given no store key."
)
_SLOT = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_SECRET = re.compile(r"[\x21-\x7e]{4,4096}")
_FILE_LIMIT = 64 * 1024
_SUFFIX = ".key"
_OAUTH = "sk-ant-oat"
"""What the tokens of `claude setup-token` begin with."""


@dataclass(frozen=True)
class OrgKey:
    """A key of the org; `fingerprint` is the beginning of its SHA-256."""

    slot: str
    secret: str = field(repr=False)
    fingerprint: str
    set_at: datetime
    set_by: str
    generation: int

    @property
    def oauth(self) -> bool:
        """Whether it is an OAuth token and not an API key."""
        return self.secret.startswith(_OAUTH)


class _KeyFile(Frozen):
    """A key on disk: `sealed`, or else `secret`."""

    slot: str
    fingerprint: str
    set_at: datetime
    set_by: str
    generation: int = Field(ge=1)
    sealed: str = ""
    secret: str = Field(default="", repr=False)


def check_slot(name: str) -> str:
    """`name` if it is one of a key. Raises HeroError, which does not show it: it may be the key itself."""
    if _SLOT.fullmatch(name):
        return name
    raise HeroError(
        "usage", "That is no name of an org key (it is not shown).", hint="It is like ORG_CLAUDE_KEY_2."
    )


def check_secret(text: str) -> str:
    """`text` if it can be a key. Raises HeroError, which does not show it."""
    if _SECRET.fullmatch(text):
        return text
    raise HeroError(
        "usage",
        "What was given is no key (it is not shown): 4 to 4096 printable characters without blanks.",
        hint="`claude setup-token` or the Anthropic console makes one.",
    )


def fingerprint_of(secret: str) -> str:
    """By which people tell keys apart."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


class KeyStore:
    """The keys in `folder`; `sealing` None keeps them as they are. `problems` tells people what is wrong."""

    def __init__(self, folder: Path, sealing: Sealing | None):
        self.folder = folder
        self._sealing = sealing
        self._keys: dict[str, OrgKey] = {}
        self._broken: dict[str, str] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        plain = (UNSEALED.format(folder=self.folder),) if self._keys and self._sealing is None else ()
        return (*plain, *(self._broken[name] for name in sorted(self._broken)))

    def get(self, slot: str) -> OrgKey | None:
        return self._keys.get(slot)

    def all(self) -> tuple[OrgKey, ...]:
        """Every key, by name."""
        return tuple(self._keys[slot] for slot in sorted(self._keys))

    def load(self) -> None:
        """Read every file. One that is damaged is a problem and stays as it is. Raises HeroError."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            files = sorted(self.folder.glob(f"*{_SUFFIX}"))
            for stale in self.folder.glob(".*.tmp"):
                stale.unlink()
        except OSError as error:
            raise _disk_error(self.folder, error) from error
        for path in files:
            self._load(path)

    def put(self, slot: str, secret: str, by: str) -> OrgKey:
        """Keep a new key under `slot`, in the place of the old one. Raises HeroError: nothing has changed then."""
        before = self._keys.get(check_slot(slot))
        key = OrgKey(
            slot,
            check_secret(secret),
            fingerprint_of(secret),
            datetime.now(UTC).replace(microsecond=0),
            by,
            before.generation + 1 if before else 1,
        )
        self._write(key)
        self._keys[slot] = key
        self._broken.pop(slot, None)
        return key

    def remove(self, slot: str) -> bool:
        """Forget a key; whether there was one. Raises HeroError."""
        path = self._path(check_slot(slot))
        try:
            path.unlink(missing_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise _disk_error(path, error) from error
        was_broken = self._broken.pop(slot, None) is not None
        return self._keys.pop(slot, None) is not None or was_broken

    def take_in(self, folder: Path) -> tuple[OrgKey, ...]:
        """Move the plain keys that the bootstrap left in `folder` here. One that cannot be used is a problem."""
        taken = []
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if not _SLOT.fullmatch(path.name):
                continue
            try:
                secret = check_secret(_read(path).decode("ascii").strip())
                known = self._keys.get(path.name)
                if known is None or known.secret != secret:
                    taken.append(self.put(path.name, secret, "bootstrap"))
                failpoint("broker.key-taken-in")
                path.unlink()
            except (OSError, UnicodeDecodeError, HeroError) as error:
                why = error.message if isinstance(error, HeroError) else type(error).__name__
                self._broken[path.name] = f"{path} was not taken in: {why}"
        return tuple(taken)

    def _load(self, path: Path) -> None:
        slot = path.name.removesuffix(_SUFFIX)
        try:
            found = _KeyFile.model_validate_json(_read(path))
            if found.slot != slot:
                raise CannotOpen
            secret = self._opened(found)
            if fingerprint_of(secret) != found.fingerprint:
                raise CannotOpen
        except CannotOpen:
            self._broken[slot] = (
                f"The key {slot} cannot be read: {path} was changed, or sealed under another store key."
                f" `hero_dev claude keys set {slot}` replaces it."
            )
            return
        except (OSError, ValidationError, ValueError):
            # Not the error itself, which may quote what it found.
            self._broken[slot] = (
                f"The key {slot} cannot be read: {path} is damaged. `hero_dev claude keys set {slot}` replaces it."
            )
            return
        key = OrgKey(slot, secret, found.fingerprint, found.set_at, found.set_by, found.generation)
        self._keys[slot] = key
        if self._sealing and not found.sealed:
            self._seal_late(key)

    def _seal_late(self, key: OrgKey) -> None:
        """Seal what was kept before there was a store key."""
        try:
            self._write(key)
        except HeroError as error:
            self._broken[key.slot] = f"The key {key.slot} still lies unencrypted: {error.message}"

    def _opened(self, found: _KeyFile) -> str:
        if not found.sealed:
            return found.secret
        if self._sealing is None:
            raise CannotOpen
        return self._sealing.open(found.sealed, _bound_to(found.slot, found.generation))

    def _write(self, key: OrgKey) -> None:
        plain = _KeyFile(
            slot=key.slot,
            fingerprint=key.fingerprint,
            set_at=key.set_at,
            set_by=key.set_by,
            generation=key.generation,
        )
        if self._sealing:
            file = plain.model_copy(
                update={"sealed": self._sealing.seal(key.secret, _bound_to(key.slot, key.generation))}
            )
        else:
            file = plain.model_copy(update={"secret": key.secret})
        _write(self._path(key.slot), file.model_dump_json(indent=1).encode() + b"\n")

    def _path(self, slot: str) -> Path:
        return self.folder / f"{slot}{_SUFFIX}"


def _bound_to(slot: str, generation: int) -> str:
    """What a sealed key is good for: under another name it does not open."""
    return f"{slot}#{generation}"


def _read(path: Path) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        return file.read(_FILE_LIMIT)


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        failpoint("broker.key-written")
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise _disk_error(path, error) from error


def _disk_error(path: Path, error: OSError) -> HeroError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HeroError(
            "no_space", f"No space left while writing {path}.", hint="Free some; the keys are as they were."
        )
    return HeroError("failed", f"{path} cannot be used: {error.strerror}.", hint="See its owner and mode.")
