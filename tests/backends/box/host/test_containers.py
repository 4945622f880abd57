"""Containers one by one from an engine's own API: what they are and take, whatever the engine answers or names."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backends.box.host import containers as looking
from backends.box.host import engine_api
from backends.box.host.containers import Containers
from backends.box.host.engine import look_at
from backends.model.containers import Container, ContainerReport, EngineContainers
from tests.backends.box.conftest import MadeBox
from tests.backends.box.conftest import box as box
from tests.backends.box.host.fake_engine import FakeEngine, container_id, http, listed, stats_of

MB = 1_000_000


def some_engine() -> FakeEngine:
    """A stack of two, one of them ended, and a container of nobody's."""
    ports = [
        {"IP": "0.0.0.0", "PrivatePort": 993, "PublicPort": 993, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 993, "PublicPort": 993, "Type": "tcp"},
        {"PrivatePort": 143, "Type": "tcp"},
    ]
    return FakeEngine(
        containers=[
            listed(1, "mailcow-dovecot-1", "mailcow/dovecot:2.3", stack="mailcow", Ports=ports),
            listed(2, "mailcow-clamd-1", "mailcow/clamd:1.66", stack="mailcow", state="exited"),
            listed(3, "registry", "registry:2"),
        ],
        stats={
            container_id(1): stats_of(120 * MB, 5_000_000_000, cached=80 * MB),
            container_id(3): stats_of(20 * MB, 0),
        },
        df={"LayersSize": 5, "Containers": [{"Id": container_id(1), "SizeRw": 30 * MB, "State": "running"}]},
    )


def at(path: Path, sizes: dict[str, int] | None = None) -> Containers:
    return Containers(lambda: sizes or {}, lambda: [("docker", path)])


async def seen(engine: FakeEngine, path: Path) -> EngineContainers:
    async with engine.listening(path):
        return (await at(path).report()).engines[0]


async def test_each_container_is_told_with_its_stack_state_ports_and_memory(short_dir: Path) -> None:
    engine, path = some_engine(), short_dir / "e.sock"
    async with engine.listening(path):
        told = (await at(path, {container_id(1): 30 * MB}).report()).engines[0]
    assert (told.name, told.version, told.problem, told.more) == ("docker", "27.1.1", "", 0)
    dovecot, clamd, registry = told.containers
    assert (dovecot.id, dovecot.name, dovecot.image) == (
        container_id(1)[:12],
        "mailcow-dovecot-1",
        "mailcow/dovecot:2.3",
    )
    assert (dovecot.stack, dovecot.service, dovecot.folder) == ("mailcow", "dovecot", "/opt/mailcow")
    assert (dovecot.state, dovecot.status, dovecot.ports) == ("running", "Up 3 hours (healthy)", "993→993/tcp")
    assert (dovecot.memory, dovecot.memory_limit, dovecot.size) == (120 * MB, 33_000 * MB, 30 * MB)
    assert dovecot.created_at == datetime.fromtimestamp(1_763_000_001, UTC)
    assert (clamd.state, clamd.memory, clamd.cpu) == ("exited", None, None)
    assert (registry.stack, registry.memory) == ("", 20 * MB)
    assert {line.split()[0] for line in engine.asked} == {"GET"}
    assert not any(container_id(2) in line for line in engine.asked)


async def test_the_processor_is_what_was_used_between_two_looks(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, path = some_engine(), short_dir / "e.sock"
    monkeypatch.setattr(looking, "FRESH_SECONDS", -1.0)
    clock = iter(float(number) for number in range(0, 1000, 2))
    monkeypatch.setattr(looking, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    containers = at(path)
    async with engine.listening(path):
        first = (await containers.report()).engines[0].containers
        engine.stats[container_id(1)] = stats_of(120 * MB, 25_000_000_000)
        second = (await containers.report()).engines[0].containers
        engine.stats[container_id(1)] = stats_of(120 * MB, 1_000)
        restarted = (await containers.report()).engines[0].containers
    assert first[0].cpu is None
    assert (second[0].cpu or 0.0) > 100
    assert second[2].cpu == 0.0
    assert restarted[0].cpu is None


async def test_whoever_asks_at_once_gets_one_answer(short_dir: Path) -> None:
    engine, path = some_engine(), short_dir / "e.sock"
    containers = at(path)
    async with engine.listening(path):
        told = await asyncio.gather(*(containers.report() for _ in range(5)))
    assert all(one is told[0] for one in told)
    assert sum("/containers/json" in line for line in engine.asked) == 1


async def test_the_sizes_come_from_the_last_measurement(short_dir: Path) -> None:
    engine, path, sizes = some_engine(), short_dir / "e.sock", dict[str, int]()
    async with engine.listening(path):
        report = await look_at("docker", path, sizes)
    assert report.problem == ""
    assert sizes == {container_id(1): 30 * MB}


async def test_five_hundred_containers_are_listed_and_a_hundred_of_them_measured_a_few_at_once(
    short_dir: Path,
) -> None:
    many = [listed(number, f"load-{number}", "load:1", stack="load") for number in range(1, 501)]
    engine = FakeEngine(many, {container_id(number): stats_of(MB, 1) for number in range(1, 501)})
    told = await seen(engine, short_dir / "e.sock")
    assert len(told.containers) == 500
    assert sum(one.memory is not None for one in told.containers) == looking.MEASURED_MOST
    assert engine.most_at_once <= 8


async def test_more_than_can_be_shown_are_counted(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "MOST", 2)
    told = await seen(some_engine(), short_dir / "e.sock")
    assert (len(told.containers), told.more) == (2, 1)


async def test_names_lose_their_escapes(short_dir: Path) -> None:
    evil = listed(
        1,
        "a\x1b]0;x\x07b\u202e",
        "im\x1b[2Jage",
        stack="st\x9b1mack",
        Status="Up\r\n\x1b[31m 1 hour",
        Ports=[{"PublicPort": 80, "PrivatePort": 80, "Type": "t\x1bccp"}],
    )
    (one,) = (await seen(FakeEngine([evil]), short_dir / "e.sock")).containers
    assert not set(one.model_dump_json()) & set("\x1b\x07\u202e\x9b\r\n")
    assert (one.name[:2], one.image, one.stack) == ("ab", "image", "stack")


LIES: dict[str, Any] = {
    "no name": {"Names": None},
    "names of another kind": {"Names": "x"},
    "labels of another kind": {"Labels": "x"},
    "ports of another kind": {"Ports": [1, {"PublicPort": "80"}, {"PublicPort": -3}]},
    "a state that there is not": {"State": ["running"], "Status": 5},
    "a time beyond all": {"Created": 10**17},
    "a time in words": {"Created": "yesterday"},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_a_container_that_is_told_wrongly_is_listed_all_the_same(lie: Any, short_dir: Path) -> None:
    told = await seen(FakeEngine([listed(1, "x", "y:1", **lie), listed(2, "z", "y:1")]), short_dir / "e.sock")
    assert told.problem == ""
    assert len(told.containers) == 2
    for one in told.containers:
        assert Container.model_validate(one.model_dump(mode="json")) == one


@pytest.mark.parametrize("id", [None, 7, "", "../../images/prune", "0" * 200, "A" * 64])
async def test_what_has_no_id_of_a_container_is_left_out_and_not_asked_for(id: object, short_dir: Path) -> None:
    engine = FakeEngine([listed(1, "x", "y:1", Id=id)])
    told = await seen(engine, short_dir / "e.sock")
    assert (told.containers, told.problem) == ((), "")
    assert len(engine.asked) == 2


@pytest.mark.parametrize(
    "stats",
    [
        [],
        {"memory_stats": {"usage": "much"}, "cpu_stats": []},
        {"memory_stats": {"usage": -5, "stats": {"inactive_file": 10**30}}},
        {"memory_stats": {"usage": True}, "cpu_stats": {"cpu_usage": {"total_usage": 10**40}}},
    ],
)
async def test_figures_that_cannot_be_are_none(stats: Any, short_dir: Path) -> None:
    engine = FakeEngine([listed(1, "x", "y:1")], {container_id(1): stats})
    (one,) = (await seen(engine, short_dir / "e.sock")).containers
    assert (one.cpu, one.memory) == (None, None)


@pytest.mark.parametrize(
    "broken", [http(b"<html>"), http({"message": "x"}, 500), b"\x00 nonsense\r\n\r\n", b"", None]
)
async def test_figures_that_do_not_come_leave_the_list_whole(
    broken: bytes | None, short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_STATS_SECONDS", 0.3)
    engine = some_engine()
    usual = engine.answer_to
    engine.answer = lambda target: broken if "/stats" in target else usual(target)
    told = await seen(engine, short_dir / "e.sock")
    assert (told.problem, [one.memory for one in told.containers]) == ("", [None, None, None])


@pytest.mark.parametrize(
    "answer", [http(b"<html>"), http({"containers": 3}), http([], 500), b"\x00\x01 nonsense\r\n\r\n", b""]
)
async def test_what_is_no_engine_is_a_problem_and_no_error(answer: bytes, short_dir: Path) -> None:
    engine = some_engine()
    usual = engine.answer_to
    engine.answer = lambda target: answer if "json" in target else usual(target)
    told = await seen(engine, short_dir / "e.sock")
    assert told.problem
    assert told.containers == ()


async def test_an_engine_that_went_away_and_one_that_is_slow_say_so(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = short_dir / "e.sock"
    async with some_engine().listening(path):
        pass
    assert "does not answer" in (await at(path).report()).engines[0].problem
    path.unlink(missing_ok=True)
    assert (await at(path).report()).engines == ()
    monkeypatch.setattr(engine_api, "QUICK_SECONDS", 0.05)
    told = await seen(FakeEngine(answer=lambda _: None), path)
    assert "does not answer" in told.problem


async def test_a_box_answers_for_its_engines(
    box: MadeBox, short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, path = some_engine(), short_dir / "e.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    box.boxd()
    client = await box.client()
    async with engine.listening(path):
        told = ContainerReport.model_validate(await client.call("host.containers"))
    assert [one.name for one in told.engines[0].containers] == ["mailcow-dovecot-1", "mailcow-clamd-1", "registry"]
