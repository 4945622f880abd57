"""Definitions of processes: what is refused, and that they cross the wire unchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.supervisors.base import ProcessSpec
from backends.supervisors.supervisord_wire import spec_from_json, spec_to_json

PLAIN = ProcessSpec("web", ("run",), Path("/w"), {}, Path("/l"))
TEXT = st.text(st.characters(exclude_characters="\0"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"argv": ()}, "no command"),
        ({"argv": ("",)}, "no command"),
        ({"argv": ("a\0b",)}, "NUL"),
        ({"env": {"A": "\0"}}, "NUL"),
        ({"env": {"A=B": ""}}, "A=B"),
        ({"env": {"": ""}}, "environment variable"),
        ({"cwd": Path("here")}, "absolute"),
        ({"log": Path("here")}, "absolute"),
        ({"restart": "sometimes"}, "sometimes"),
        ({"stop_timeout": -1.0}, "-1"),
        ({"stop_timeout": float("nan")}, "nan"),
        ({"log_backups": -1}, "negative"),
    ],
)
def test_what_no_system_could_run_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(HeroError, match=why) as error:
        replace(PLAIN, **change)
    assert error.value.code == "usage"


@given(
    argv=st.lists(TEXT, min_size=1).filter(lambda argv: bool(argv[0])),
    env=st.dictionaries(TEXT.filter(lambda key: bool(key) and "=" not in key), TEXT),
    folder=TEXT,
    memory=st.none() | st.integers(0),
)
def test_a_definition_crosses_the_wire_unchanged(
    argv: list[str], env: dict[str, str], folder: str, memory: int | None
) -> None:
    spec = replace(PLAIN, argv=tuple(argv), env=env, cwd=Path("/") / folder, memory_max=memory)
    text = spec_to_json(spec)
    assert text.isascii()
    assert text.isprintable()
    assert spec_from_json(text) == spec
