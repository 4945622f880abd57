"""Which installed versions of the software a bootstrap leaves on the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.setup import software


def test_the_oldest_versions_go_and_what_is_no_version_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software, "OPT", tmp_path)
    names = ["a" * 12, "b" * 12, "c" * 12, "d" * 12, "notes", "0123456789AB"]
    for age, name in enumerate(names):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1_000_000 - age, 1_000_000 - age))
    assert [folder.name for folder in software._old("d" * 12)] == ["c" * 12]
    assert [folder.name for folder in software._old("a" * 12)] == ["d" * 12]


def test_a_new_machine_has_nothing_to_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "OPT", tmp_path / "none")
    assert software._old("a" * 12) == []
