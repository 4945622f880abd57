"""Docker and Podman over their sockets: what they hold and which stacks run, whatever they answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from backends.box.host import engine, engine_api
from backends.box.host.engine import look_at, look_at_engines
from backends.model.host import ComposeStack, EngineReport

VERSION = {"Version": "27.1.1", "ApiVersion": "1.46", "MinAPIVersion": "1.24", "Components": [{"Name": "Engine"}]}


def container(project: str = "", state: str = "running", size: int = 0) -> dict[str, Any]:
    labels = {"com.docker.compose.project": project, "com.docker.compose.project.working_dir": f"/srv/{project}"}
    return {"Labels": labels if project else {}, "State": state, "SizeRw": size}


CONTAINERS = [container("shop"), container("shop", "exited"), container("wiki"), container()]
DF = {
    "LayersSize": 900,
    "Images": [
        {"Size": 500, "SharedSize": 100, "Containers": 2},
        {"Size": 300, "SharedSize": 100, "Containers": 0},
        {"Size": 200, "SharedSize": -1, "Containers": -1},
    ],
    "Containers": [container("shop", size=50), container("shop", "exited", 30)],
    "Volumes": [
        {"UsageData": {"Size": 70, "RefCount": 1}},
        {"UsageData": {"Size": 40, "RefCount": 0}},
        {"UsageData": None},
    ],
    "BuildCache": [{"Size": 20, "InUse": False, "Shared": False}, {"Size": 5, "InUse": True, "Shared": True}],
}
ANSWERS = {"/version": VERSION, "/v1.44/containers/json?all=1": CONTAINERS, "/v1.44/system/df": DF}

Answer = Callable[[str], bytes | None]


@asynccontextmanager
async def listening(path: Path, answer: Answer) -> AsyncIterator[list[str]]:
    """An engine whose whole answer to a path is what `answer` gives, None: never; the requests, as they came."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.splitlines()[0])
        if (body := answer(head.split()[1])) is None:
            await asyncio.sleep(60)
        else:
            writer.write(body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield asked
    finally:
        server.close()


def http(value: object, status: int = 200) -> bytes:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body)


def from_table(answers: Mapping[str, object]) -> Answer:
    return lambda path: http(answers[path]) if path in answers else http({"message": "page not found"}, 404)


async def report(path: Path, answer: Answer) -> EngineReport:
    async with listening(path, answer):
        return await look_at("docker", path)


async def test_images_containers_volumes_and_stacks_are_told(short_dir: Path) -> None:
    async with listening(short_dir / "e.sock", from_table(ANSWERS)) as asked:
        told = await look_at("docker", short_dir / "e.sock")
    assert told.problem == ""
    assert (told.name, told.version) == ("docker", "27.1.1")
    uses = {one.kind: (one.count, one.active, one.size, one.reclaimable) for one in told.uses}
    assert uses == {
        "images": (3, 1, 900, 400),
        "containers": (2, 1, 80, 30),
        "volumes": (3, 1, 110, 40),
        "build cache": (2, 1, 20, 20),
    }
    assert told.stacks == (
        ComposeStack(name="shop", containers=2, running=1, folder="/srv/shop"),
        ComposeStack(name="wiki", containers=1, running=1, folder="/srv/wiki"),
    )
    assert told.loose == 1
    assert {line.split()[0] for line in asked} == {"GET"}


async def test_podman_is_known_by_what_it_says_and_asked_by_its_own_version(short_dir: Path) -> None:
    version = {"Version": "4.9.3", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}
    answers = {"/version": version, "/v1.41/containers/json?all=1": [], "/v1.41/system/df": {}}
    told = await report(short_dir / "e.sock", from_table(answers))
    assert (told.name, told.problem, told.stacks) == ("podman", "", ())


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: http(b"<html>"),
        lambda _: http([1, 2]),
        lambda _: http(b"[" * 100_000),
        lambda _: http({"Version": "1"}, 500),
        lambda _: b"\x00\x01 nonsense\r\n\r\n",
        lambda _: b"",
        from_table({**ANSWERS, "/v1.44/system/df": {"LayersSize": "many"}}),
        from_table({**ANSWERS, "/v1.44/containers/json?all=1": [{"Labels": "x"}]}),
    ],
)
async def test_what_is_no_engine_is_a_problem_and_no_error(answer: Answer, short_dir: Path) -> None:
    told = await report(short_dir / "e.sock", answer)
    assert told.problem


async def test_escapes_in_names_are_harmless(short_dir: Path) -> None:
    answers = {**ANSWERS, "/v1.44/containers/json?all=1": [container("a\x1b]0;x\x07b")]}
    told = await report(short_dir / "e.sock", from_table(answers))
    assert told.stacks[0].name == "ab"


async def test_an_answer_without_end_is_given_up(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_api, "LIMIT", 1000)
    told = await report(short_dir / "e.sock", from_table({"/version": {"Version": "x" * 5000}}))
    assert told.problem


async def test_an_engine_that_does_not_answer_holds_nobody_up(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_api, "QUICK_SECONDS", 0.05)
    told = await report(short_dir / "e.sock", lambda _: None)
    assert "does not answer" in told.problem


async def test_one_that_is_slow_to_add_up_still_tells_its_stacks(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_DF_SECONDS", 0.05)
    quick = from_table(ANSWERS)
    told = await report(short_dir / "e.sock", lambda path: None if path.endswith("df") else quick(path))
    assert "in time" in told.problem
    assert len(told.stacks) == 2


async def test_the_same_socket_by_two_names_is_one_engine_and_none_is_none(short_dir: Path) -> None:
    (short_dir / "link.sock").symlink_to("e.sock")
    (short_dir / "file.sock").touch()
    names = [("docker", short_dir / name) for name in ("e.sock", "link.sock", "file.sock", "gone.sock")]
    async with listening(short_dir / "e.sock", from_table(ANSWERS)):
        assert len(await look_at_engines(names)) == 1
    assert "does not answer" in (await look_at_engines(names))[0].problem
    assert await look_at_engines(names[2:]) == ()
