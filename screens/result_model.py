"""A command that was given on the `:` line: its words, what it printed so far, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

LIMIT = 20_000
"""Lines of one command that are kept; what follows is counted."""

State = Literal["running", "done", "failed", "stopped"]


@dataclass(eq=False, slots=True)
class Run:
    """One command. `dropped` counts the lines that were too many; `version` grows with every change."""

    line: str
    state: State = "running"
    code: int | None = None
    lines: list[str] = field(default_factory=list)
    dropped: int = 0
    version: int = 0

    def say(self, line: str) -> None:
        """Take one more line in."""
        if len(self.lines) < LIMIT:
            self.lines.append(line)
        else:
            self.dropped += 1
        self.version += 1

    def end(self, state: State, code: int | None) -> None:
        """It has ended."""
        self.state, self.code = state, code
        self.version += 1

    @property
    def told(self) -> str:
        """How it stands, in a few words."""
        match self.state:
            case "running":
                return "running…"
            case "done":
                return "done" if not self.code else f"ended with {self.code}"
            case "stopped":
                return "stopped"
        if self.code is None:
            return "could not be started"
        return f"failed, exit code {self.code}" if self.code >= 0 else f"ended by signal {-self.code}"
