"""Folders for sockets under paths of any length, and what others may have put in the way."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.rpc.socketdir import ensure_socket_dir

LONGEST = 20


@pytest.fixture
def runtime(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private XDG_RUNTIME_DIR."""
    path = short_dir / "run"
    path.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    return path


@pytest.fixture
def long_link(short_dir: Path) -> Path:
    return short_dir / ("a" * 60) / ("ü" * 30) / "sockets"


@pytest.fixture
def in_tmp(long_link: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in /tmp for `long_link`, removed afterwards."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    target = ensure_socket_dir(long_link, LONGEST)
    yield target
    shutil.rmtree(target, ignore_errors=True)


def test_a_short_path_is_a_plain_private_folder(short_dir: Path) -> None:
    folder = ensure_socket_dir(short_dir / "deep" / "sockets", LONGEST)
    assert folder == short_dir / "deep" / "sockets"
    assert not folder.is_symlink()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert ensure_socket_dir(folder, LONGEST) == folder


def test_a_long_path_is_a_link_to_a_short_folder_in_which_a_socket_can_be_bound(
    runtime: Path, long_link: Path
) -> None:
    folder = ensure_socket_dir(long_link, LONGEST)
    assert folder.parent == runtime / "hero"
    assert long_link.readlink() == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ("x" * LONGEST)))
    assert (long_link / ("x" * LONGEST)).is_socket()
    assert ensure_socket_dir(long_link, LONGEST) == folder


def test_two_boxes_get_two_folders(runtime: Path, long_link: Path) -> None:
    other = long_link.with_name("others")
    assert ensure_socket_dir(long_link, LONGEST) != ensure_socket_dir(other, LONGEST)


def test_a_copied_box_does_not_share_the_folder_of_the_first(runtime: Path, long_link: Path) -> None:
    first = ensure_socket_dir(long_link, LONGEST)
    copy = long_link.with_name("copied")
    copy.symlink_to(first)
    assert ensure_socket_dir(copy, LONGEST) != first


def test_what_a_reboot_took_is_made_again(runtime: Path, long_link: Path) -> None:
    folder = ensure_socket_dir(long_link, LONGEST)
    shutil.rmtree(runtime / "hero")
    assert ensure_socket_dir(long_link, LONGEST) == folder
    assert folder.is_dir()


def test_without_a_runtime_folder_it_lies_in_tmp(in_tmp: Path, long_link: Path) -> None:
    assert in_tmp.parent == Path(f"/tmp/hero-{os.geteuid()}")
    assert in_tmp.parent.stat().st_mode & 0o777 == 0o700


def test_a_link_into_tmp_stays_in_force_when_a_runtime_folder_appears(
    in_tmp: Path, long_link: Path, runtime: Path
) -> None:
    assert ensure_socket_dir(long_link, LONGEST) == in_tmp


def test_a_runtime_folder_that_others_may_enter_is_not_used(
    runtime: Path, long_link: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.chmod(0o755)
    folder = ensure_socket_dir(long_link, LONGEST)
    assert not folder.is_relative_to(runtime)
    shutil.rmtree(folder)


def test_a_link_planted_in_place_of_the_private_folder_is_refused(
    runtime: Path, long_link: Path, short_dir: Path
) -> None:
    (short_dir / "elsewhere").mkdir()
    (runtime / "hero").symlink_to(short_dir / "elsewhere")
    with pytest.raises(HeroError, match="a link") as caught:
        ensure_socket_dir(long_link, LONGEST)
    assert caught.value.code == "denied"
    assert list((short_dir / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_folder_that_somebody_else_made_is_refused(runtime: Path, long_link: Path) -> None:
    (runtime / "hero").mkdir(mode=0o700)
    os.chown(runtime / "hero", 65534, 65534)
    with pytest.raises(HeroError, match="65534") as caught:
        ensure_socket_dir(long_link, LONGEST)
    assert caught.value.code == "denied"


def test_a_link_to_a_place_of_somebody_elses_choice_is_replaced(
    runtime: Path, long_link: Path, short_dir: Path
) -> None:
    long_link.parent.mkdir(parents=True)
    long_link.symlink_to(short_dir)
    assert ensure_socket_dir(long_link, LONGEST).parent == runtime / "hero"


def test_the_lock_of_whoever_starts_the_daemon_is_not_in_the_way(runtime: Path, long_link: Path) -> None:
    (long_link / "hero_slot").mkdir(parents=True)
    (long_link / "hero_slot" / "rpc.sock.spawn.lock").write_text("")
    assert ensure_socket_dir(long_link, LONGEST).parent == runtime / "hero"


def test_a_folder_with_files_in_it_is_kept_and_told(runtime: Path, long_link: Path) -> None:
    long_link.mkdir(parents=True)
    (long_link / "notes").write_text("mine")
    with pytest.raises(HeroError) as caught:
        ensure_socket_dir(long_link, LONGEST)
    assert caught.value.code == "conflict"
    assert (long_link / "notes").read_text() == "mine"
