"""Which slot is meant where nobody says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.client.locate import locate


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A box with one slot, of nobody who could be logged in."""
    monkeypatch.delenv("HERO_SLOT", raising=False)
    monkeypatch.delenv("HERO_BOX", raising=False)
    (tmp_path / "box.toml").write_text("schema = 1\n")
    _make_slot(tmp_path, "the-only-one")
    return tmp_path


def _make_slot(box: Path, user: str) -> None:
    (box / "home" / user / "hero").mkdir(parents=True)


def test_the_only_slot_of_a_box_is_meant_whoever_asks(box: Path) -> None:
    assert locate(str(box)).user == "the-only-one"


def test_of_several_slots_only_that_of_the_login_is_meant(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _make_slot(box, "another")
    assert locate(str(box)).user == ""
    monkeypatch.setattr("getpass.getuser", lambda: "another")
    assert locate(str(box)).user == "another"
