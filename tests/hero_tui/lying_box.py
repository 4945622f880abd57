"""The daemons of a box that lie, over real sockets: answers spoiled, late, told twice, cut off, or never."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backends.model.agent_calls import AgentLogResult
from backends.model.agents import Agent
from backends.model.calls import BY_NAME
from backends.model.errors import CODES
from backends.model.host import HostSample, HostStatus, HostWarning
from backends.model.host_calls import HostWatched
from backends.model.inbox_calls import InboxResult
from backends.model.paths import BoxPaths
from backends.model.slot_calls import CandidatesResult, LogsResult, OperationRef
from backends.model.state import Build, Event, Operation, ServiceStatus, SlotStatus
from backends.model.team_calls import TeamRun
from backends.system_box import TEAM_SYNC_SOCKET
from tests.hero_tui import agents, builds, hosts, releases, teams
from tests.hero_tui.fleets import CANDIDATES, NOW, PLAN, SERVICES, USERS, cell, operation
from tests.hero_tui.lies import TIMES, WHOLES, Liar, written

_FIRST = frozenset({"fleet.snapshot", "events.subscribe"})
"""Without these there is nothing to look at."""
_WAYS = {
    **{"believed": 40, "made": 10, "spoiled": 10, "late": 10, "error": 10, "twice": 5, "never": 4, "frame": 3},
    **{"half": 2, "garbage": 1},
}
"""How an answer lies, and how often; what is `believed` passes the model's check."""
_ENDS = (b"\n", b"\xff\xfe\n", b"NaN}\n", b"[" * 5000 + b"\n")
KINDS = (
    *("service.changed", "service.removed", "slot.changed", "slot.online", "slot.offline", "slot.removed"),
    *("agent.changed", "agent.removed", "operation.changed", "question.changed", "host.warning", "host.disk"),
    *("build.queued", "build.running", "build.failed", "release.published", "team.changed", "audit.noted", ""),
)
_STATUS = HostStatus(box="demo", sample=hosts.sample(warnings=(hosts.warning(),)), minutes=hosts.trend())
_TRUTHS: dict[str, Callable[[dict[str, Any]], BaseModel]] = {
    "fleet.snapshot": lambda asked: agents.with_agents(agents.some_agents()),
    "build.list": lambda asked: builds.answer(builds.some_builds()),
    "release.list": releases.page_of(releases.some_releases()).__get__(""),
    "release.compare": lambda asked: releases.commits(5),
    "gate.list": lambda asked: releases.gates(releases.gate()),
    "question.list": lambda asked: InboxResult(items=(*agents.some_items(), *agents.some_approvals())),
    "claude.status": lambda asked: agents.claude_status(),
    "host.status": lambda asked: _STATUS,
    "host.watch": lambda asked: HostWatched(stream="s1", status=_STATUS),
    "host.disk": lambda asked: hosts.report(),
    "host.containers": lambda asked: hosts.containers(),
    "slot.clean_plan": lambda asked: hosts.plan(),
    "slot.candidates": lambda asked: CandidatesResult(items=tuple(CANDIDATES[asked["kind"]])),
    "slot.plan": lambda asked: PLAN,
    "peek.agent_log": lambda asked: AgentLogResult(lines=agents.some_lines(), stream="s1"),
    "slot.logs": lambda asked: LogsResult(lines=builds.log_lines(), stream="s1"),
    "peek.logs": lambda asked: LogsResult(lines=builds.log_lines(), stream="s1"),
    "team.status": lambda asked: teams.some_look().status or TeamRun(),
}
_DATA: dict[str, type[BaseModel]] = {
    "service": ServiceStatus,
    "slot": SlotStatus,
    "agent": Agent,
    "operation": Operation,
    "build": Build,
    "host": HostWarning,
}


def truth(method: str, asked: dict[str, Any], liar: Liar) -> Any:
    """What a box that tells the truth would answer, or something of the same shape."""
    if method in _TRUTHS:
        return _TRUTHS[method](asked).model_dump(mode="json", by_alias=True)
    known = BY_NAME.get(method)
    if known is None or known.result is OperationRef:
        return {"operation": "op-1"}
    return liar.model(known.result)


class LyingBox:
    """Answers at the sockets of the box, the slots and the reconciler; `calls` is what it was asked.

    `honest` is the share of answers that are the truth. What is `held` comes when a test says so.
    """

    def __init__(self, seed: str, honest: float = 0.5):
        self.liar = Liar(seed)
        self.honest = honest
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.held: list[tuple[asyncio.StreamWriter, bytes]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._seq = 10

    @asynccontextmanager
    async def serving(self, box: BoxPaths) -> AsyncIterator[None]:
        """Be there until the end."""
        sockets = [box.rpc_socket, *(box.slot(user).rpc_socket for user in USERS)]
        sockets.append(box.run.resolve().parent / TEAM_SYNC_SOCKET.parent.name / TEAM_SYNC_SOCKET.name)
        async with contextlib.AsyncExitStack() as stack:
            for path in sockets:
                path.parent.mkdir(parents=True, exist_ok=True)
                server = await asyncio.start_unix_server(self._serve, path, limit=1 << 26)
                stack.callback(server.close)
            try:
                yield
            finally:
                self.drop()

    def drop(self) -> None:
        """End all connections, in the middle of whatever they are."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self.held.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                asked = json.loads(line)
                if "id" in asked and "method" in asked:
                    self.calls.append((asked["method"], asked.get("params", {})))
                    self._answer(writer, asked["id"], asked["method"], asked.get("params", {}))

    def _answer(self, writer: asyncio.StreamWriter, id: int, method: str, params: dict[str, Any]) -> None:
        told = {"jsonrpc": "2.0", "id": id, "result": truth(method, params, self.liar)}
        honest = max(self.honest, 0.9) if method in _FIRST else self.honest
        if self.liar.random.random() < honest:
            writer.write(written(told))
            return
        way = self.liar.random.choices(tuple(_WAYS), tuple(_WAYS.values()))[0]
        if way == "late":
            self.held.append((writer, written(self._spoiled(told))))
        elif way != "never":
            writer.write(self._lie(way, method, told))
        if way == "half":
            writer.close()

    def _lie(self, way: str, method: str, told: dict[str, Any]) -> bytes:
        known = BY_NAME.get(method)
        match way:
            case "believed" if known:
                return written(told | {"result": self.liar.believed(told["result"], known.result)})
            case "made" if known:
                return written(told | {"result": self.liar.model(known.result)})
            case "error":
                return written({"jsonrpc": "2.0", "id": told["id"], "error": self._error()})
            case "twice":
                return written(self._spoiled(told)) * 2
            case "frame":
                return written(self.liar.spoiled(told))
            case "garbage":
                return written(told)[:-9] + self.liar.random.choice(_ENDS)
            case "half":
                return written(told)[:-9]
        return written(self._spoiled(told))

    def _spoiled(self, told: dict[str, Any]) -> dict[str, Any]:
        return told | {"result": self.liar.spoiled(told["result"])}

    def _error(self) -> Any:
        liar = self.liar
        data = {"code": liar.random.choice((*CODES, liar.text())), "hint": liar.text(), "data": {"a": liar.text()}}
        error = {"code": liar.random.choice((-32601, -32001, 10**30)), "message": liar.text(), "data": data}
        return liar.spoiled(error) if liar.random.random() < 0.3 else error

    # -- what is told unasked -----------------------------------------------------------------------

    def let(self) -> None:
        """Answer what was held, in any order; to whoever is there still."""
        self.liar.random.shuffle(self.held)
        for writer, line in self.held:
            if not writer.is_closing():
                writer.write(line)
        self.held.clear()

    def tell(self, count: int) -> None:
        """So many notes to everybody that is connected."""
        self._writers = [writer for writer in self._writers if not writer.is_closing()]
        for _ in range(count):
            line = written({"jsonrpc": "2.0", **self._note()})
            for writer in self._writers:
                writer.write(line)

    def _note(self) -> dict[str, Any]:
        topic = self.liar.random.choices(("event", "log", "agent_log", "host", "odd"), (70, 12, 8, 8, 2))[0]
        if topic == "event":
            params = self._event()
        elif topic == "odd":
            return {"method": self.liar.random.choice(("rpc.bye", "rpc.ping", "operation", "")), "params": {}}
        elif topic == "host":
            params = {"stream": "s1", "sample": self._maybe(hosts.sample().model_dump(mode="json"), HostSample)}
        elif topic == "log":
            lines = [{"source": self.liar.text("service"), "text": self.liar.text(), "time": self._time()}] * 3
            params = {"stream": "s1", "lines": self._maybe(lines)}
        else:
            lines = [one.model_dump(mode="json") for one in agents.some_lines()]
            params = {"stream": self.liar.text("stream"), "lines": self._maybe(lines)}
        return {"method": topic, "params": params}

    def _time(self) -> float | None:
        return self.liar.random.choice((None, 0, -1e12, 1.8e9, NOW.timestamp(), 253402300800, 1e300))

    def _maybe(self, value: Any, model: type[BaseModel] | None = None) -> Any:
        chance = self.liar.random.random()
        if chance < self.honest:
            return value
        return self.liar.believed(value, model) if model and chance < 0.95 else self.liar.spoiled(value)

    def _event(self) -> dict[str, Any]:
        chance = self.liar.random
        self._seq += 1
        slot, service = chance.choice((*USERS, "nobody")), chance.choice((*SERVICES, "hero_nothing"))
        kind = chance.choice(KINDS)
        subject, data = self._news(kind, slot, service)
        event = Event(seq=self._seq, time=NOW, box="demo", slot=slot, kind=kind, subject=subject)
        told = event.model_dump(mode="json") | {"data": self._maybe(data, _DATA.get(kind.partition(".")[0]))}
        match chance.random():
            case odd if odd < 0.15:
                told["seq"] = chance.choice((0, 1, self._seq - 5, self._seq + 1000, *WHOLES))
            case odd if odd < 0.2:
                told |= {"slot": self.liar.text(), "subject": self.liar.text(), "time": chance.choice(TIMES)}
            case odd if odd < 0.21:
                told = self.liar.spoiled(told)
        return told

    def _news(self, kind: str, slot: str, service: str) -> tuple[str, Any]:
        """The subject and the data of a true event."""
        chance, liar = self.liar.random, self.liar
        match kind.partition(".")[0]:
            case "service":
                health = chance.choice(("healthy", "crashed", "starting", "stopped"))
                return service, cell(service, health=health).model_dump(mode="json", by_alias=True)
            case "slot":
                told = chance.choice(agents.with_agents(agents.some_agents()).slots)
                return slot, told.model_dump(mode="json", by_alias=True) | {"slot": slot}
            case "agent":
                one = agents.agent(str(chance.randrange(1, 9)), slot, title=chance.choice(("a", "b", "c")))
                return one.id, one.model_dump(mode="json")
            case "operation":
                running = operation(
                    f"op-{chance.randrange(3)}", service=service, done=3, total=chance.choice((None, 0, 9))
                )
                return running.id, running.model_dump(mode="json")
            case "build":
                return service, chance.choice(builds.some_builds()).model_dump(mode="json")
            case "question":
                return "q-1", chance.choice(agents.some_items()).model_dump(mode="json")
            case "release":
                return service, releases.release().model_dump(mode="json")
        later = NOW + timedelta(minutes=chance.randrange(60))
        return liar.text(), hosts.warning(since=later).model_dump(mode="json")


def lay_out(root: Path, *, system: bool) -> BoxPaths:
    """The folders of a box; of a `system` one the homes lie elsewhere."""
    box = BoxPaths(root / "box")
    homes = root / "homes"
    for user in USERS:
        (homes / user / "hero").mkdir(parents=True)
    box.root.mkdir()
    (box.root / "box.toml").write_text('schema = 1\nname = "demo"\n', encoding="utf-8")
    if system:
        box.homes.symlink_to(homes)
    else:
        homes.rename(box.homes)
    for path, text in teams.FILES.items():
        file = box.team / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return box
