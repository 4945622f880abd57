"""A canned box, and `hero_dev` on it in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hero_tui.cli import main
from tests.hero_tui.verbs.canned import Canned, canned_box


@pytest.fixture
def box() -> Iterator[Canned]:
    with canned_box() as found:
        yield found


class Line:
    """`hero_dev` in alice's slot of a canned box."""

    def __init__(self, box: Canned, capsys: pytest.CaptureFixture[str]):
        self.box = box
        self._capsys = capsys

    def says(self, *words: str, code: int = 0) -> str:
        """What it prints, standard output before standard error."""
        assert main(["--box", str(self.box.root), "--slot", "alice", *words]) == code, self._capsys.readouterr()
        told = self._capsys.readouterr()
        assert "\x1b" not in told.out
        return told.out + told.err

    def answers(self, *words: str, code: int = 0) -> Any:
        """Its JSON, all of standard output."""
        ended = main(["--box", str(self.box.root), "--slot", "alice", *words, "--json"])
        told = self._capsys.readouterr()
        assert ended == code, told
        return json.loads(told.out)


@pytest.fixture
def hero_dev(box: Canned, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("HERO_FORGE_URL", raising=False)
    return Line(box, capsys)
