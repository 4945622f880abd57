"""The stand-in as a server on a port of its own; it keeps what it was asked, and with which credential."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.messages_api.logins import TOKEN_PATH, Logins
from tests.messages_api.replies import Reply, error_body, events_of, message_of

__all__ = ["Asked", "MessagesApi", "Reply"]

DEADLINE = 30.0


@dataclass(frozen=True)
class Asked:
    """One request. `credential` is the header's name and what it held, without `Bearer`; None for none."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    size: int
    credential: tuple[str, str] | None

    @property
    def key(self) -> str:
        return self.credential[1] if self.credential else ""


@dataclass
class MessagesApi:
    """Use it with `with`. `keys`: those that are good; None: all.

    A request for messages gets the reply that `for_key` has for its credential, else the next of `script`, else
    `default`. What the program asks for its own sake (a title, its quota) uses none up. `logins` renews a login;
    what it gives is a good key.
    """

    default: Reply = field(default_factory=Reply)
    keys: set[str] | None = None
    for_key: dict[str, Reply] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    tls: ssl.SSLContext | None = None
    logins: Logins | None = None

    def __post_init__(self) -> None:
        self._queue: deque[Reply] = deque()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._server: _Server | None = None

    def __enter__(self) -> MessagesApi:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, port: int = 0) -> None:
        """Serve at `port`, or at a free one."""
        self._stopping.clear()
        server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"api": self}))
        self._server = server
        if self.tls is not None:
            server.socket = self.tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """End it, and every answer that hangs."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def vanish(self) -> None:
        """As if the network were gone: nobody listens any more, and what is being answered is cut off."""
        server = self._server
        if server is None:
            return
        server.shutdown()
        server.server_close()
        server.cut()
        self.stop()

    def come_back(self) -> None:
        """Serve again where it was before it vanished."""
        self.start(self.port)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def script(self, *replies: Reply) -> None:
        """What comes next, each once."""
        with self._changed:
            self._queue.extend(replies)

    @property
    def messages(self) -> list[Asked]:
        """What was asked of the model, without what the program asks for its own sake."""
        with self._changed:
            return [one for one in self.asked if one.path.startswith("/v1/messages") and not _is_aside(one)]

    def wait(self, count: int) -> list[Asked]:
        """The requests of the model once there are `count` of them. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._asked_of_model()) >= count, DEADLINE):
                raise TimeoutError(f"{len(self._asked_of_model())} requests came, not {count}")
        return self.messages

    def _asked_of_model(self) -> list[Asked]:
        return [one for one in self.asked if one.path.startswith("/v1/messages") and not _is_aside(one)]

    def take(self, asked: Asked) -> Reply:
        """The reply to a request, which is kept."""
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()
            if self.keys is not None and asked.key not in self.keys | self._renewed():
                return Reply(status=401)
            if asked.key in self.for_key:
                return self.for_key[asked.key]
            if _is_aside(asked):
                return Reply(text='{"title": "A title"}')
            return self._queue.popleft() if self._queue else self.default

    def _renewed(self) -> set[str]:
        return {self.logins.access} if self.logins is not None else set()

    def hold(self, reply: Reply) -> None:
        """Wait as `reply` wants it, after the first event of a stream."""
        while reply.hangs and not self._stopping.wait(0.05):
            pass
        while reply.gate is not None and not (reply.gate.wait(0.05) or self._stopping.is_set()):
            pass

    def dawdle(self, reply: Reply) -> None:
        """Be silent before the next event of a stream, as `reply` wants it."""
        if reply.pause:
            self._stopping.wait(reply.pause)


def _is_aside(asked: Asked) -> bool:
    """Whether the program asks for its own sake: a session's title, one token to see its quota."""
    body = asked.body
    if body.get("tools"):
        return False
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema") or {}
    return body.get("max_tokens") == 1 or "title" in (schema.get("properties") or {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, *args: Any):
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        """End every connection as a machine does that has gone: without a word."""
        for one in tuple(self._open):
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that leaves is no news."""


class _Handler(BaseHTTPRequestHandler):
    api: MessagesApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is kept."""

    def _answer(self) -> None:
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = self._asked(data)
        if asked.path == TOKEN_PATH and self.api.logins is not None:
            status, told = self.api.logins.answer(asked.body)
            self._send(Reply(status=status), json.dumps(told).encode())
            return
        reply = self.api.take(asked)
        if reply.status != 200:
            self._send(reply, error_body(reply))
        elif asked.path.startswith("/v1/messages/count_tokens"):
            self._send(reply, b'{"input_tokens": 7}')
        elif not asked.path.startswith("/v1/messages"):
            self._send(reply, b"{}")
        else:
            message = message_of(reply, str(asked.body.get("model", "")), len(self.api.asked))
            if asked.body.get("stream"):
                self._stream(reply, message)
            else:
                self.api.hold(reply)
                self._send(reply, json.dumps(message).encode())

    def _asked(self, data: bytes) -> Asked:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = json.loads(data) if data else {}
        except ValueError:
            body = {}
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        credential = ("authorization", bearer) if bearer else None
        if "x-api-key" in headers:
            credential = ("x-api-key", headers["x-api-key"])
        return Asked(self.command, self.path, headers, dict(body), len(data), credential)

    def _send(self, reply: Reply, body: bytes) -> None:
        self.send_response(reply.status)
        self._head(reply, "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def _head(self, reply: Reply, content_type: str) -> None:
        self.send_header("content-type", content_type)
        if reply.retry_after:
            self.send_header("retry-after", reply.retry_after)
        for name, value in reply.headers.items():
            self.send_header(name, value)

    def _stream(self, reply: Reply, message: dict[str, Any]) -> None:
        self.send_response(200)
        self._head(reply, "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(events_of(message)):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
            if number == 0 and reply.drops:
                self.close_connection = True
                return
            if number == 0:
                self.api.hold(reply)
            self.api.dawdle(reply)
        self.wfile.write(b"0\r\n\r\n")
