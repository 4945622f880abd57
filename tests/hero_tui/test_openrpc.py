"""The document of the calls is what the models say."""

from __future__ import annotations

import json
from pathlib import Path

from backends.model.calls import METHODS
from hero_tui.openrpc import text

DOCUMENT = Path(__file__).parents[2] / "docs" / "openrpc.json"


def test_the_openrpc_document_is_current() -> None:
    assert DOCUMENT.read_text() == text(), "run: python -m hero_tui.openrpc > docs/openrpc.json"


def test_every_call_is_documented_with_a_sentence() -> None:
    documented = {one["name"]: one for one in json.loads(DOCUMENT.read_text())["methods"]}
    for method in METHODS:
        assert documented[method.name]["summary"].endswith(".")
