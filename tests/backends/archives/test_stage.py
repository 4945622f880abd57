"""A build's result becomes a payload, and nothing from outside the worktree gets into it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from backends.archives.stage import stage
from backends.model.errors import HeroError
from tests.backends.archives.made import DESCRIPTION, PROGRAM, made_provenance, made_worktree, sha256_of


def test_artifacts_land_in_bin_and_share_with_the_sha256_of_each(tmp_path: Path) -> None:
    worktree = made_worktree(tmp_path / "w", {"deck/one.txt": b"one"})
    (worktree / "share" / "deck" / "link").symlink_to("one.txt")
    recorded = stage(tmp_path / "p", worktree, ["hero_slides", "share"], DESCRIPTION, made_provenance())
    assert (tmp_path / "p" / "bin" / "hero_slides").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "p" / "share" / "deck" / "link").readlink() == Path("one.txt")
    assert recorded.files == {
        "bin/hero_slides": sha256_of(PROGRAM),
        "share/deck/one.txt": sha256_of(b"one"),
        "hero_service.toml": sha256_of(DESCRIPTION.encode()),
    }
    assert json.loads((tmp_path / "p" / "provenance.json").read_text())["files"] == recorded.files


def test_a_hard_linked_artifact_is_copied(tmp_path: Path) -> None:
    worktree = made_worktree(tmp_path / "w")
    os.link(worktree / "hero_slides", worktree / "hero_slides-0a1b")
    stage(tmp_path / "p", worktree, ["hero_slides"], DESCRIPTION, made_provenance())
    assert (tmp_path / "p" / "bin" / "hero_slides").stat().st_nlink == 1


@pytest.mark.parametrize(
    ("artifacts", "why"),
    [
        (["hero_slides", "missing"], "was not made"),
        (["hero_slides", "../secret"], "leads out"),
        (["hero_slides", "secret_link"], "leads out"),
        (["hero_slides", "pipe"], "not a regular file"),
        (["hero_slides", "folder"], "is a folder"),
        (["hero_slides", "folder/hero_slides"], "same base name"),
        (["hero_slides", "share", "folder/share"], "given twice"),
        (["other"], "is what [run] starts"),
    ],
)
def test_a_bad_artifact_is_named_and_leaves_no_payload(tmp_path: Path, artifacts: list[str], why: str) -> None:
    worktree = made_worktree(tmp_path / "w")
    (tmp_path / "secret").write_text("key")
    (worktree / "secret_link").symlink_to(tmp_path / "secret")
    (worktree / "other").write_text("x")
    (worktree / "folder" / "share").mkdir(parents=True)
    (worktree / "folder" / "hero_slides").write_text("x")
    os.mkfifo(worktree / "pipe")
    with pytest.raises(HeroError) as bad:
        stage(tmp_path / "p", worktree, artifacts, DESCRIPTION, made_provenance())
    assert bad.value.code == "build_failed"
    assert why in bad.value.message
    assert not (tmp_path / "p").exists()


def test_a_link_out_of_share_is_refused(tmp_path: Path) -> None:
    worktree = made_worktree(tmp_path / "w")
    (worktree / "share" / "key").symlink_to("/etc/passwd")
    with pytest.raises(HeroError) as bad:
        stage(tmp_path / "p", worktree, ["hero_slides", "share"], DESCRIPTION, made_provenance())
    assert bad.value.code == "verification"
    assert not (tmp_path / "p").exists()


def test_a_bad_description_is_refused_before_anything_is_copied(tmp_path: Path) -> None:
    with pytest.raises(HeroError) as bad:
        stage(tmp_path / "p", made_worktree(tmp_path / "w"), ["hero_slides"], "schema = 2\n", made_provenance())
    assert bad.value.code == "invalid_file"
    assert not (tmp_path / "p").exists()


def test_a_full_disk_stops_the_staging_and_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    worktree = made_worktree(tmp_path / "w", {"big": os.urandom(1 << 20)})
    with pytest.raises(HeroError) as full:
        stage(small_disk / "p", worktree, ["hero_slides", "share"], DESCRIPTION, made_provenance())
    assert full.value.code == "no_space"
    assert not list(small_disk.iterdir())
