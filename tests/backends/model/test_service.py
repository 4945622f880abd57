"""Service descriptions and the order in which services start."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.model.service import ServiceDescription, fill, secrets_named, start_order
from backends.model.tomlfile import InvalidFile, Problem, parse

CONTRACT = """
schema = 1
name = "hero_slides"
[build]
command   = "cargo build --release --target x86_64-unknown-linux-musl"
artifacts = ["target/x86_64-unknown-linux-musl/release/hero_slides"]
platform  = "linux-musl-x86_64"
env = { }
timeout = "30m"
[run]
command = ["bin/hero_slides", "--socket", "{socket:web}"]
sockets = ["web", "rpc"]
env = { RUST_LOG = "info", KEY = "{secret:OPENAI_API_KEY}" }
restart = "on-failure"
stop_timeout = "10s"
depends_on = ["hero_db"]
memory_max = "2G"
[health]
http = "/health"
interval = "10s"
timeout = "5s"
start_timeout = "30s"
"""
SMALL = 'schema = 1\nname = "a"\n[run]\ncommand = ["bin/a"]\n'


def problems(text: str) -> list[Problem]:
    with pytest.raises(InvalidFile) as caught:
        parse(ServiceDescription, text, "hero_service.toml")
    return list(caught.value.problems)


def test_the_description_of_the_contract_is_read() -> None:
    service = parse(ServiceDescription, CONTRACT, "s.toml")
    assert service.build
    assert service.build.timeout == 1800
    assert service.run.command == ("bin/hero_slides", "--socket", "{socket:web}")
    assert service.run.memory_max == 2 * 1024**3
    assert (service.health.interval, service.health.timeout, service.health.start_timeout) == (10, 5, 30)
    assert secrets_named(service.run.env) == {"OPENAI_API_KEY"}
    assert fill(service.run.command[2], sockets={"web": "/x", "rpc": "/y"}, home="/h", var="/v") == "/x"


def test_a_service_needs_no_more_than_a_command() -> None:
    service = parse(ServiceDescription, SMALL, "s.toml")
    assert service.build is None
    assert (service.run.restart, service.run.stop_timeout, service.run.sockets) == ("on-failure", 10, ())
    assert (service.health.interval, service.health.timeout, service.health.start_timeout) == (10, 5, 30)
    assert (service.health.http, service.health.command, service.health.socket) == (None, None, False)


def test_a_description_without_run_is_an_error() -> None:
    (problem,) = problems('schema = 1\nname = "a"\n')
    assert (problem.key, problem.found) == ("run", "nothing")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('artifacts = ["target', 'artifacts = ["/target', "build.artifacts[0]"),
        ('artifacts = ["target', 'artifacts = ["../target', "build.artifacts[0]"),
        (
            'artifacts = ["target/x86_64-unknown-linux-musl/release/hero_slides"]',
            "artifacts = []",
            "build.artifacts",
        ),
        ('"linux-musl-x86_64"', '"windows"', "build.platform"),
        ('"30m"', '"30 minutes"', "build.timeout"),
        ('"30m"', '"0s"', "build.timeout"),
        ('"cargo build --release --target x86_64-unknown-linux-musl"', '" "', "build.command"),
        ("env = { }", 'env = { "A=B" = "x" }', 'build.env."A=B"'),
        ('"bin/hero_slides"', '"hero_slides"', "run.command"),
        ('"bin/hero_slides"', '"bin/../../x"', "run.command"),
        ('"bin/hero_slides"', '"/usr/../x"', "run.command"),
        ('"--socket"', '"\\u0000"', "run.command[1]"),
        ("{socket:web}", "{socket:wbe}", "run.command"),
        ("{socket:web}", "{secret:X}", "run.command"),
        ("{secret:OPENAI_API_KEY}", "{nope}", "run.env"),
        ('["web", "rpc"]', '["web", "web"]', "run.sockets"),
        ('["web", "rpc"]', '["web", "../x"]', "run.sockets[1]"),
        ('"on-failure"', '"on-failrue"', "run.restart"),
        ('["hero_db"]', '["hero_slides"]', "run"),
        ('["hero_db"]', '["Hero"]', "run.depends_on[0]"),
        ('"2G"', '"lots"', "run.memory_max"),
        ('http = "/health"', 'http = "health"', "health.http"),
        ('http = "/health"', 'http = "/a b"', "health.http"),
        ('http = "/health"', 'http = "/health"\nsocket = true', "health.socket"),
        ('http = "/health"', 'http = "/health"\ncommand = ["bin/x"]', "health.command"),
        ('http = "/health"', 'command = ["bin/x", "{socket:db}"]', "health"),
        ('http = "/health"', 'command = ["x"]', "health.command"),
        ('["web", "rpc"]\n', '["rpc"]\n', "run.command"),
    ],
)
def test_a_bad_value_is_reported_at_its_key(old: str, new: str, key: str) -> None:
    assert old in CONTRACT
    text = CONTRACT.replace(old, new)
    found = problems(text)
    assert [problem.key for problem in found] == [key]
    assert found[0].line > 1


def test_health_over_http_or_a_socket_needs_that_socket() -> None:
    for health in ('http = "/x"', "socket = true"):
        (problem,) = problems(SMALL + f"[health]\n{health}\n")
        assert (problem.line, problem.key) == (5, "health")
    assert parse(ServiceDescription, SMALL + "[health]\nsocket = false\n", "s.toml").health.socket is False


def test_services_start_after_what_they_need_and_otherwise_by_name() -> None:
    services = {"web": ["db", "api"], "api": ["db"], "db": [], "a": [], "z": ["elsewhere"]}
    assert start_order(services) == ["a", "db", "z", "api", "web"]


@pytest.mark.parametrize(
    ("services", "cycle"),
    [
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, {"a", "b", "c"}),
        ({"a": ["a"]}, {"a"}),
        ({"x": ["a"], "a": ["b"], "b": ["a"]}, {"a", "b"}),
    ],
)
def test_a_circle_is_an_error_that_names_it(services: dict[str, list[str]], cycle: set[str]) -> None:
    with pytest.raises(HeroError, match="circle") as caught:
        start_order(services)
    named = caught.value.data["cycle"]
    assert set(named) == cycle
    assert named[0] == named[-1]
    assert all(after in services[before] for before, after in pairwise(named))


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh"))))
def test_an_order_puts_every_service_once_after_its_needs(services: dict[str, set[str]]) -> None:
    try:
        order = start_order(services)
    except HeroError:
        return
    assert sorted(order) == sorted(services)
    for name, needs in services.items():
        assert all(order.index(need) < order.index(name) for need in needs if need in services)


def test_a_long_chain_is_ordered_too() -> None:
    chain = {f"s{n}": [f"s{n + 1}"] for n in range(5000)}
    assert start_order(chain)[0] == "s4999"
