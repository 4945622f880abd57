"""Killed at any step the reconciler goes on at the next run, and nobody's work is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends.team.systems import System, person

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
ARRIVING = (
    "team_sync.reviewed",
    "team_sync.checkout.made",
    "team_sync.account.reserved",
    "team_sync.account.group",
    "team_sync.account.made",
    "team_sync.home.staged",
    "team_sync.home.filled",
    "team_sync.keys.written",
    "team_sync.action",
)
LEAVING = (
    "team_sync.leaving.noted",
    "team_sync.leaving.locked",
    "team_sync.leaving.ended",
    "team_sync.archive.packed",
    "team_sync.archive.verified",
    "team_sync.archive.named",
    "team_sync.removal.moved",
    "team_sync.removal.noted",
)
RETURNING = (
    "team_sync.restore.staged",
    "team_sync.restore.unpacked",
    "team_sync.account.unlocked",
)


def killed(system: System, step: str) -> None:
    """One run that dies at `step`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.backends.team.systems", str(system.root), str(system.first_uid)],
        cwd=ROOT,
        env={**os.environ, "HERO_TEST_FAILPOINT": step},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


def settled(system: System) -> None:
    """The next run ends well, and the one after it has nothing to do."""
    run = system.apply()
    assert run.problems == ()
    assert system.apply().actions == ()
    assert not [one.name for one in (system.root / "home").iterdir() if one.name.startswith(".")]


@pytest.mark.parametrize("step", ARRIVING)
def test_somebody_who_comes_is_there_after_the_next_run(system: System, step: str) -> None:
    killed(system, step)
    settled(system)
    home = system.home("alice")
    assert (home / "hero/cfg/dev_manifest.toml").exists()
    assert (home / ".ssh/authorized_keys").exists()
    numbers = [row[2] for row in system.rows("passwd").values()]
    assert sorted(map(int, numbers)) == [0, 999, system.first_uid, system.first_uid + 1]


@pytest.mark.parametrize("step", LEAVING)
@pytest.mark.parametrize("back", [False, True], ids=["gone", "back"])
def test_somebody_who_leaves_loses_nothing(system: System, step: str, back: bool) -> None:
    system.apply()
    work = system.home("alice") / "work.txt"
    work.write_text("unpushed")
    os.chown(work, system.first_uid + 1, system.first_uid + 1)
    system.push({"users/alice.toml": None})
    killed(system, step)
    if not back:
        settled(system)
        assert not system.home("alice").exists()
        (archive,) = system.places.archives.iterdir()
        names = subprocess.run(["tar", "-tf", str(archive)], check=True, capture_output=True, text=True).stdout
        assert "./work.txt" in names
        system.push({"users/alice.toml": person("alice")})
        settled(system)
        assert work.read_text() == "unpushed"
        return
    system.push({"users/alice.toml": person("alice")})
    settled(system)
    assert work.read_text() == "unpushed"
    assert not system.rows("shadow")["alice"][1].startswith("!")


@pytest.mark.parametrize("step", RETURNING)
def test_somebody_who_comes_back_has_everything(system: System, step: str) -> None:
    system.apply()
    work = system.home("alice") / "work.txt"
    work.write_text("unpushed")
    os.chown(work, system.first_uid + 1, system.first_uid + 1)
    system.push({"users/alice.toml": None})
    system.apply()
    system.push({"users/alice.toml": person("alice")})
    killed(system, step)
    settled(system)
    assert work.read_text() == "unpushed"
    assert system.rows("passwd")["alice"][2] == str(system.first_uid + 1)
