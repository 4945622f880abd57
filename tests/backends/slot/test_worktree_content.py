"""The digest of what is not committed: any change of it shows, and nothing in the tree can hold it up."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from backends.slot.worktree_content import uncommitted
from tests.backends.box.gitwork import plain_git


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    place = tmp_path / "tree"
    plain_git(tmp_path, "init", "--quiet", str(place))
    (place / ".gitignore").write_text("target\n")
    (place / "main.py").write_text("one\n")
    plain_git(place, "add", ".")
    plain_git(place, "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "--quiet", "-m", "begin")
    return place


async def test_every_change_gives_another_digest_and_none_gives_none(tree: Path) -> None:
    assert await uncommitted(tree) == ""
    seen = {""}
    for change in ("two\n", "three\n"):
        (tree / "main.py").write_text(change)
        seen.add(await uncommitted(tree))
    (tree / "new.py").write_text("new\n")
    seen.add(await uncommitted(tree))
    os.utime(tree / "new.py", (1, 1))
    (tree / "new.py").chmod(0o755)
    seen.add(await uncommitted(tree))
    plain_git(tree, "add", ".")
    (tree / "link").symlink_to("/etc/passwd")
    seen.add(await uncommitted(tree))
    (tree / "main.py").unlink()
    seen.add(await uncommitted(tree))
    assert len(seen) == 7
    before = await uncommitted(tree)
    (tree / "target").mkdir()
    (tree / "target" / "built").write_text("x")
    assert await uncommitted(tree) == before


async def test_a_pipe_in_a_files_place_holds_nobody_up(tree: Path) -> None:
    (tree / "main.py").unlink()
    os.mkfifo(tree / "main.py")
    async with asyncio.timeout(30):
        assert await uncommitted(tree)
