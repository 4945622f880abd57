"""A home of a user who has no account, in a folder that this user can enter; only root can be tempted."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backends.team.homes import Owner

if TYPE_CHECKING:
    from tests.backends.team.systems import System

ROOT = Path(__file__).resolve().parents[3]
UID = 54_321
START = "import sys; sys.path.insert(0, {root!r}); from backends.team.as_user.main import main; main()"


def child() -> tuple[str, ...]:
    """The command of the user's process: a Python that the user may start, which the one of a test may not be."""
    plain = next(
        (one for one in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(one).exists()), sys.executable
    )
    return (plain, "-I", "-c", START.format(root=str(ROOT)))


@pytest.fixture
def owner() -> Iterator[Owner]:
    """Who has the home: an empty folder of theirs, 0700."""
    if os.geteuid() != 0:
        pytest.skip("needs root, which gives itself up for the user")
    if not all(folder.stat().st_mode & 0o001 for folder in (ROOT, *ROOT.parents)):
        pytest.skip("this checkout is where other users cannot read it")
    top = Path(tempfile.mkdtemp(prefix="hero-home-", dir="/tmp"))
    top.chmod(0o755)
    home = top / "alice"
    home.mkdir(mode=0o700)
    os.chown(home, UID, UID)
    yield Owner("alice", UID, UID, str(home))
    shutil.rmtree(top)


@pytest.fixture
def system() -> Iterator[System]:
    """A small system with a team of alice and the integration slot, to which nothing has been done yet."""
    from tests.backends.team.systems import FILES, System, person

    if os.geteuid() != 0:
        pytest.skip("needs root, which makes homes for users")
    top = Path(tempfile.mkdtemp(prefix="hero-sys-", dir="/tmp"))
    top.chmod(0o755)
    made = System(top)
    made.begin({**FILES, "users/alice.toml": person("alice"), "users/integration.toml": person("integration")})
    yield made
    shutil.rmtree(top)


@pytest.fixture(autouse=True)
def nobody_elses_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the uids of a played system on this host is not to be ended by its test."""
    from backends.team import processes

    monkeypatch.setattr(processes, "_PROC", tmp_path)
