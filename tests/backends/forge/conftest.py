"""A folder forge with one repository, and a disk that is soon full."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from backends.forge.folder import FolderForge
from tests.backends.forge.contract import (
    REPO,
)
from tests.backends.forge.folders import Clock
from tests.backends.forge.repositories import new_repository, run_git


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def forge(tmp_path: Path, clock: Clock) -> AsyncIterator[FolderForge]:
    """A forge with REPO in it."""
    forge = FolderForge(tmp_path / "forge", clock=clock)
    await forge.create_repository(REPO)
    yield forge
    await forge.aclose()


@pytest.fixture
def releases(forge: FolderForge) -> Path:
    return forge.root / f"{REPO}.releases"


@pytest.fixture
async def head(forge: FolderForge, tmp_path: Path) -> str:
    """A commit that the forge has."""
    work = new_repository(tmp_path / "work")
    run_git(work, "push", "--quiet", await forge.clone_url(REPO), "development")
    return run_git(work, "rev-parse", "HEAD")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB; skips where mounting is not allowed."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
