"""What the tab key offers, and that it starts nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from backends.model.build_calls import BuildListResult
from backends.model.state import CatalogueEntry, FleetSnapshot
from hero_tui.verbs import VERBS, completion
from tests.hero_tui.render.replies import NOW, build, service, slot
from tests.hero_tui.verbs.canned import canned_box

ROOT = Path(__file__).parents[3]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A box whose daemons are down, with two slots."""
    (tmp_path / "box.toml").write_text("schema = 1\n")
    for user in ("alice", "mik"):
        (tmp_path / "home" / user / "hero").mkdir(parents=True)
    return tmp_path


# Who presses tab waits 0.4 s for a daemon; a busy machine may need more.
PATIENT = """
from hero_tui import cli
from hero_tui.verbs import completion

completion.ASK_SECONDS = 30.0
cli.main()
"""


def offered(line: str, box: Path) -> list[str]:
    """What argcomplete answers to a shell that has `line` before the cursor."""
    out = box / "completions"
    environment = {
        **os.environ,
        "HERO_BOX": str(box),
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(out),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    subprocess.run(
        [sys.executable, "-c", PATIENT], cwd=ROOT, env=environment, check=True, timeout=60, capture_output=True
    )
    return [word.strip() for word in out.read_text().splitlines()]


def test_verbs_and_options_are_offered(box: Path) -> None:
    assert offered("hero_dev ", box) == list(VERBS)
    assert offered("hero_dev re", box) == ["rebuild", "restart", "releases"]
    assert "--follow" in offered("hero_dev logs --", box)


def test_users_are_offered_where_no_daemon_runs(box: Path) -> None:
    assert offered("hero_dev peek ", box) == ["alice", "mik"]
    assert offered("hero_dev --slot m", box) == ["mik"]


def test_choices_are_offered(box: Path) -> None:
    assert offered("hero_dev box ", box) == ["up", "down", "status", "init", "backup"]
    assert offered("hero_dev switch hero_db --from ", box) == ["release", "build", "hash"]


def test_names_of_the_box_are_offered_where_its_daemon_runs() -> None:
    catalogue = (CatalogueEntry(name="hero_web", repo="lhumina_code/hero_web"),)
    with canned_box() as box:
        box.answers |= {
            "fleet.snapshot": FleetSnapshot(box="b", seq=1, trunk="t", catalogue=catalogue, time=NOW),
            "build.list": BuildListResult(builds=(build("hero_web-1", state="running"),)),
            "slot.status": slot(service("hero_web")),
        }
        assert offered("hero_dev build ", box.root) == ["submit", "cancel", "log", "show"]
        assert offered("hero_dev --slot alice build submit ", box.root) == ["hero_web"]
        assert offered("hero_dev build cancel ", box.root) == ["hero_web-1"]
        assert box.params("build.list").states == ("running", "queued")
        assert offered("hero_dev build show h", box.root) == ["hero_web-1"]
        assert offered("hero_dev builds --state s", box.root) == ["succeeded", "superseded"]
        assert offered("hero_dev builds --user ", box.root) == ["alice", "mik"]
        assert offered("hero_dev hooks ", box.root) == ["status", "install", "lhumina_code/hero_web"]
        assert offered("hero_dev hooks install ", box.root) == ["lhumina_code/hero_web"]
        assert offered("hero_dev gates ", box.root) == ["hero_web"]
        assert offered("hero_dev fork ", box.root) == ["hero_web"]


def test_no_daemon_is_started_for_an_answer(box: Path) -> None:
    assert offered("hero_dev --slot alice switch ", box) == []
    assert not (box / "run").exists()
    assert not (box / "home" / "alice" / "hero" / "var").exists()


def test_a_box_that_is_not_there_offers_nothing() -> None:
    nowhere = Namespace(box="/nonexistent", slot="", service="hero_db")
    assert completion.services(nowhere) == []
    assert completion.branches(nowhere) == []
    assert completion.tags(nowhere) == []
    assert completion.users(nowhere) == []


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_there_is_a_snippet_for_each_shell(shell: str) -> None:
    argv = [sys.executable, "-m", "hero_tui.cli", "completion", shell]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "hero_dev" in done.stdout
    assert "_ARGCOMPLETE" in done.stdout
