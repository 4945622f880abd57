"""The record of what was asked: added to, turned over, seldom about the same, never with a key."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from backends.broker import audit as audit_module
from backends.broker.audit import FILES, Audit, shown_session
from backends.model.errors import HeroError


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_lines_are_added_and_told(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    path = tmp_path / "audit.jsonl"
    for number in range(2):
        await Audit(path, Clock(), told.append).add("claude_key.get", ok=True, number=number)
    assert lines(path) == told
    assert [line["number"] for line in told] == [0, 1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_same_is_recorded_once_a_minute(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "audit.jsonl"
    audit = Audit(path, clock, lambda _: None)
    for seconds in (0, 30, 29, 2, 1):
        clock.now += seconds
        await audit.add_seldom(1000, 403, kind="relay.refused", sentence="No.")
        await audit.add_seldom(1001, 403, kind="relay.refused", sentence="No.")
    assert len(lines(path)) == 4


async def test_a_long_record_is_turned_over_and_the_oldest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "FILE_BYTES", 50)
    audit = Audit(tmp_path / "audit.jsonl", Clock(), lambda _: None)
    for number in range(FILES + 3):
        await audit.add("claude_key.get", ok=True, number=number)
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == [f"audit.jsonl.{number}" for number in range(1, FILES + 1)]
    assert lines(kept[0])[0]["number"] == FILES + 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
async def test_on_a_full_disk_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Audit, "_open", lambda _: os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(HeroError) as caught:
        await Audit(tmp_path / "audit.jsonl", Clock(), lambda _: None).add("claude_key.get", ok=True)
    assert caught.value.code == "no_space"


async def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HeroError):
        await Audit(tmp_path / "audit.jsonl", Clock(), lambda _: None).add("claude_key.get", ok=True)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("session", "shown"),
    [
        ("sara/0192-abc", "sara/0192-abc"),
        ("", ""),
        ("sara/sk-ant-api03-x", "(not shown)"),
        ("\x1b[31m", "(not shown)"),
        ("a b", "(not shown)"),
    ],
)
def test_odd_names_of_sessions_are_not_shown(session: str, shown: str) -> None:
    assert shown_session(session) == shown
