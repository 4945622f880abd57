"""An installed tree is trusted only as far as it can be shown to be whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.archives import installed
from backends.archives.installed import MARKER, check_installed, is_complete, read_marker, settle
from backends.archives.unpack import unpack
from backends.model.errors import HeroError
from tests.backends.archives.made import made_archive


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    packed = made_archive(tmp_path)
    return unpack(packed.path, tmp_path / "opt" / "x", sha256=packed.sha256).tree


def restart_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "boot_id", lambda: "the next boot")


def test_each_kind_of_damage_is_found_and_named(tree: Path) -> None:
    program, slide = tree / "bin" / "hero_slides", tree / "share" / "deck" / "one.txt"
    program.write_bytes(b"changed")
    slide.unlink()
    (tree / "share" / "new").write_text("x")
    (tree / "share" / "escape").symlink_to("/etc")
    found = {(problem.path, problem.kind) for problem in check_installed(tree)}
    assert found == {
        ("bin/hero_slides", "changed"),
        ("share/deck/one.txt", "missing"),
        ("share/new", "extra"),
        ("share/escape", "link"),
    }


def test_a_file_that_became_a_link_is_found(tree: Path) -> None:
    program = tree / "bin" / "hero_slides"
    program.rename(tree / "bin" / "other")
    program.symlink_to("other")
    assert ("bin/hero_slides", "changed") in {(problem.path, problem.kind) for problem in check_installed(tree)}


@pytest.mark.parametrize("content", [None, b"{", b"\xff", b"[]"])
def test_a_tree_without_a_provenance_that_parses_is_not_complete(
    tree: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    restart_the_machine(monkeypatch)
    (tree / "provenance.json").unlink()
    if content is not None:
        (tree / "provenance.json").write_bytes(content)
    assert [problem.path for problem in check_installed(tree)] == ["provenance.json"]
    assert not is_complete(tree)


def test_a_changed_provenance_is_found(tree: Path) -> None:
    recorded = tree / "provenance.json"
    recorded.write_text(recorded.read_text().replace("0123456789ab", "ffffffffffff"))
    assert [problem.path for problem in check_installed(tree)] == ["provenance.json"]


def test_after_a_power_loss_a_tree_with_lost_content_is_not_complete(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "bin" / "hero_slides").write_bytes(b"")  # what delayed allocation leaves
    restart_the_machine(monkeypatch)
    assert not is_complete(tree)


def test_after_a_power_loss_a_whole_tree_is_complete(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restart_the_machine(monkeypatch)
    assert is_complete(tree)
    assert not is_complete(tree, "0" * 64)


def test_an_extra_file_does_not_make_a_tree_incomplete(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "share" / "cache.pyc").write_text("x")
    restart_the_machine(monkeypatch)
    assert is_complete(tree)


def test_a_settled_tree_is_trusted_after_a_restart(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_marker(tree)
    settle(tree)
    settle(tree)
    after = read_marker(tree)
    assert before
    assert after
    assert not before.durable
    assert after.durable
    assert after.archive == before.archive
    restart_the_machine(monkeypatch)
    monkeypatch.setattr(installed, "check_installed", lambda tree: pytest.fail("every file was read"))
    assert is_complete(tree, before.archive)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"archive": 1}', json.dumps({"archive": "x"})])
def test_a_tree_whose_marker_does_not_parse_is_not_complete(tree: Path, content: str) -> None:
    (tree / MARKER).write_text(content)
    assert not is_complete(tree)
    with pytest.raises(HeroError, match="not an installed version"):
        settle(tree)


def test_a_full_disk_while_settling_is_said(tmp_path: Path, small_disk: Path) -> None:
    packed = made_archive(tmp_path)
    tree = unpack(packed.path, small_disk / "x", sha256=packed.sha256).tree
    fill = small_disk / "fill"
    with fill.open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
        while True:
            file.write(bytes(4096))
    with pytest.raises(HeroError) as full:
        settle(tree)
    assert full.value.code == "no_space"
    assert not list(tree.glob("*.tmp"))
    fill.unlink()
    settle(tree)
    assert not check_installed(tree)
