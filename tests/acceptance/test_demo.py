"""The demo: a whole box from nothing, brought up again without work, made anew when asked or cut off."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.short_folder import short_folder

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with short_folder() as folder:
        made = demo(folder / "ä demo")
        assert made.returncode == 0, made.stdout + made.stderr
        assert "hero_dev" in made.stdout
        assert "hero_voice" in made.stdout
        yield folder / "ä demo"
        subprocess.run([BIN / "hero_dev", "--box", folder / "ä demo", "box", "down"], check=False)


def demo(root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "hero_tui", "demo", "--dir", root, "--no-open", *more],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def fleet(root: Path) -> dict[tuple[str, str], dict[str, Any]]:
    said = subprocess.run(
        [BIN / "hero_dev", "--box", root, "status", "--all", "--json"], capture_output=True, text=True, check=True
    )
    slots = json.loads(said.stdout)["slots"]
    return {(slot["slot"], one["service"]): one for slot in slots for one in slot["services"]}


def looked_at(root: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The fleet once its slots have looked at the forge and their worktrees, which they do by themselves."""
    meant = {("alice", "hero_mail"): "behind", ("thabet", "hero_books"): "modified"}
    deadline = time.monotonic() + 60
    while True:
        cells = fleet(root)
        if {key: cells[key]["drift"] for key in meant} == meant or time.monotonic() > deadline:
            return cells
        time.sleep(0.5)


def test_the_demo_makes_a_box_in_which_everything_is_as_it_is_meant(root: Path) -> None:
    cells = looked_at(root)
    assert {user for user, _ in cells} == {"alice", "mik", "thabet", "integration"}
    assert len({service for _, service in cells}) == 7
    odd = {
        key: one["health"] for key, one in cells.items() if one["health"] != "healthy" and key[1] != "hero_voice"
    }
    assert odd == {("thabet", "hero_search"): "stopped"}
    assert cells["mik", "hero_books"]["build"]["state"] == "failed"
    assert cells["mik", "hero_router"]["branch"] == "development_mik"
    assert cells["alice", "hero_db"]["drift"] == "pinned"
    newest = json.dumps([cells["alice", "hero_mail"], cells["integration", "hero_mail"]], indent=1)
    assert cells["alice", "hero_mail"]["drift"] == "behind", newest
    assert cells["thabet", "hero_books"]["drift"] == "modified"


def test_the_service_that_crashes_is_given_up_with_its_reason(root: Path) -> None:
    deadline = time.monotonic() + 60
    while (cell := fleet(root)["thabet", "hero_voice"])["health"] != "crashed" or "given up" not in cell["reason"]:
        assert time.monotonic() < deadline, json.dumps(cell, indent=1)
        time.sleep(0.2)
    assert cell["exit_code"] == 101
    assert "panicked" in cell["last_log"]


def test_a_second_run_makes_nothing_anew(root: Path) -> None:
    pids = {key: one["pid"] for key, one in fleet(root).items() if key[1] != "hero_voice"}
    again = demo(root)
    assert again.returncode == 0
    assert "Making" not in again.stdout
    assert {key: one["pid"] for key, one in fleet(root).items() if key[1] != "hero_voice"} == pids


def test_a_demo_that_was_cut_off_is_made_anew() -> None:
    with short_folder() as folder:
        root = folder / "box"
        cut = subprocess.Popen(
            [BIN / "hero_tui", "demo", "--dir", root, "--no-open"], stdout=subprocess.PIPE, start_new_session=True
        )
        assert cut.stdout is not None
        while b"four slots" not in cut.stdout.readline():
            assert cut.poll() is None
        cut.kill()
        cut.wait()
        cut.stdout.close()
        assert (root / ".hero-demo").read_text() == "unfinished\n"
        again = demo(root)
        assert again.returncode == 0, again.stdout + again.stderr
        assert "Making" in again.stdout
        subprocess.run([BIN / "hero_dev", "--box", root, "box", "down"], check=True)


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for more in ((), ("--reset",)):
        refused = demo(tmp_path, *more)
        assert refused.returncode == 1
        assert "the demo did not make it" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
