"""A made-up fleet of model objects, and a line to it that answers as the daemons would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from textual.pilot import Pilot
from textual.widgets import Input

from backends.client.live import StateWatcher
from backends.client.locate import Where
from backends.model.agent_calls import PeekAgentLogParams
from backends.model.agents import AgentLine
from backends.model.build_calls import BuildListResult
from backends.model.errors import HeroError
from backends.model.frozen import Frozen
from backends.model.inbox_calls import InboxResult
from backends.model.paths import BoxPaths
from backends.model.plan import Candidate, Plan, PlanStep
from backends.model.slot_calls import CandidatesResult, LogsParams, OperationRef
from backends.model.state import (
    Build,
    CatalogueEntry,
    ErrorInfo,
    Event,
    FleetSnapshot,
    LogLine,
    Operation,
    ServiceStatus,
    SlotStatus,
)
from hero_tui.app import HeroApp
from hero_tui.settings import Loaded, Settings
from screens.widgets.grid import FleetGrid
from tests.conftest import screen_text

R = TypeVar("R", bound=BaseModel)

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
SERVICES = ("hero_db", "hero_router", "hero_slides", "hero_books", "hero_search", "hero_voice", "hero_mail")
USERS = ("alice", "integration", "mik", "thabet")


def cell(service: str, **fields: Any) -> ServiceStatus:
    """A healthy release of the trunk, but for `fields`."""
    number = SERVICES.index(service) if service in SERVICES else len(service)
    version = f"{(number + 1) * 0x1F3D5B79:08x}"[:8] * 5
    branch = str(fields.get("branch", "development"))
    known: dict[str, Any] = {
        "service": service,
        "repo": f"lhumina_code/{service}",
        "branch": branch,
        "from": "release",
        "hash": version,
        "tag": f"{branch}-{version[:8]}",
        "installed_at": NOW - timedelta(minutes=12 * (number + 1)),
        "running_from": "release",
        "can_go_back": number % 2 == 1,
        "drift": "current",
        "health": "healthy",
        "pid": 4100 + number,
        "since": NOW - timedelta(minutes=12 * (number + 1)),
        "socket": f"/srv/box/home/alice/hero/var/sockets/{service}/web.sock",
        "worktree": f"/srv/box/home/alice/hero/src/{service}/{branch}",
        "depends_on": ("hero_db",) if service == "hero_router" else (),
    }
    return ServiceStatus.model_validate(known | fields)


def _alice() -> list[ServiceStatus]:
    cells = {service: cell(service) for service in SERVICES}
    cells["hero_slides"] = cell(
        "hero_slides",
        branch="development_alice",
        **{"from": "build"},
        running_from="build",
        tag="",
        drift="modified",
        drift_reason="the worktree has uncommitted changes",
    )
    cells["hero_books"] = cell(
        "hero_books", drift="behind", drift_reason="development-9f3c21ab is newer than development-7cf56de4"
    )
    return list(cells.values())


def _mik() -> list[ServiceStatus]:
    build = Build(
        id="hero_books-1",
        service="hero_books",
        branch="development_mik",
        commit="a" * 40,
        state="failed",
        started_at=NOW - timedelta(minutes=3),
        finished_at=NOW - timedelta(minutes=2),
        error="The build of hero_books failed: exit 1.\n  SyntaxError: invalid syntax",
    )
    return [
        cell("hero_db"),
        cell("hero_router", branch="development_mik"),
        cell("hero_slides", branch="development_mik"),
        cell("hero_books", branch="development_mik", build=build, **{"from": "build"}),
    ]


def _thabet() -> list[ServiceStatus]:
    return [
        cell("hero_db"),
        cell("hero_router", health="stopped", pid=None),
        cell(
            "hero_voice",
            branch="development_thabet",
            health="crashed",
            reason="exit 101; given up after 3 restarts",
            exit_code=101,
            restarts=3,
            pid=None,
            since=NOW - timedelta(seconds=12),
            last_log="thread 'main' panicked at src/codec.rs:88: frame of 0 samples",
        ),
        cell("hero_search", health="starting", reason="reads its index", since=NOW - timedelta(seconds=2)),
        cell("hero_mail", **{"from": "hash"}, running_from="hash", drift="pinned", drift_reason="pinned to db2a"),
    ]


def _integration() -> list[ServiceStatus]:
    return [cell(service, **{"from": "build"}, running_from="build", tag="", publish=True) for service in SERVICES]


def snapshot(seq: int = 10, **slots: list[ServiceStatus]) -> FleetSnapshot:
    """The fleet: alice, mik, thabet and the integration slot."""
    cells = {"alice": _alice(), "mik": _mik(), "thabet": _thabet(), "integration": _integration()} | slots
    names = {"alice": "Alice Okafor", "mik": "Mik Lindqvist", "thabet": "Thabet Haddad"}
    return FleetSnapshot(
        box="demo",
        seq=seq,
        trunk="development",
        catalogue=tuple(CatalogueEntry(name=name, repo=f"lhumina_code/{name}") for name in SERVICES),
        slots=tuple(
            SlotStatus(
                box="demo",
                slot=user,
                full_name=names.get(user, "Integration"),
                role="integration" if user == "integration" else "developer",
                services=tuple(cells[user]),
                seen_at=NOW,
            )
            for user in sorted(cells)
        ),
        time=NOW,
    )


def changed(seq: int, user: str, status: ServiceStatus) -> Event:
    """The event of a changed cell."""
    data = status.model_dump(mode="json", by_alias=True)
    return Event(
        seq=seq, time=NOW, box="demo", slot=user, kind="service.changed", subject=status.service, data=data
    )


def progress(user: str, operation: Operation) -> Event:
    """The event of an operation's progress."""
    data = operation.model_dump(mode="json", by_alias=True)
    return Event(seq=0, time=NOW, box="demo", slot=user, kind="operation.changed", subject=operation.id, data=data)


CANDIDATES: dict[str, list[Candidate]] = {
    "branches": [
        Candidate.model_validate(
            {
                "kind": "branch",
                "branch": branch,
                "from": "build",
                "commit": f"{number + 1:08x}" * 5,
                "author": author,
                "time": NOW - timedelta(hours=number + 1),
                "subject": subject,
            }
        )
        for number, (branch, author, subject) in enumerate(
            [
                ("development", "thabet", "Refuse paths with two dots"),
                ("development_mik", "mik", "Weighted routes, with a canary"),
                ("feature/router-metrics", "alice", "Count requests by status"),
            ]
        )
    ],
    "releases": [
        Candidate.model_validate(
            {
                "kind": "release",
                "branch": branch,
                "from": "release",
                "commit": f"{number + 10:08x}" * 5,
                "tag": f"{branch}-{number + 10:08x}",
                "author": author,
                "time": NOW - timedelta(hours=3 * number + 2),
                "subject": subject,
                "size": 8123 * (number + 1),
                "installed": number == 2,
                "current": number == 0,
            }
        )
        for number, (branch, author, subject) in enumerate(
            [
                ("development", "thabet", "Refuse paths with two dots"),
                ("development_mik", "mik", "Weighted routes, with a canary"),
                ("development", "alice", "Keep websockets open over a change"),
            ]
        )
    ],
    "pinned": [
        Candidate.model_validate(
            {
                "kind": "pinned",
                "branch": "development",
                "from": "hash",
                "commit": "0000000c" * 5,
                "tag": "development-0000000c",
                "time": NOW - timedelta(days=2),
                "subject": "installed from release",
                "installed": True,
            }
        )
    ],
}

PLAN = Plan.model_validate(
    {
        "action": "switch",
        "service": "hero_router",
        "branch": "development_mik",
        "from": "release",
        "commit": "0000000b" * 5,
        "tag": "development_mik-0000000b",
        "size": 16246,
        "restarts": ("hero_router",),
        "steps": (
            PlanStep(action="download", subject="hero_router-linux-any.tar.gz", detail="16246 bytes"),
            PlanStep(
                action="install", subject="development_mik-0000000b", detail="verified before it is unpacked"
            ),
            PlanStep(action="swap", subject="hero_router", detail="instead of development-3e7ab6f2"),
            PlanStep(action="restart", subject="hero_router", detail="then its health check must pass"),
        ),
    }
)


@dataclass
class FakeLine:
    """The daemons, as far as the cockpit sees them. A test changes what they answer, and tells events."""

    on_state: StateWatcher
    on_snapshot: Callable[[FleetSnapshot], None]
    on_event: Callable[[Event], None]
    first: FleetSnapshot | None = field(default_factory=snapshot)
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    ended: dict[str, asyncio.Future[Operation]] = field(default_factory=dict)
    following: int = 0
    read_only: bool = False
    log: asyncio.Queue[tuple[LogLine, ...] | HeroError] = field(default_factory=asyncio.Queue)
    said: asyncio.Queue[tuple[AgentLine, ...] | HeroError] = field(default_factory=asyncio.Queue)

    async def run(self) -> None:
        self.on_state("connecting", "")
        if self.first is not None:
            self.on_snapshot(self.first)
            self.on_state("online", "")
        await asyncio.Event().wait()

    async def close(self) -> None:
        pass

    async def box(self, method: str, params: Frozen | None, result: type[R]) -> R:
        return await self._answer("box", method, params, result)

    async def slot(self, user: str, method: str, params: Frozen | None, result: type[R]) -> R:
        return await self._answer(user, method, params, result)

    async def logs(self, user: str, params: LogsParams, *, own: bool) -> AsyncGenerator[tuple[LogLine, ...], None]:
        self.calls.append((user, "slot.logs" if own else "peek.logs", params.model_dump(exclude_none=True)))
        self.following += 1
        try:
            while True:
                lines = await self.log.get()
                if isinstance(lines, HeroError):
                    raise lines
                yield lines
        finally:
            self.following -= 1

    async def agent_log(self, params: PeekAgentLogParams) -> AsyncGenerator[tuple[AgentLine, ...], None]:
        self.calls.append(("box", "peek.agent_log", params.model_dump(exclude_none=True)))
        self.following += 1
        try:
            while True:
                lines = await self.said.get()
                if isinstance(lines, HeroError):
                    raise lines
                yield lines
        finally:
            self.following -= 1

    async def _answer(self, user: str, method: str, params: Frozen | None, result: type[R]) -> R:
        asked = params.model_dump(mode="json", by_alias=True, exclude_none=True) if params else {}
        self.calls.append((user, method, asked))
        answer = self.answers.get(method)
        if callable(answer):
            answer = answer(user, asked)
        if asyncio.isfuture(answer):
            answer = await answer
        if isinstance(answer, HeroError):
            raise answer
        return result.model_validate((answer or self._usual(method, asked)).model_dump(by_alias=True))

    def _usual(self, method: str, asked: dict[str, Any]) -> BaseModel:
        match method:
            case "fleet.snapshot":
                return self.first or snapshot()
            case "build.list":
                return BuildListResult(builds=())
            case "question.list":
                return InboxResult()
            case "slot.candidates":
                return CandidatesResult(items=tuple(CANDIDATES[asked["kind"]]))
            case "slot.plan":
                return PLAN
            case "operation.get":
                return operation(asked["operation"])
        if method.startswith("slot."):
            return OperationRef(operation=f"op-{sum(one[1].startswith('slot.') for one in self.calls)}")
        raise HeroError("not_found", f"no answer to {method}")

    def called(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each call of `method`."""
        return [asked for _, name, asked in self.calls if name == method]


def operation(id: str = "op-1", **fields: Any) -> Operation:
    """A running operation, but for `fields`."""
    known: dict[str, Any] = {
        "id": id,
        "kind": "switch",
        "service": "hero_router",
        "title": "switch hero_router development_mik",
        "actor": "alice",
        "started_at": NOW,
    }
    return Operation.model_validate(known | fields)


def failure(code: str = "build_failed", message: str = "It broke.", hint: str = "Mend it.") -> ErrorInfo:
    """How an operation fails."""
    return ErrorInfo(code=code, message=message, hint=hint)


class Cockpit:
    """An app on a fake line, and that line once the app has made it."""

    def __init__(self, root: Path = Path("/srv/box"), user: str = "alice", **options: Any):
        first = options.pop("first", snapshot())
        self.now = NOW
        self.line: FakeLine

        def make_line(**watchers: Any) -> FakeLine:
            self.line = FakeLine(**watchers, first=first)
            return self.line

        loaded = Loaded(options.pop("settings", Settings()), options.pop("problems", ()))
        self.app = HeroApp(Where(BoxPaths(root), user), make_line, loaded, now=lambda: self.now, **options)

    @asynccontextmanager
    async def running(
        self, size: tuple[int, int] = (120, 40), *, tooltips: bool = False
    ) -> AsyncIterator[Pilot[int]]:
        """The app in a terminal of `size`, with the first snapshot painted."""
        async with self.app.run_test(size=size, notifications=True, tooltips=tooltips) as pilot:
            await self.settle(pilot)
            self.line.calls.clear()  # what every cockpit asks when it opens
            yield pilot

    async def settle(self, pilot: Pilot[int]) -> None:
        """Everything that was told is painted, every answer that is there has been taken."""
        for _ in range(3):
            await pilot.pause()
            self.app.desk.flush()
        await pilot.pause()

    async def until(self, pilot: Pilot[int], condition: Callable[[], bool]) -> None:
        """Wait for what another thread or a timer brings about."""
        async with asyncio.timeout(30):
            while not condition():
                await pilot.pause(0.01)
                await self.settle(pilot)

    async def press(self, pilot: Pilot[int], *keys: str) -> None:
        """Press keys one after the other, each with all that follows from it; typing settles at its end."""
        for place, key in enumerate(keys):
            await pilot.press(key)
            following = keys[place + 1 : place + 2]
            if len(key) > 1 or not following or len(following[0]) > 1 or not isinstance(self.app.focused, Input):
                await self.settle(pilot)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return screen_text(self.app)

    @property
    def screen_name(self) -> str:
        """The class of the screen that has the keys."""
        return type(self.app.screen).__name__

    @property
    def grid(self) -> FleetGrid:
        """The fleet's grid."""
        return self.app.screen_stack[0].query_one(FleetGrid)

    def tell(self, *events: Event) -> None:
        """What the box tells."""
        for event in events:
            self.line.on_event(event)
        self.app.desk.flush()
