"""What the box's daemon hears of the reconciler, and the repository that is made for a user's secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.model import team_calls as calls
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.model.method import Empty
from backends.model.paths import BoxPaths
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.server import Server
from backends.team.actions import LockAccount, MakeSecretsRepository
from backends.team.arriving import gecos, make_secrets_repository
from backends.team.machine import Machine
from backends.team.places import Places
from backends.team.state import StateFile
from backends.team.telling import remember, tell
from backends.team.values import Record, Wanted
from tests.backends.forge.forgejo_wire import Wire, answer


class Boxd:
    """A box's daemon that keeps what it is told."""

    def __init__(self, socket: Path) -> None:
        self.told: list[calls.TeamChangedParams] = []
        dispatcher = Dispatcher("hero_boxd", "1")
        dispatcher.register(BY_NAME["team.changed"], self._changed)
        self.server = Server(socket, dispatcher)

    async def _changed(self, _: Call, params: calls.TeamChangedParams) -> Empty:
        self.told.append(params)
        return Empty()


async def test_what_could_not_be_told_is_told_once_the_box_is_back_and_nothing_twice(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.json")
    socket = tmp_path / "rpc.sock"
    remember(state, tuple(LockAccount(f"u{number}").told(True) for number in range(450)))
    await tell(socket, state, "c1", ("bad",))
    assert len(state.now.outbox) == 450
    state = StateFile(tmp_path / "state.json")
    box = Boxd(socket)
    await box.server.start()
    try:
        await tell(socket, state, "c1", ("bad",))
        assert [one["user"] for told in box.told for one in told.actions] == [f"u{n}" for n in range(450)]
        assert {(told.commit, told.problems) for told in box.told} == {("c1", ("bad",))}
        count = len(box.told)
        await tell(socket, state, "c1", ("bad",))
        assert len(box.told) == count
        await tell(socket, StateFile(tmp_path / "state.json"), "c1", ())
        assert (len(box.told), box.told[-1].problems) == (count + 1, ())
    finally:
        await box.server.close()


def machine(tmp_path: Path, handle: Callable[[httpx.Request], Any]) -> tuple[Machine, Wire]:
    state = StateFile(tmp_path / "state.json")
    state.add("alice", Record(uid=20_000))
    wire = Wire(handle)
    return Machine(Places(BoxPaths(tmp_path)), state, lambda *_: None, wire.forge()), wire


ACTION = MakeSecretsRepository("alice", "org/alice_secrets")
ALICE = Wanted("alice", "Alice", "developer", forge_user="Alice.A")


@pytest.mark.parametrize("status", [201, 409])
async def test_a_secrets_repository_is_private_and_its_users_to_write(tmp_path: Path, status: int) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return answer({"full_name": "org/alice_secrets"}, status)
        return httpx.Response(204)

    made, wire = machine(tmp_path, handle)
    await make_secrets_repository(made, ACTION, ALICE)
    posted, added = wire.requests
    assert b'"private": true' in posted.content
    assert added.url.path.endswith("/org/alice_secrets/collaborators/Alice.A")
    assert made.state.now.users["alice"].secrets == "org/alice_secrets"


async def test_a_token_that_may_not_is_told_and_tried_again_later(tmp_path: Path) -> None:
    made, _ = machine(tmp_path, lambda _: answer({"message": "no"}, 403))
    with pytest.raises(HeroError) as caught:
        await make_secrets_repository(made, ACTION, ALICE)
    assert caught.value.code == "denied"
    record = made.state.now.users["alice"]
    assert record.secrets == ""
    assert record.secrets_tried > 0


@pytest.mark.parametrize(
    ("name", "held"),
    [("Sara Ünal", "Sara Ünal"), ("a:b,c=d", "a b c d"), ("root\tx\x1b[0m", "root x [0m"), (":", "")],
)
def test_a_name_fits_into_passwd(name: str, held: str) -> None:
    assert gecos(name) == held
