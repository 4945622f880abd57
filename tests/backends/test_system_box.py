"""What a daemon asks of a system box: folders that root made, groups, and a word to systemd."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.system_box import group_id, login_of, prepared_folder, tell_ready


def test_a_folder_that_root_prepared_is_used_where_the_link_leads(short_dir: Path) -> None:
    (short_dir / "real").mkdir()
    (short_dir / "link").symlink_to(short_dir / "real")
    assert prepared_folder(short_dir / "link") == short_dir / "real"


def test_a_folder_that_is_gone_says_what_makes_it_again(short_dir: Path) -> None:
    (short_dir / "link").symlink_to(short_dir / "real")
    with pytest.raises(HeroError, match="is not there") as caught:
        prepared_folder(short_dir / "link")
    assert "systemd-tmpfiles" in caught.value.hint


def test_somebody_elses_folder_is_not_used(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    with pytest.raises(HeroError, match="no folder of this user"):
        prepared_folder(short_dir)


def test_a_file_is_no_folder(short_dir: Path) -> None:
    (short_dir / "file").touch()
    with pytest.raises(HeroError, match="no folder"):
        prepared_folder(short_dir / "file")


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_once_that_the_daemon_serves(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    name = f"@{short_dir}" if abstract else str(short_dir / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name[1:]}" if abstract else name)
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        tell_ready()
        assert manager.recv(100) == b"READY=1"
        assert "NOTIFY_SOCKET" not in os.environ
        tell_ready()


def test_without_a_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tell_ready()
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    tell_ready()


def test_groups_and_logins_are_found_by_name() -> None:
    assert group_id("root") == 0
    assert login_of(0) == "root"
    assert login_of(4_000_000_000) == "4000000000"
    with pytest.raises(HeroError, match="no group"):
        group_id("no-such-group-here")
