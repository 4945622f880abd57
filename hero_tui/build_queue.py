"""The box's queue of builds as the cockpit counts it, and what a person asks of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from backends.model.errors import HeroError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from backends.model.frozen import Frozen
    from backends.model.state import BuildState, Event

R = TypeVar("R", bound="BaseModel")

_OPEN: tuple[BuildState, ...] = ("running", "queued")
_AT_MOST = 500


class Asker(Protocol):
    """How the box is asked."""

    async def __call__(self, method: str, params: Frozen, result: type[R]) -> R: ...


class Teller(Protocol):
    """How a person is told."""

    def __call__(self, sentence: str, *, failed: bool = False) -> None: ...


class BuildQueue:
    """Counts what runs and waits from events; `changed` is called when a count may have changed."""

    def __init__(self, ask: Asker, tell: Teller, changed: Callable[[], None]):
        self._ask = ask
        self._tell = tell
        self._changed = changed
        self._open: dict[str, BuildState] = {}
        self._heard: dict[str, BuildState] | None = None

    @property
    def building(self) -> int:
        """How many run."""
        return sum(state == "running" for state in self._open.values())

    @property
    def queued(self) -> int:
        """How many wait."""
        return sum(state == "queued" for state in self._open.values())

    def heard(self, event: Event) -> None:
        """News of a build."""
        if not event.kind.startswith("build."):
            return
        from pydantic import ValidationError

        from backends.model.state import Build

        try:
            build = Build.model_validate(event.data)
        except ValidationError:
            return
        if self._heard is not None:
            self._heard[build.id] = build.state
        self._take(build.id, build.state)

    def _take(self, build: str, state: BuildState) -> None:
        if state in _OPEN:
            self._open[build] = state
        else:
            self._open.pop(build, None)

    async def fill(self) -> None:
        """Ask the box for all that runs and waits; what is heard meanwhile is newer than its answer."""
        from backends.model.build_calls import BuildListParams, BuildListResult

        self._heard = {}
        try:
            params = BuildListParams(states=_OPEN, limit=_AT_MOST)
            result = await self._ask("build.list", params, BuildListResult)
        except HeroError:
            return  # a box that cannot tell is counted by its events alone
        finally:
            heard, self._heard = self._heard or {}, None
        self._open = {build.id: build.state for build in result.builds}
        for build, state in heard.items():
            self._take(build, state)
        self._changed()

    async def submit(self, user: str, service: str, branch: str, publish: bool) -> None:
        """Queue a build, and tell how that went."""
        from backends.model.build_calls import BuildSubmitParams, BuildSubmitResult

        params = BuildSubmitParams(user=user, service=service, branch=branch, publish=publish)
        try:
            answer = await self._ask("codescalers.build.submit", params, BuildSubmitResult)
        except HeroError as error:
            self._tell(f"{error.message} {error.hint}".strip(), failed=True)
            return
        joined = "; a build that waits already answers it" if answer.coalesced else ""
        self._tell(f"{answer.build_id} of {service} for {user} is {answer.state}{joined}")

    async def cancel(self, build: str) -> None:
        """Take a build out of the queue or stop it, and tell what cannot be."""
        from backends.model.build_calls import BuildParams
        from backends.model.state import Build

        try:
            ended = await self._ask("build.cancel", BuildParams(build_id=build), Build)
        except HeroError as error:
            self._tell(f"{error.message} {error.hint}".strip(), failed=True)
            return
        how = "is being stopped" if ended.state == "running" else ended.state
        self._tell(f"{ended.service} of {ended.slot}: {how}")
