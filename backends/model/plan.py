"""What an action would do to a binding, and what that can be switched to."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from backends.model.frozen import Frozen
from backends.model.state import Source


class PlanStep(Frozen):
    """One thing that an action would do, in the words of a person."""

    action: Literal[
        "resolve", "download", "build", "install", "swap", "restart", "stop", "bind", "unbind", "publish"
    ]
    subject: str
    detail: str = ""


class Plan(Frozen):
    """What an action would do; nothing has been done."""

    action: str
    service: str
    branch: str = ""
    source: Source | None = Field(default=None, alias="from")
    commit: str = ""
    tag: str = ""
    sha256: str = ""
    size: int | None = None
    cached: bool = False
    installed: bool = False
    compiles: bool = False
    restarts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    nothing_to_do: bool = False


class Candidate(Frozen):
    """Something that a service can be switched to."""

    kind: Literal["branch", "release", "pinned", "worktree"]
    branch: str
    source: Source = Field(alias="from")
    commit: str = ""
    tag: str = ""
    author: str = ""
    time: AwareDatetime | None = None
    subject: str = ""
    size: int | None = None
    installed: bool = False
    current: bool = False
