"""`hero_boxd` as a person meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def boxd(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "hero_tui.boxd", *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_a_folder_that_is_no_box_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    done = boxd("--box", str(tmp_path))
    assert done.returncode == 1
    assert f"{tmp_path} is not a box" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_box_file_that_does_not_parse_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "box.toml").write_text('schema = 1\nnam = "dev"\n')
    done = boxd("--box", str(tmp_path))
    assert done.returncode == 1
    assert "box.toml:2" in done.stderr
    assert "did you mean `name`" in done.stderr


def test_without_a_box_the_usage_is_shown() -> None:
    done = boxd()
    assert done.returncode == 2
    assert "--box" in done.stderr
