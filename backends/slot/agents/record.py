"""What is kept of one session on disk: enough to find it again, to go on with it, and to tell how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from backends.model.agents import Agent, Waiting
from backends.model.errors import HeroError
from backends.model.frozen import Frozen
from backends.slot.files import write_atomically

NAME = "record.json"
_LIMIT = 64 * 1024 * 1024


class Process(Frozen):
    """Which process a session was: a pid says nothing without the moment of its start and the boot."""

    pid: int
    started: int = Field(description="Field 22 of /proc/<pid>/stat, clock ticks since the boot.")
    boot: str


class Queued(Frozen):
    """Something to be said to a session at its next turn. `id` is the inbox's, where it is from there."""

    text: str
    kind: Literal["prompt", "message", "iteration"] = "message"
    id: str = ""


class Loop(Frozen):
    """A `--loop`: `prompt` again and again, at most `limit` times, until the command `until` succeeds.

    Without `until`, until the session says so itself (see loop.py). `going` until it has ended either way.
    """

    limit: int
    prompt: str
    until: str = ""
    going: bool = True


class Record(Frozen):
    """A session as it was last known. `wanted`: it is to live, so a reboot brings it back; `boot`: its last one.

    `model`: the one that was asked for, where `agent.model` is what it runs on. `begun`: the program has a
    conversation that can be gone on with. `cost_before`: what its earlier processes cost.
    """

    agent: Agent
    wanted: bool = True
    boot: str = ""
    begun: bool = False
    mark: str = Field(
        default="", description="By which all processes of it are known, over all its conversations."
    )
    model: str = ""
    process: Process | None = None
    loop: Loop | None = None
    cost_before: float = 0.0
    lease: str = Field(default="", description="By which the broker knows what it was given; not secret.")
    has_key: bool = Field(default=False, description="It was given an org key itself, not a pass.")
    dialogs: int = 0
    standing: tuple[Waiting, ...] = Field(default=(), description="The dialogs that are open.")
    queue: tuple[Queued, ...] = ()
    unsure: tuple[Queued, ...] = Field(default=(), description="What it was told in the turn that runs.")
    unsure_as: str = Field(default="", description="The program's id of the prompt that `unsure` was.")
    taken: tuple[str, ...] = Field(default=(), description="Ids of the newest messages that it got.")


def read_record(folder: Path) -> Record | None:
    """The record in `folder`; None where there is none that can be read."""
    path = folder / NAME
    try:
        if path.stat().st_size > _LIMIT:
            return None
        return Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, ValueError):
        return None


def write_record(folder: Path, record: Record, *, durable: bool) -> None:
    """Keep `record`. Raises HeroError."""
    write_atomically(folder / NAME, record.model_dump_json(by_alias=True).encode(), durable=durable)


def make_folder(agents: Path) -> tuple[str, Path]:
    """A new session's number and its folder; a number is never given twice. Raises HeroError."""
    try:
        agents.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            number = 1 + max((int(one.name) for one in agents.iterdir() if is_number(one.name)), default=0)
            try:
                (agents / str(number)).mkdir(mode=0o700)
            except FileExistsError:
                continue
            return str(number), agents / str(number)
    except OSError as error:
        raise HeroError("failed", f"Cannot make a folder in {agents}: {error.strerror}.") from error


def is_number(name: str) -> bool:
    """Whether `name` can be a session's number."""
    return name.isascii() and name.isdigit() and len(name) < 10 and name != "0"
