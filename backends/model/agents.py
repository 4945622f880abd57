"""An agent: one Claude Code session in a slot, what it does and what it waits for."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from backends.model.frozen import Frozen

AgentState = Literal["starting", "working", "waiting", "idle", "error", "gone"]
Why = Literal["", "permission", "question", "done", "auth", "rate limit", "overloaded", "crashed"]
Effort = Literal["low", "medium", "high", "xhigh", "max"]
Mode = Literal["default", "acceptEdits", "plan"]

EFFORTS: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")
"""`a 1` to `a 5`."""


class Iteration(Frozen):
    """One run of a `--loop`: how it ended, and what the stop condition said."""

    number: int
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    outcome: Literal["running", "again", "done", "failed", "stopped"] = "running"
    detail: str = ""


class Waiting(Frozen):
    """What an agent asks of a person in its own terminal. `id` is the dialog's: an answer names it, so that it
    never reaches a later one."""

    id: str
    tool: str = ""
    text: str = ""
    options: tuple[str, ...] = ()
    since: AwareDatetime


class Agent(Frozen):
    """One session. `id` is the slot's number for it, like "3"; everywhere else it is `<slot>/<id>`.

    `state` with `why` reads like `waiting: permission` or `error: rate limit` (see `says`). `cost` is in US
    dollars, an estimate at list prices. `context_used` is a percentage. `pending` messages wait for its next turn.
    """

    id: str = Field(max_length=100)
    slot: str
    session: str
    title: str = ""
    state: AgentState = "starting"
    why: Why = ""
    detail: str = ""
    since: AwareDatetime
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    model: str = ""
    effort: Effort = "medium"
    mode: Mode = "default"
    credential: str = "none"
    service: str = ""
    repo: str = ""
    branch: str = ""
    worktree: str = ""
    issue: str = ""
    loop_limit: int = 0
    iterations: tuple[Iteration, ...] = ()
    cost: float = 0.0
    turns: int = 0
    context_used: float = 0.0
    last_line: str = ""
    waiting: Waiting | None = None
    pending: int = 0
    pid: int | None = None
    window: str = Field(default="", description="The tmux target, like `hero-agents:@3`.")

    @property
    def says(self) -> str:
        """The state as people read it."""
        return f"{self.state}: {self.why}" if self.why else self.state

    @property
    def name(self) -> str:
        """The agent's name for the whole box."""
        return f"{self.slot}/{self.id}"


class AgentLine(Frozen):
    """One entry of an agent's log. `number` counts from 1 and never again; `text` may have line breaks."""

    number: int
    time: AwareDatetime
    kind: Literal["start", "prompt", "tool", "result", "answer", "wait", "error", "message", "iteration", "end"]
    text: str
    tool: str = ""
