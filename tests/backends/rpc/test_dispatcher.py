"""A registered call gets checked parameters, and its caller an answer in plain words whatever happens."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from backends.model.errors import HeroError
from backends.model.method import Method
from backends.rpc.server import Call, Dispatcher
from backends.rpc.wire import RpcError
from tests.backends.rpc.conftest import Dial, Serve


class Where(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: str


class SwitchParams(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    service: str
    lines: int = Field(default=10, ge=0)
    source: Literal["release", "build"] = Field(default="release", alias="from")
    at: Where | None = None


class SwitchResult(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)
    service: str
    source: str = Field(alias="from")
    uid: int
    time: datetime


class Nothing(BaseModel):
    pass


SWITCH = Method("slot.switch", "slot", SwitchParams, SwitchResult, "Change a binding.", False)
CHANGE = Method("slot.change", "slot", Nothing, Nothing, "Change something.", True)
LOOK = Method("slot.look", "slot", Nothing, Nothing, "Look at something.", False)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def switch(call: Call, params: SwitchParams) -> SwitchResult:
    found = {"service": params.service, "from": params.source, "uid": call.peer.uid, "time": NOON}
    return SwitchResult.model_validate(found)


@pytest.fixture
def dispatcher() -> Dispatcher:
    made = Dispatcher("hero_testd", "0.1", log="/var/log/testd.log")
    made.register(SWITCH, switch)
    return made


async def test_a_handler_gets_its_model_and_its_result_crosses_by_alias(
    serve: Serve, dial: Dial, dispatcher: Dispatcher
) -> None:
    connection = await dial(await serve(dispatcher))
    assert await connection.call("slot.switch", {"service": "hero_router", "from": "build"}) == {
        "service": "hero_router",
        "from": "build",
        "uid": os.getuid(),
        "time": "2026-11-20T12:00:00Z",
    }


async def test_all_wrong_parameters_are_told_at_once_in_plain_words(
    serve: Serve, dial: Dial, dispatcher: Dispatcher
) -> None:
    connection = await dial(await serve(dispatcher))
    wrong = {"servce": "x", "lines": -1, "from": 7, "at": {"path": ["s3cret"]}}
    with pytest.raises(RpcError) as caught:
        await connection.call("slot.switch", wrong)
    error = caught.value
    assert error.number == -32602
    for words in (
        "`service` is missing",
        "`servce` is not known (did you mean `service`?)",
        "`lines` should be greater than or equal to 0",
        "`from` should be 'release' or 'build'",
        "`at.path` should be a valid string, found a list",
    ):
        assert words in error.message
    assert error.hint == "It takes service, lines, from, at."
    assert [field["field"] for field in error.data["fields"]] == ["service", "lines", "from", "at.path", "servce"]
    assert "s3cret" not in str(error)


async def test_an_unknown_method_gets_the_nearest_name(serve: Serve, dial: Dial, dispatcher: Dispatcher) -> None:
    connection = await dial(await serve(dispatcher))
    with pytest.raises(RpcError) as caught:
        await connection.call("slot.swich")
    assert caught.value.number == -32601
    assert "`slot.switch`" in caught.value.hint


async def test_a_defect_is_logged_here_and_named_there_without_its_details(
    serve: Serve, dial: Dial, dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(call: Call, params: Nothing) -> Nothing:
        raise ZeroDivisionError("internal detail")

    dispatcher.register(LOOK, broken)
    connection = await dial(await serve(dispatcher))
    with caplog.at_level(logging.ERROR), pytest.raises(HeroError) as caught:
        await connection.call("slot.look")
    assert caught.value.code == "internal"
    assert "see /var/log/testd.log" in caught.value.message
    assert "internal detail" not in str(caught.value)
    assert "internal detail" in caplog.text
    assert "Traceback" in caplog.text


async def test_a_result_of_the_wrong_model_is_a_defect(serve: Serve, dial: Dial, dispatcher: Dispatcher) -> None:
    async def wrong(call: Call, params: Nothing) -> SwitchParams:
        return SwitchParams(service="x")

    dispatcher.register(LOOK, wrong)
    connection = await dial(await serve(dispatcher))
    with pytest.raises(HeroError) as caught:
        await connection.call("slot.look")
    assert caught.value.code == "internal"


async def test_a_person_s_error_of_a_handler_is_the_answer(
    serve: Serve, dial: Dial, dispatcher: Dispatcher
) -> None:
    async def refuse(call: Call, params: Nothing) -> Nothing:
        raise HeroError("denied", "Not yours.", hint="Ask its owner.")

    dispatcher.register(LOOK, refuse)
    connection = await dial(await serve(dispatcher))
    with pytest.raises(HeroError) as caught:
        await connection.call("slot.look")
    assert (caught.value.code, caught.value.hint) == ("denied", "Ask its owner.")


@pytest.mark.parametrize(("method", "ends"), [(CHANGE, "finished"), (LOOK, "cancelled")])
async def test_only_a_change_goes_on_when_its_caller_leaves(
    serve: Serve, dial: Dial, dispatcher: Dispatcher, method: Method, ends: str
) -> None:
    started, gate = asyncio.Event(), asyncio.Event()
    end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work(call: Call, params: Nothing) -> Nothing:
        started.set()
        try:
            await gate.wait()
        except asyncio.CancelledError:
            end.set_result("cancelled")
            raise
        end.set_result("finished")
        return Nothing()

    dispatcher.register(method, work)
    server = await serve(dispatcher)
    connection = await dial(server)
    call = asyncio.create_task(connection.call(method.name))
    async with asyncio.timeout(20):
        await started.wait()
        (theirs,) = server.connections
        await connection.close()
        await theirs.wait_lost()
        gate.set()
        assert await end == ends
        with pytest.raises(HeroError):
            await call


async def test_ping_tells_who_answers(serve: Serve, dial: Dial, dispatcher: Dispatcher) -> None:
    connection = await dial(await serve(dispatcher))
    assert await connection.call("rpc.ping") == {"pid": os.getpid(), "version": "0.1", "name": "hero_testd"}


async def test_discover_answers_the_registered_methods(serve: Serve, dial: Dial, dispatcher: Dispatcher) -> None:
    connection = await dial(await serve(dispatcher))
    found = await connection.call("rpc.discover")
    assert [method["name"] for method in found["methods"]] == ["slot.switch"]


@pytest.mark.parametrize("name", ["slot.switch", "rpc.ping", "rpc.discover"])
def test_a_name_is_registered_once(dispatcher: Dispatcher, name: str) -> None:
    taken: Any = Method(name, "slot", SwitchParams, SwitchResult, "Again.", False)
    with pytest.raises(ValueError, match=name):
        dispatcher.register(taken, switch)
