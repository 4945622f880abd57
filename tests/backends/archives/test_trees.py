"""A sweep takes what dead processes left, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.archives.trees import TEMPORARY, sweep, temporary_tree


def test_a_sweep_leaves_the_tree_of_a_living_process(tmp_path: Path) -> None:
    with temporary_tree(tmp_path) as tree:
        (tree / "file").write_text("x")
        assert not sweep(tmp_path)
        assert (tree / "file").exists()
    assert not tree.exists()


def test_a_sweep_leaves_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "0a1b2c3d").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / f"{TEMPORARY}link").symlink_to(tmp_path / "outside")
    (tmp_path / f"{TEMPORARY}dead").mkdir()
    assert sweep(tmp_path) == [tmp_path / f"{TEMPORARY}dead"]
    assert (tmp_path / "outside").is_dir()
    assert (tmp_path / "0a1b2c3d").is_dir()


def test_a_folder_that_is_not_there_is_clean(tmp_path: Path) -> None:
    assert not sweep(tmp_path / "none")


def test_a_tree_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), temporary_tree(tmp_path) as tree:
        (tree / "file").write_text("x")
        raise RuntimeError
    assert not list(tmp_path.iterdir())
