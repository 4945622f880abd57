"""What a manifest says, and what it may not say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from backends.model.manifest import Binding, Manifest
from backends.model.tomlfile import InvalidFile, Problem, parse

COMMIT = "a1b2c3d4e5f6a7b8a1b2c3d4e5f6a7b8a1b2c3d4"
SHA = "0123456789abcdef" * 4

CONTRACT = f"""
schema = 1

[claude]
preference = "auto"            # auto | personal | org

[[bind]]
service = "hero_router"        # a service of the team repo's catalogue
repo    = "lhumina_code/hero_router"   # default: the catalogue's
branch  = "development"
from    = "release"            # release | build | hash
# hash  = "a1b2c3d4"           # required when from = "hash"
auto_rebuild = false           # a push to (repo, branch) rebuilds or pulls here
publish      = false           # builds of this binding are published
enabled      = true            # false: installed, not running

[state.hero_router]            # written by the slot only
hash = "{COMMIT}"
tag  = "development-a1b2c3d4"  # absent for unpublished builds
source = "release"
sha256 = "{SHA}"
installed_at = 2026-11-20T12:00:00+02:00
previous = "{COMMIT}"
previous_branch = "development_mik"
previous_source = "build"
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(InvalidFile) as caught:
        parse(Manifest, "schema = 1\n" + text, "m.toml")
    return list(caught.value.problems)


def bind(**values: str) -> str:
    return "[[bind]]\n" + "".join(f"{key.rstrip('_')} = {value}\n" for key, value in values.items())


def test_the_manifest_of_the_contract_is_read() -> None:
    manifest = parse(Manifest, CONTRACT, "m.toml")
    binding = Binding(
        service="hero_router", repo="lhumina_code/hero_router", branch="development", source="release"
    )
    assert manifest.bind == [binding]
    assert manifest.binding("hero_router") == binding
    assert manifest.binding("other") is None
    state = manifest.state["hero_router"]
    assert state.installed_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert state.installed_at.tzinfo is UTC
    assert (state.previous, state.previous_branch, state.previous_source) == (COMMIT, "development_mik", "build")


def test_an_empty_manifest_has_defaults() -> None:
    assert parse(Manifest, "schema = 1", "m.toml") == Manifest()


def test_a_service_bound_twice_names_both_lines() -> None:
    one = bind(service='"a"', branch='"b"', from_='"build"')
    (problem,) = problems(one + "\n" + one)
    assert (problem.line, problem.key) == (8, "bind[1].service")
    assert "line 3" in problem.expected


@pytest.mark.parametrize(
    ("source", "hash_line", "wrong"),
    [
        ("hash", "", True),
        ("hash", 'hash = "a1b2c3d"', False),
        ("hash", f'hash = "{COMMIT}"', False),
        ("hash", 'hash = "a1b2c3"', True),
        ("hash", 'hash = "A1B2C3D4"', True),
        ("release", 'hash = "a1b2c3d4"', True),
        ("build", 'hash = "a1b2c3d4"', True),
        ("build", "", False),
    ],
)
def test_a_hash_goes_with_from_hash_and_only_with_it(source: str, hash_line: str, wrong: bool) -> None:
    text = bind(service='"a"', branch='"b"', from_=f'"{source}"') + hash_line
    if wrong:
        assert [one.key for one in problems(text)] == ["bind[0].hash"]
    else:
        assert parse(Manifest, "schema = 1\n" + text, "m.toml").bind[0].source == source


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("service", '"A"'),
        ("repo", '"../x"'),
        ("branch", '"a..b"'),
        ("from", '"relaese"'),
        ("enabled", '"yes"'),
        ("publish", "1"),
        ("auto_rebuild", "[]"),
    ],
)
def test_a_bad_value_is_reported_at_its_key(key: str, value: str) -> None:
    values = {"service": '"a"', "branch": '"b"', "from": '"build"', key: value}
    (problem,) = problems("[[bind]]\n" + "".join(f"{name} = {text}\n" for name, text in values.items()))
    assert problem.key == f"bind[0].{key}"
    assert problem.line == 3 + list(values).index(key)
    assert problem.found != problem.expected


def test_a_misspelt_source_is_recognised() -> None:
    (problem,) = problems(bind(service='"a"', branch='"b"', from_='"relase"'))
    assert str(problem) == (
        'm.toml:5:1 bind[0].from: found "relase", expected "release" or "build" or "hash"; did you mean `release`?'
    )


def test_a_time_without_zone_and_a_bad_service_in_state_are_errors() -> None:
    found = problems(
        f'[state."B c"]\nhash="{COMMIT}"\nsource="build"\nsha256="{SHA}"\ninstalled_at=2026-11-20T10:00:00\n'
    )
    assert [one.line for one in found] == [2, 6]


def test_values_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Binding(service="a", branch="b", source="build").branch = "c"  # type: ignore[misc]
