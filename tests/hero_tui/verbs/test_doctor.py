"""`hero_dev doctor` as a person types it: on a box whose daemons are down, and on one that is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.model.boxfile import render_boxfile
from backends.model.health_report import HealthReport
from backends.model.paths import BoxPaths
from hero_tui.verbs import parsing
from tests.hero_tui.render.replies import NOW
from tests.hero_tui.verbs.test_noting import left

ROOT = Path(__file__).parents[3]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A box of two slots and a folder forge; nothing of it runs."""
    (tmp_path / "box.toml").write_text(render_boxfile("test", NOW, "lhumina_code/hero_team"))
    (tmp_path / "forge").mkdir()
    for user in ("alice", "mik"):
        manifest = tmp_path / "home" / user / "hero" / "cfg" / "dev_manifest.toml"
        manifest.parent.mkdir(parents=True)
        manifest.write_text("schema = 1\n")
    return tmp_path


def doctor(box: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HERO_", "TMUX"))}
    environment |= {"LANG": "C.UTF-8", "TMUX_TMPDIR": str(box), "COLUMNS": "400"}
    argv = [sys.executable, "-m", "hero_tui.cli", "--box", str(box), "doctor", *words]
    return subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_box_that_is_well_ends_with_0_and_a_word(box: Path) -> None:
    done = doctor(box)
    assert (done.returncode, done.stderr) == (0, "")
    assert "disk\n  ✓ room on disks" in done.stdout or "disk\n  ▲ room on disks" in done.stdout
    assert "slot alice" in done.stdout
    assert "well" in done.stdout.splitlines()[-1] or "mend" in done.stdout


def test_json_is_one_report(box: Path) -> None:
    done = doctor(box, "--json")
    report = HealthReport.model_validate_json(done.stdout)
    assert (report.box, report.kind, report.of("bad")) == ("test", "rootless", ())
    assert done.stdout.isascii()


def test_something_bad_ends_with_1_and_is_told_last(box: Path) -> None:
    (box / "home/alice/hero/cfg/dev_manifest.toml").write_text("schema = 1\nbund = 2\n")
    done = doctor(box, "--slot", "alice", "-q")
    assert done.returncode == 1
    assert done.stdout.startswith("1 bad")
    assert "✗ manifest · alice\n  dev_manifest.toml:2:1 bund" in done.stdout
    assert "disk\n" not in done.stdout


def test_one_slot_is_looked_at_where_one_is_named(box: Path) -> None:
    findings = json.loads(doctor(box, "--slot", "mik", "--json").stdout)["findings"]
    assert {one["slot"] for one in findings} == {"", "mik"}


def test_fix_mends_once_and_finds_nothing_the_second_time(box: Path) -> None:
    clone = box / "home/alice/hero/src/.repos/org/hero_web.git"
    subprocess.run(["git", "init", "-q", "--bare", str(clone)], check=True)
    lock = clone / "config.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    done = doctor(box, "--fix", "-q")
    assert done.stdout.startswith("mended\n  ✓ Removed ")
    assert not lock.exists()
    (event,) = left(BoxPaths(box), "alice")
    assert (event.kind, event.data["outcome"]) == ("audit.doctor.mend", "succeeded")
    assert event.data["detail"].startswith("Removed ")
    assert doctor(box, "--fix", "-q").stdout.startswith("--fix found nothing")
    assert len(left(BoxPaths(box), "alice")) == 1


def test_a_box_toml_that_cannot_be_used_is_a_finding(box: Path) -> None:
    (box / "box.toml").write_text("schema = 1\nnam = 3\n")
    done = doctor(box, "-q")
    assert done.returncode == 1
    assert "box.toml has" in done.stdout


def test_the_verb_takes_only_what_it_knows() -> None:
    assert parsing.parse(parsing.split(["doctor", "--fix"])).fix is True
