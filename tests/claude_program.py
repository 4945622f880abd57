"""The real `claude` for tests, found or fetched; a test that needs it says so by the fixture `claude_program`."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from deploy.setup.claude import VERSION, download, is_whole, registry
from deploy.setup.step import Stopped

VARIABLE = "HERO_TEST_CLAUDE"
"""A path; or `build`: fetched from the npm registry once, checked, and kept in the cache."""

CACHE = Path("~/.cache/hero-team-box/claude").expanduser()


@pytest.fixture(scope="session")
def claude_program() -> Path:
    """Where the program is. Skips the test where there is none."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted == "build":
        return fetched()
    found = wanted or shutil.which("claude")
    if not found:
        pytest.skip(f"no claude: {VARIABLE} names one, or `build` fetches version {VERSION} from the npm registry")
    program = Path(found)
    if not os.access(program, os.X_OK):
        pytest.fail(f"{VARIABLE}={found} is no program")
    return program.resolve()


@pytest.fixture(scope="session")
def claude_or_none(request: pytest.FixtureRequest) -> Path | None:
    """The same for what only a part of several tests needs."""
    try:
        return Path(request.getfixturevalue("claude_program"))
    except pytest.skip.Exception:
        return None


def fetched() -> Path:
    """The pinned version in the cache, fetched by whoever comes first. Skips where no registry answers."""
    program = CACHE / VERSION / "claude"
    program.parent.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_whole(program):
            try:
                download(registry(os.environ), program)
            except (OSError, Stopped) as error:
                pytest.skip(f"claude {VERSION} cannot be fetched: {error}")
    return program
