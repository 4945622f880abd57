"""The early question is answered by a box that answers as it should; by any other it is not answered at all."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.client.early import MOST_SLOTS, EarlyQuestion
from tests.backends.client.test_look import FLEET

REPLY = {"jsonrpc": "2.0", "id": 1, "result": FLEET}
LINE = json.dumps(REPLY).encode() + b"\n"


class Box:
    """Takes one question and does with the connection what it is told to."""

    def __init__(self, path: Path, answer: Callable[[socket.socket], None]) -> None:
        self.path = path
        self.asked: dict[str, object] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._answer = answer
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.asked = json.loads(connection.makefile("rb").readline())
            self._answer(connection)

    def done(self) -> None:
        """Wait until it has answered."""
        self._thread.join(10)
        self._listener.close()


def test_the_fleet_that_is_told_is_there(tmp_path: Path) -> None:
    box = Box(tmp_path / "s", lambda connection: connection.sendall(LINE))
    question = EarlyQuestion(box.path)
    box.done()
    fleet = question.answer()
    assert fleet is not None
    assert (fleet.box, [slot.slot for slot in fleet.slots]) == ("small", ["alice"])
    assert (box.asked["method"], box.asked["params"]) == ("fleet.snapshot", {"limit": MOST_SLOTS})
    assert question.answer() is None


def test_an_answer_that_is_longer_than_a_socket_holds_is_taken_to_its_end(tmp_path: Path) -> None:
    long = {**FLEET, "problems": ["x" * 1_000_000]}
    line = json.dumps({**REPLY, "result": long}).encode() + b"\n"
    half = threading.Event()

    def answer(connection: socket.socket) -> None:
        half.set()
        connection.sendall(line)

    box = Box(tmp_path / "s", answer)
    question = EarlyQuestion(box.path)
    half.wait(10)
    fleet = question.answer()
    box.done()
    # A machine that is too busy to send a megabyte in time shows its fleet a moment later: that is no fault.
    assert fleet is None or len(fleet.problems[0]) == 1_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        LINE[:-1],
        LINE + LINE,
        b"x" * 5_000_000,
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
        b"null\n",
        LINE.replace(b'"seq": 7', b'"seq": NaN'),
        LINE.replace(b'"seq": 7', b'"seq": ' + b"9" * 5000),
        LINE.replace(b'"id": 1', b'"id": 2', 1),
        json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}}).encode() + b"\n",
        json.dumps({"jsonrpc": "2.0", "method": "rpc.bye", "params": {}}).encode() + b"\n" + LINE,
    ],
    ids=lambda answer: answer[:12].decode(errors="replace") + f" {len(answer)}",
)
def test_any_other_answer_is_none(tmp_path: Path, answer: bytes) -> None:
    def tell(connection: socket.socket) -> None:
        try:
            connection.sendall(answer)
        except OSError:
            return  # nobody listens any more

    box = Box(tmp_path / "s", tell)
    assert EarlyQuestion(box.path).answer() is None
    box.done()


def test_a_box_that_is_silent_is_not_waited_for(tmp_path: Path) -> None:
    over = threading.Event()

    def wait(connection: socket.socket) -> None:
        over.wait(20)

    box = Box(tmp_path / "s", wait)
    assert EarlyQuestion(box.path).answer() is None
    over.set()
    box.done()


def test_where_there_is_no_box_there_is_no_answer(tmp_path: Path) -> None:
    assert EarlyQuestion(tmp_path / "none").answer() is None
    (tmp_path / "file").write_text("")
    assert EarlyQuestion(tmp_path / "file").answer() is None
    assert EarlyQuestion(tmp_path / ("x" * 200)).answer() is None
    unheard = socket.socket(socket.AF_UNIX)
    with unheard:
        unheard.bind(str(tmp_path / "bound"))
        assert EarlyQuestion(tmp_path / "bound").answer() is None
