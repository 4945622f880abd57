"""Daemons of canned answers on real sockets: they take only what the real ones would, and answer like them."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.rpc.wire import Notification, Request, Result, decode, encode, encode_failure

Answer = BaseModel | HeroError | Callable[[Any], Any]

DEADLINE = 30.0


class Canned:
    """A box's and alice's slot's daemon: each call is answered with what `answers` has for its method.

    That is a value, an error, what a function makes of the parameters, or a list of those, used up one by one.
    After a call, the notifications that `events` has for its method are sent, once.
    """

    def __init__(self, root: Path):
        self.root = root
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.events: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self.asked: list[tuple[str, Any]] = []
        self._hangs_up: set[str] = set()
        paths = BoxPaths(root)
        (root / "box.toml").write_text("schema = 1\n")
        for user in ("alice", "mik"):
            paths.slot(user).root.mkdir(parents=True)
        sockets = (paths.rpc_socket, paths.slot("alice").rpc_socket)
        self._listening = [_listen(path) for path in sockets]
        self._threads = [threading.Thread(target=self._accept, args=(each,)) for each in self._listening]
        self._connections: list[socket.socket] = []
        for thread in tuple(self._threads):
            thread.start()

    def hang_up_on(self, method: str) -> None:
        """The next call of `method` is answered by the end of the connection."""
        self._hangs_up.add(method)

    def params(self, method: str) -> Any:
        """What `method` was asked with last."""
        return next(params for name, params in reversed(self.asked) if name == method)

    def close(self) -> None:
        """End everything."""
        for connection in (*self._listening, *self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(DEADLINE)
        for each in self._listening:
            each.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream, contextlib.suppress(OSError, ValueError):
            for line in stream:
                request = decode(line)
                assert isinstance(request, Request)
                if request.method in self._hangs_up:
                    self._hangs_up.discard(request.method)
                    return
                stream.write(self._reply(request))
                for method, params in self.events.pop(request.method, []):
                    stream.write(encode(Notification(method, params)))
                stream.flush()

    def _reply(self, request: Request) -> bytes:
        method = BY_NAME[request.method]
        try:
            params = method.params.model_validate(request.params)
            self.asked.append((request.method, params))
            return encode(Result(request.id, self._result(request.method, params)))
        except HeroError as error:
            return encode_failure(request.id, error)

    def _result(self, method: str, params: Any) -> Any:
        answer = self.answers[method]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer) and not isinstance(answer, BaseModel):
            answer = answer(params)
        if isinstance(answer, HeroError):
            raise answer
        checked = BY_NAME[method].result.model_validate(answer)
        return json.loads(checked.model_dump_json(by_alias=True))


def _listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    return listening


@contextlib.contextmanager
def canned_box() -> Iterator[Canned]:
    """A box with two slots whose daemon is a `Canned`."""
    root = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    box = Canned(root)
    try:
        yield box
    finally:
        box.close()
        shutil.rmtree(root, ignore_errors=True)
