"""Who may use which key: the freshest reconciled team repo, looked at anew on every question."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from backends.box_files import FILE_LIMIT
from backends.model.errors import HeroError
from backends.model.names import BadValue, check_login
from backends.model.problems import InvalidFile
from backends.model.team_files import TeamConfig, UserFile
from backends.model.tomlfile import TomlFile, parse

T = TypeVar("T", bound=TomlFile)

_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class Assigned:
    """The keys of one user, in the order of their use; none: `why_not` is the sentence that says why."""

    login: str
    names: tuple[str, ...] = ()
    why_not: str = ""


class Assignments:
    """What the team repo in `checkout` says. A file that cannot be used leaves in force what it said before."""

    def __init__(self, checkout: Path):
        self._checkout = checkout
        self._team = _File(checkout / "team.toml", TeamConfig)
        self._users: dict[str, _File[UserFile]] = {}

    @property
    def admins(self) -> tuple[str, ...]:
        """Who may change the keys, besides root."""
        team = self._team.read()
        return team.admins if team else ()

    def of(self, login: str) -> Assigned:
        """What `login` may use at this moment."""
        try:
            check_login(login)
        except BadValue:
            return Assigned("", why_not="Who asks is nobody that the team repo can name.")
        file = self._users.setdefault(login, _File(self._checkout / "users" / f"{login}.toml", UserFile))
        user = file.read()
        if user is None:
            self._users.pop(login)
            trouble = "cannot be used" if file.there else "is not there"
            return Assigned(login, why_not=f"{login} is not on the team: users/{login}.toml {trouble}.")
        if not user.enabled:
            return Assigned(login, why_not=f"{login} is disabled by the team repo (users/{login}.toml).")
        if user.claude_org_key is None or not user.claude_org_key.enabled:
            return Assigned(login, why_not=f"No org key is assigned to {login} (users/{login}.toml).")
        return Assigned(login, user.claude_org_key.names)

    def everybody(self) -> dict[str, tuple[str, ...]]:
        """The keys of each user that has any; reads every user's file, so not on the loop."""
        logins = [path.stem for path in self._checkout.glob("users/*.toml")]
        found = {login: self.of(login).names for login in logins}
        return {login: names for login, names in found.items() if names}


class _File(Generic[T]):
    """One file, read again when it is another one than before."""

    def __init__(self, path: Path, model: type[T]):
        self.there = False
        self._path = path
        self._model = model
        self._stamp: _Stamp | None = None
        self._value: T | None = None

    def read(self) -> T | None:
        """What it says; None where it is not there, or has never been right."""
        try:
            found = os.lstat(self._path)
        except OSError:
            self.there, self._stamp, self._value = False, None, None
            return None
        self.there = True
        stamp = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._take()
            self._stamp = stamp
        return self._value

    def _take(self) -> None:
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                text = file.read(FILE_LIMIT).decode("utf-8")
            self._value = parse(self._model, text, self._path.name)
        except (OSError, UnicodeDecodeError, InvalidFile, HeroError):
            return
