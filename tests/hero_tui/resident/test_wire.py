"""What starts and residents say to each other arrives whole, with its files, and from this user alone."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from hero_tui.resident import wire
from hero_tui.resident.sources import Sources
from hero_tui.resident.wire import Start


def start(*arguments: str, folder: str = "/srv", **environment: str) -> Start:
    variables = [f"{name}={value}" for name, value in environment.items()]
    return Start([folder, "utf-8", "18", "120x40", str(len(arguments)), *arguments, *variables])


def test_a_message_arrives_with_its_files() -> None:
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    with ours, theirs:
        wire.send(ours, "open", "a b", "", "ü", files=(write,))
        texts, files = wire.receive(theirs)
    assert texts == ["open", "a b", "", "ü"]
    os.write(files[0], b"through")
    assert os.read(read, 10) == b"through"
    assert not os.get_inheritable(files[0])
    for file in (read, write, *files):
        os.close(file)


def test_messages_that_follow_each_other_at_once_are_two() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire.send(ours, "ready", "7")
        wire.send(ours, "exit", "0")
        assert wire.receive(theirs)[0] == ["ready", "7"]
        assert wire.receive(theirs)[0] == ["exit", "0"]


def test_a_message_that_is_longer_than_a_socket_takes_at_once_arrives() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        if os.fork() == 0:
            wire.send(ours, "open", "x" * 900_000)
            os._exit(0)
        ours.close()
        assert len(wire.receive(theirs)[0][1]) == 900_000
        assert wire.receive(theirs) == ([], [])
    os.wait()


def test_a_message_without_end_is_refused() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.send(b"\xff\xff\xff\xff")
        with pytest.raises(OSError, match="too long"):
            wire.receive(theirs)


def test_the_other_side_is_this_user() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert wire.is_ours(ours)


def test_the_folder_of_the_socket_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = Path(wire.socket_path())
    assert path.parent == tmp_path / "hero"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.parent.chmod(0o755)
    assert not wire.socket_path().startswith(str(tmp_path))
    path.parent.chmod(0o700)
    (tmp_path / "link").symlink_to(path.parent)
    assert not wire.is_private(str(tmp_path / "link"))


def test_starts_that_make_the_same_cockpit_have_the_same_key() -> None:
    one = start("--slot", "mik", HOME="/home/mik", LANG="C.UTF-8", SSH_CONNECTION="1 2 3", _="/bin/hero_tui")
    same = start("--slot", "mik", HOME="/home/mik", LANG="C.UTF-8", SSH_CONNECTION="4 5 6", OLDPWD="/tmp")
    assert one.key == same.key
    assert one.arguments == ["--slot", "mik"]
    assert one.environment["HOME"] == "/home/mik"
    others = [
        start("--slot", "alice", HOME="/home/mik", LANG="C.UTF-8", SSH_CONNECTION="1 2 3"),
        start("--slot", "mik", folder="/", HOME="/home/mik", LANG="C.UTF-8", SSH_CONNECTION="1 2 3"),
        start("--slot", "mik", HOME="/home/mik", LANG="C.UTF-8"),
        start("--slot", "mik", HOME="/home/mik", LANG="C", SSH_CONNECTION="1 2 3"),
        start("--slot", "mik", HOME="/home/mik", LANG="C.UTF-8", SSH_CONNECTION="1 2 3", NO_COLOR="1"),
    ]
    assert all(one.key != other.key for other in others)


def test_what_a_process_cannot_change_any_more_is_told_apart() -> None:
    plain = start(HOME="/home/mik", TERM="xterm")
    assert plain.fixed == start(HOME="/home/mik", TERM="tmux", NO_COLOR="1").fixed
    for other in ({"TEXTUAL_FPS": "30"}, {"ESCDELAY": "50"}, {"PYTHONPATH": "/x"}, {"LC_TERMINAL": "iTerm2"}):
        assert plain.fixed != start(HOME="/home/mik", TERM="xterm", **other).fixed


def test_a_file_that_was_changed_or_removed_is_noticed(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("one")
    for change in (lambda: os.utime(settings, (1, 1)), settings.unlink, lambda: settings.write_text("two")):
        sources = Sources([settings])
        assert not sources.changed()
        change()
        assert sources.changed()
