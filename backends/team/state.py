"""What the reconciler must not forget, in one root-only file: who has which uid, which commit is reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from backends.model.errors import HeroError
from backends.model.frozen import Frozen
from backends.model.team_calls import TeamAction, TeamRun
from backends.model.text import safe_line
from backends.team.files import write_root_file
from backends.team.values import Record

OUTBOX_LIMIT = 1000
"""Actions that wait to be told to the box's daemon, at most; the audit log on disk has all of them."""


class Told(Frozen):
    """What the box's daemon was told last, so that it is told again only what is new."""

    commit: str = ""
    problems: tuple[str, ...] = ()


class State(Frozen):
    """`reviewed` is the commit in force, `branch` what is followed, `candidate` a head that is not in force.

    `users` is for ever: a login that is gone keeps its uid. `outbox` is what the box's daemon does not know yet.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    branch: str = ""
    reviewed: str = ""
    candidate: str = ""
    users: dict[str, Record] = Field(default_factory=dict)
    last: TeamRun | None = None
    outbox: tuple[TeamAction, ...] = ()
    told: Told = Told()
    keys_checked: float = 0.0


class StateFile:
    """The state at `path`, in memory; every change is on disk before the call returns."""

    def __init__(self, path: Path):
        self.path = path
        self.now = _read(path)

    def change(self, **fields: object) -> None:
        """Have `fields` be as given. Raises HeroError where that cannot be written; nothing has changed then."""
        self._keep(self.now.model_copy(update=fields))

    def record(self, login: str, **fields: object) -> Record:
        """Change the record of a user that there is."""
        made = self.now.users[login].model_copy(update=fields)
        self.add(login, made)
        return made

    def add(self, login: str, record: Record) -> None:
        """Remember `record` as the user's."""
        if self.now.users.get(login) != record:
            self.change(users={**self.now.users, login: record})

    def _keep(self, state: State) -> None:
        if state == self.now:
            return
        text = state.model_dump_json(by_alias=True, indent=1) + "\n"
        write_root_file(self.path, text.encode(), mode=0o600)
        self.now = state


def _read(path: Path) -> State:
    """The state on disk; a new one where there is none.

    Raises HeroError for one that cannot be read: guessing who has which uid would give away somebody's files.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return State()
    except OSError as error:
        raise HeroError("failed", f"{path} cannot be read: {error.strerror}.") from error
    try:
        return State.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise HeroError(
            "invalid_file",
            f"{path} cannot be used: {safe_line(where, 200)}: {safe_line(first['msg'], 200)}.",
            hint="It says who has which uid. Put it back from a backup (`hero_dev box backup`); do not remove it.",
        ) from error
