"""The calls about builds: what the box queues, and what it has a slot run."""

from __future__ import annotations

from pydantic import Field

from backends.model.frozen import Frozen
from backends.model.method import Empty, Method
from backends.model.state import Build, BuildPriority, BuildState


class BuildSubmitParams(Frozen):
    """A build to queue. `repo` and `branch` default to the slot's binding, and then it must have one."""

    user: str = Field(description="Whose slot builds.")
    service: str
    repo: str = ""
    branch: str = ""
    commit: str = Field(default="", description="Full hash that asked for it; empty: the branch's head.")
    publish: bool = False
    restart: bool = Field(default=True, description="Run the result where the binding is on builds.")
    reason: str = Field(default="submit", max_length=200, description="Why, in a word: submit, webhook, poll, …")
    priority: BuildPriority = "interactive"
    build_id: str = Field(default="", description="A slot's own id; submitting it again changes nothing.")
    attached: bool = Field(default=False, description="A step of a running operation of the slot.")


class BuildSubmitResult(Frozen):
    build_id: str
    state: BuildState
    coalesced: bool = Field(default=False, description="An earlier request that still waits answers this one too.")


class BuildListParams(Frozen):
    user: str | None = None
    service: str | None = None
    states: tuple[BuildState, ...] = Field(default=(), description="None named: all.")
    limit: int = Field(default=50, ge=1, le=500)
    before: str | None = Field(default=None, description="A build's id: those older than it.")


class BuildListResult(Frozen):
    builds: tuple[Build, ...] = Field(description="What runs, then what waits in its order, then the newest ends.")
    more: bool = False
    at_once: int = Field(default=1, description="Builds that the box runs at the same time at most.")


class BuildParams(Frozen):
    build_id: str


class SlotBuildParams(Frozen):
    """The box has a slot run a queued build. With an id that the slot knows it answers how that one went."""

    build: Build


class BuildNews(Frozen):
    """The box tells a slot how a build of it stands in the queue."""

    build: Build


BUILD_METHODS: tuple[Method, ...] = (
    Method("codescalers.build.submit", "box", BuildSubmitParams, BuildSubmitResult, "Queue a build.", True),
    Method("build.list", "box", BuildListParams, BuildListResult, "The queue and what went through it."),
    Method("build.get", "box", BuildParams, Build, "One build."),
    Method("build.cancel", "box", BuildParams, Build, "Take a build out of the queue, or stop it.", True),
    Method(
        "slot.build", "slot", SlotBuildParams, Build, "Run a build of the box's queue; answers at its end.", True
    ),
    Method("slot.build_stop", "slot", BuildParams, Empty, "Stop a build of the box's queue.", True),
    Method("build.changed", "slot", BuildNews, Empty, "News from the box's queue.", True),
)
