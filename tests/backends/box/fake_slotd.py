"""A slot's daemon with nothing in it but its link to the box and a few calls: `fake_slotd.py --box B --slot U`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

from backends.database import Database
from backends.model import slot_calls as calls
from backends.model.agent_calls import AgentLogParams, AgentLogResult
from backends.model.agents import AgentLine
from backends.model.calls import BY_NAME
from backends.model.frozen import Frozen
from backends.model.method import Empty, Method
from backends.model.paths import BoxPaths
from backends.model.state import Event, LogLine, Operation, ServiceStatus, SlotStatus
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.server import Server
from backends.rpc.socketdir import ensure_socket_dir
from backends.rpc.wire import Request
from backends.slot.boxlink import BoxLink
from backends.slot.outbox import Outbox

DIES = "dies"
"""A file in the slot's `var`: the daemon dies when it is asked to end."""


class CellParams(Frozen):
    service: str
    health: str = "healthy"
    last_log: str = ""
    source: str = "release"
    auto_rebuild: bool = False
    times: int = 1


class RecordParams(Frozen):
    kind: str = "audit.test"
    subject: str = ""
    times: int = 1


class Texts(Frozen):
    texts: tuple[str, ...] = ()


CELL = Method("test.cell", "slot", CellParams, Empty, "Change a cell.")
GONE = Method("test.gone", "slot", calls.ServiceParams, Empty, "Drop a cell.")
PROGRESS = Method("test.progress", "slot", calls.OperationParams, Empty, "Tell an operation.")
RECORD = Method("test.record", "slot", RecordParams, Empty, "Put events into the outbox.")
LINES = Method("test.lines", "slot", Texts, Empty, "Say lines on every followed log.")
STREAMS = Method("test.streams", "slot", Empty, Texts, "Streams that are followed.")
NEWS = Method("test.news", "slot", Empty, Texts, "What the box told.")


class Fake:
    def __init__(self, box: BoxPaths, user: str):
        paths = box.slot(user)
        self.user = user
        self.sockets = ensure_socket_dir(paths.sockets, 41) / "hero_slot"
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        self.database = Database(paths.database)
        self.outbox = Outbox(self.database)
        self.cells: dict[str, ServiceStatus] = {}
        self.streams: dict[str, Connection] = {}
        self.news: list[str] = []
        self.ended = asyncio.Event()
        self.link = BoxLink(box.rpc_socket, user, self.outbox, self.status, self.from_box)
        self.dispatcher = Dispatcher("fake_slotd", "1")
        for method, handler in {
            CELL: self.cell,
            GONE: self.gone,
            PROGRESS: self.progress,
            RECORD: self.record,
            LINES: self.lines,
            STREAMS: self.list_streams,
            NEWS: self.list_news,
            BY_NAME["slot.logs"]: self.logs,
            BY_NAME["agent.log"]: self.agent_log,
            BY_NAME["logs.stop"]: self.stop_logs,
            BY_NAME["slot.down"]: self.down,
        }.items():
            self.dispatcher.register(method, handler)  # type: ignore[arg-type]

    def status(self) -> SlotStatus:
        return SlotStatus(box="dev", slot=self.user, services=tuple(self.cells.values()), seen_at=now())

    async def from_box(self, connection: Connection, request: Request) -> object:
        if request.method.endswith(".changed"):
            self.news.append(f"{request.method} {request.params.get('repo', '')}".strip())
            return {}
        return await self.dispatcher(connection, request)

    async def cell(self, _: Call, params: CellParams) -> Empty:
        for restarts in range(params.times):
            cell = ServiceStatus.model_validate(
                {
                    "service": params.service,
                    "repo": f"lhumina_code/{params.service}",
                    "branch": "development",
                    "from": params.source,
                    "auto_rebuild": params.auto_rebuild,
                    "health": params.health,
                    "last_log": params.last_log,
                    "restarts": restarts,
                }
            )
            self.cells[params.service] = cell
            self.link.cell(cell)
            await asyncio.sleep(0)
        return Empty()

    async def gone(self, _: Call, params: calls.ServiceParams) -> Empty:
        self.cells.pop(params.service)
        self.link.gone(params.service)
        return Empty()

    async def progress(self, _: Call, params: calls.OperationParams) -> Empty:
        self.link.operation(Operation(id=params.operation, kind="switch", started_at=now()))
        return Empty()

    async def record(self, _: Call, params: RecordParams) -> Empty:
        for number in range(params.times):
            subject = params.subject or str(number)
            await self.outbox.add(
                Event(seq=0, time=now(), box="x", slot="somebody", kind=params.kind, subject=subject)
            )
            self.link.recorded()
        return Empty()

    async def logs(self, call: Call, params: calls.LogsParams) -> calls.LogsResult:
        line = LogLine(source="web", time=1.0, text="first \x1b[31mred\x1b[0m\x1b]0;title\x07")
        if not params.follow:
            return calls.LogsResult(lines=(line,))
        stream = f"s{len(self.streams)}"
        self.streams[stream] = call.connection
        # Before the answer, as a fast log may.
        call.connection.notify("log", {"stream": stream, "lines": [line.model_dump()]})
        return calls.LogsResult(lines=(), stream=stream)

    async def agent_log(self, call: Call, params: AgentLogParams) -> AgentLogResult:
        line = AgentLine(number=1, time=now(), kind="answer", text=f"{params.agent}:\x1b]0;x\x07\nhello")
        stream = f"a{len(self.streams)}" if params.follow else ""
        if stream:
            call.connection.notify("agent_log", {"stream": stream, "lines": [line.model_dump(mode="json")]})
        return AgentLogResult(lines=() if stream else (line,), stream=stream)

    async def stop_logs(self, _: Call, params: calls.LogsStopParams) -> Empty:
        self.streams.pop(params.stream, None)
        return Empty()

    async def lines(self, _: Call, params: Texts) -> Empty:
        for stream, connection in self.streams.items():
            lines = [LogLine(source="web", text=text).model_dump() for text in params.texts]
            connection.notify("log", {"stream": stream, "lines": lines})
        return Empty()

    async def list_streams(self, _: Call, __: Empty) -> Texts:
        return Texts(texts=tuple(self.streams))

    async def list_news(self, _: Call, __: Empty) -> Texts:
        return Texts(texts=tuple(self.news))

    async def down(self, _: Call, params: calls.DownParams) -> Empty:
        var = self.sockets.parent.parent
        if (var / DIES).exists():
            os._exit(1)
        (var / f"down-{params.services}").touch()
        self.ended.set()
        return Empty()

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.ended.set)
        server = Server(self.sockets / "rpc.sock", self.dispatcher)
        await server.start()
        task = asyncio.create_task(self.link.run())
        await self.ended.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await server.close()
        await self.database.close()


def now() -> datetime:
    return datetime.now(UTC)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--box", type=Path)
    parser.add_argument("--slot")
    arguments = parser.parse_args()
    await Fake(BoxPaths(arguments.box), arguments.slot).run()


if __name__ == "__main__":
    asyncio.run(main())
