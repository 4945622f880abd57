"""What the sessions of a slot need of others, each small enough to be played in a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from backends.model.agent_calls import AgentLaunch
from backends.model.agents import Agent, Waiting
from backends.model.broker_calls import ClaudeKey
from backends.model.claude import Credential
from backends.slot.agents.places import Place
from backends.slot.agents.record import Record


@dataclass(frozen=True)
class Payer:
    """Who pays for a session that is about to start; `key` is what the broker gave for it."""

    credential: Credential
    key: ClaudeKey | None = field(default=None, repr=False)


class Payers(Protocol):
    """Resolves credentials (backends/slot/claude.py)."""

    async def check(self) -> None:
        """Raises HeroError that says what to do where nobody pays."""
        ...

    async def payer(self, session: str) -> Payer:
        """The credential for `session` (`<slot>/<agent>`). Raises HeroError that says what to do."""
        ...

    async def release(self, lease: str) -> None:
        """The session that had what was given under `lease` has ended; never raises."""
        ...


class Starter(Protocol):
    """Knows the `claude` program."""

    async def check(self) -> None:
        """Raises HeroError where the program is not installed."""
        ...

    def model(self, asked: str) -> str:
        """The model that `asked` means, "" being the default. Raises HeroError `usage`."""
        ...

    def words(self, agent: Agent) -> list[str]:
        """The command that a window begins with."""
        ...

    def plant(self, folder: Path, agent: Agent) -> None:
        """Make the session's own folder. Blocks; raises HeroError."""
        ...

    async def launch(self, folder: Path, record: Record, payer: Payer) -> AgentLaunch:
        """What the window's program becomes. Raises HeroError."""
        ...

    def config(self, folder: Path) -> Path:
        """The session's config directory."""
        ...

    def spool(self, folder: Path) -> Path:
        """Where hooks leave what they could not tell."""
        ...


class BoxSide(Protocol):
    """The box's inbox, as far as sessions reach into it; what the box does not take now, it is told later."""

    def ask(self, agent: Agent, waiting: Waiting) -> None:
        """An agent waits in a dialog."""
        ...

    def fetch(self, agent: Agent) -> None:
        """An agent lives again, and can be told what waits for it."""
        ...

    def settle(self, agent: Agent, waiting: str, *, answered: bool, detail: str = "") -> None:
        """The dialog is over."""
        ...

    def acted(
        self,
        agent: str,
        waiting: str,
        *,
        done: bool,
        problem: str = "",
        outcome: str = "",
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """A proposal of the agent with this number is over: it was `done`, or given up. `then`: the box knows."""
        ...


@dataclass(frozen=True)
class IssueWork:
    """What an issue makes of a new session."""

    place: Place
    prompt: str
    title: str = ""


class Issues(Protocol):
    """Works on issues of the forge."""

    async def begin(self, url: str, prompt: str) -> IssueWork:
        """The repository cloned, the branch made, the prompt written. Raises HeroError."""
        ...

    def changed(self, agent: Agent) -> None:
        """A session that works on an issue is now so; the issue may have to be told."""
        ...
