"""Unit files on disk: whole or not there, and nobody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.supervisors.systemd_files import WANTS, UnitFiles
from backends.supervisors.systemd_unit import UnitNames

OURS = "# x\n[Unit]\nX-HeroSlot=web\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "systemd" / "user"


@pytest.fixture
def files(folder: Path, tmp_path: Path) -> UnitFiles:
    return UnitFiles(folder, tmp_path, UnitNames())


def test_a_unit_is_written_once_for_its_owner_only(files: UnitFiles, folder: Path) -> None:
    assert files.write("web", OURS)
    assert not files.write("web", OURS)
    assert files.write("web", OURS + "# newer\n")
    path = folder / "slot-web.service"
    assert path.read_text() == OURS + "# newer\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in folder.iterdir()] == ["slot-web.service"]
    assert files.listed() == {"web"}


def test_secrets_are_in_a_file_of_their_owner_and_go_with_the_unit(files: UnitFiles, tmp_path: Path) -> None:
    files.write("web", OURS)
    files.write_secrets("web", 'TOKEN="x"\n')
    file = tmp_path / "hero_slot" / "slot-web.env"
    assert file.read_text() == 'TOKEN="x"\n'
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    files.remove("web")
    assert not file.exists()
    files.write_secrets("web", "")


def test_only_our_own_units_are_listed(files: UnitFiles, folder: Path) -> None:
    assert files.listed() == set()
    files.write("web", OURS)
    (folder / "slot-own.service").write_text("[Service]\nExecStart=/bin/true\n")
    (folder / "slot-other.service").write_text(OURS)
    (folder / "web.service").write_text(OURS)
    (folder / "slot-link.service").symlink_to("slot-web.service")
    (folder / "slot-dir.service").mkdir()
    os.mkfifo(folder / "slot-pipe.service")
    (folder / "slot-late.service").write_text("#" * 5000 + "\nX-HeroSlot=late\n")
    assert files.listed() == {"web"}


@pytest.mark.parametrize("kind", ["file", "link", "dangling", "folder"])
def test_what_is_not_ours_is_neither_written_nor_removed(files: UnitFiles, folder: Path, kind: str) -> None:
    folder.mkdir(parents=True)
    path = folder / "slot-web.service"
    target = folder / "target"
    if kind == "file":
        path.write_text("[Service]\n")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(target)
        if kind == "link":
            target.write_text(OURS)
    with pytest.raises(HeroError) as refused:
        files.write("web", OURS + "# new\n")
    assert refused.value.code == "conflict"
    files.remove("web")
    assert os.path.lexists(path)
    assert not target.exists() or target.read_text() == OURS


def test_a_link_starts_it_with_the_manager(files: UnitFiles, folder: Path) -> None:
    files.write("web", OURS)
    files.enable("web")
    files.enable("web")
    link = folder / WANTS / "slot-web.service"
    assert link.resolve() == folder / "slot-web.service"
    files.disable("web")
    files.disable("web")
    assert not os.path.lexists(link)
    files.enable("web")
    files.remove("web")
    assert [entry.name for entry in folder.rglob("*")] == [WANTS]


def test_a_file_in_the_place_of_the_link_stays(files: UnitFiles, folder: Path) -> None:
    link = folder / WANTS / "slot-web.service"
    link.parent.mkdir(parents=True)
    link.write_text("mine")
    files.enable("web")
    files.disable("web")
    assert link.read_text() == "mine"


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_named(files: UnitFiles, folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    with pytest.raises(HeroError, match=r"slot-web\.service"):
        files.write("web", OURS)
    with pytest.raises(HeroError, match=r"slot-web\.service"):
        files.enable("web")
    folder.chmod(0o700)


def test_a_file_in_the_place_of_the_folder_is_named(files: UnitFiles, folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("")
    with pytest.raises(HeroError, match=r"slot-web\.service"):
        files.write("web", OURS)
