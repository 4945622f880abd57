"""Secrets of a process: they cross to the supervising process, and show nowhere on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.supervisors.base import ProcessSpec
from backends.supervisors.supervisord_wire import spec_from_json, spec_to_json

PLAIN = ProcessSpec("web", ("run",), Path("/w"), {"A": "1"}, Path("/l"))
SECRET = replace(PLAIN, secret_env={"KEY": "hush-hush"})


def test_a_secret_crosses_the_wire_and_does_not_show_in_the_spec() -> None:
    assert spec_from_json(spec_to_json(SECRET)) == SECRET
    assert "hush" not in repr(SECRET) + str(SECRET)


def test_a_spec_without_secrets_is_what_earlier_versions_take() -> None:
    assert "secret_env" not in json.loads(spec_to_json(PLAIN))
    assert spec_from_json(spec_to_json(PLAIN)) == PLAIN


@pytest.mark.parametrize("bad", [{"KEY": "hush-hush\0"}, {"": "hush-hush"}, {"A=hush": "hush-hush"}])
def test_a_secret_that_no_process_could_have_is_refused_unseen(bad: dict[str, str]) -> None:
    with pytest.raises(HeroError) as caught:
        replace(PLAIN, secret_env=bad)
    assert caught.value.code == "usage"
    assert "hush-hush" not in str(caught.value)
