"""Where an archive says that it comes from."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from backends.model.provenance import Provenance, from_json, to_json
from backends.model.tomlfile import InvalidFile

SHA = "0123456789abcdef" * 4


def provenance(**values: object) -> Provenance:
    known: dict[str, Any] = {
        "repo": "org/a",
        "branch": "development",
        "commit": "a" * 40,
        "builder": "hero_builder 0.1.0",
        "platform": "linux-musl-x86_64",
        "command": "make\tall\n",
        "started": datetime(2026, 11, 20, 10, tzinfo=UTC),
        "finished": datetime(2026, 11, 20, 12, 1, tzinfo=timezone(timedelta(hours=2))),
        "files": {"bin/a": SHA, "share/é": SHA},
    }
    return Provenance(**{**known, **values})


def test_it_is_read_back() -> None:
    assert from_json(to_json(provenance())) == provenance()


def test_equal_values_give_equal_bytes() -> None:
    turned = provenance(files={"share/é": SHA, "bin/a": SHA}, finished=datetime(2026, 11, 20, 10, 1, tzinfo=UTC))
    assert to_json(turned) == to_json(provenance())
    assert json.loads(to_json(turned))["finished"] == "2026-11-20T10:01:00Z"
    assert to_json(turned).startswith('{\n  "branch"')


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 2),
        ("dirty", True),
        ("commit", "a"),
        ("repo", "../x"),
        ("branch", "-x"),
        ("started", "yesterday"),
        ("started", "2026-11-20T10:00:00"),
        ("files", {"../x": SHA}),
        ("files", {"bin/a": "x"}),
        ("builder", "a\u001b[2J"),
        ("platform", "x"),
        ("more", 1),
    ],
)
def test_anything_wrong_is_an_invalid_file(key: str, value: object) -> None:
    data = {**json.loads(to_json(provenance())), key: value}
    with pytest.raises(InvalidFile) as caught:
        from_json(json.dumps(data), "x.tar.gz/provenance.json")
    assert caught.value.problems[0].key.startswith(key)
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", "[" * 100000, '{"repo": "org/a"}'])
def test_what_is_no_provenance_is_an_invalid_file(text: str) -> None:
    with pytest.raises(InvalidFile):
        from_json(text)


@pytest.mark.parametrize("key", ["schema", "dirty", "commit"])
def test_every_key_must_be_there(key: str) -> None:
    data = json.loads(to_json(provenance()))
    del data[key]
    with pytest.raises(InvalidFile, match=f"{key}: found nothing"):
        from_json(json.dumps(data))
