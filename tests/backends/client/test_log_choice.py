"""Files that a person names are shown under names that tell them apart; what cannot be shown is said in words."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

import pytest

from backends.client.log_choice import MOST, allow_open, chosen_logs, source_names
from backends.model.errors import HeroError


def told(*paths: Path) -> tuple[str, str]:
    with pytest.raises(HeroError) as raised:
        chosen_logs(paths)
    return raised.value.message, raised.value.hint


def written(path: Path, content: bytes = b"a line\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_files_are_called_by_their_names_and_where_these_are_alike_by_their_folders(tmp_path: Path) -> None:
    router, worker = written(tmp_path / "router.log"), written(tmp_path / "worker.err")
    assert chosen_logs([router, worker]) == {"router": router, "worker.err": worker}
    mine, yours = written(tmp_path / "mine" / "app.log"), written(tmp_path / "yours" / "app.log")
    assert chosen_logs([mine, yours]) == {"mine/app": mine, "yours/app": yours}
    assert source_names([Path("/a/x.log"), Path("/a/x")]) == ["/a/x.log", "/a/x"]


def test_a_file_that_is_named_twice_or_as_a_rotation_is_there_once(tmp_path: Path) -> None:
    path, older = written(tmp_path / "app.log"), written(tmp_path / "app.log.1")
    other = tmp_path / "other.log"
    other.hardlink_to(path)
    assert chosen_logs([path, older, tmp_path / "." / "app.log", other]) == {"app": path}


def test_what_is_not_there_is_said_with_what_may_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "router.log")
    monkeypatch.chdir(tmp_path)
    assert told(tmp_path / "ruoter.log") == ("ruoter.log is not there.", "Did you mean router.log?")
    assert told(tmp_path / "x") == ("x is not there.", "`ls .` shows what is there.")
    message, hint = told(tmp_path / "nowhere" / "x")
    assert (message, hint) == ("nowhere/x is not there.", "nowhere is no folder that you may look into.")
    assert told(tmp_path / "router.log" / "x")[0] == "router.log/x is not there."


def test_folders_pipes_sockets_and_devices_are_said_to_be_those(tmp_path: Path, short_dir: Path) -> None:
    os.mkfifo(tmp_path / "my pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short_dir / "s"))
        assert "is a socket, which keeps nothing." in told(short_dir / "s")[0]
    message, hint = told(tmp_path / "my pipe")
    assert "is a pipe, which keeps nothing." in message
    assert hint == f"`cat '{tmp_path}/my pipe' | hero_tui --log -` shows what comes."
    assert "is a folder." in told(tmp_path)[0]
    assert "is a device, which keeps nothing." in told(Path("/dev/null"))[0]


def test_what_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "secret.log")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)  # root may read everything
    message, hint = told(path)
    assert message.endswith("secret.log may not be read by you.")
    assert hint == f"`ls -l {path}` tells whose it is."


@pytest.mark.parametrize(
    ("content", "words", "way"),
    [
        (b"\x7fELF\x02\x00" + b"\x00" * 20_000, "is binary, and no text.", "strings "),
        (b"\x1f\x8b\x08\x00rest", "is packed by gzip, and no text.", "zcat "),
        (b"\x28\xb5\x2f\xfd\x00rest", "is packed by zstd, and no text.", "zstdcat "),
        (b"LPKSHHRH\x00", "is packed by systemd-journald, and no text.", "journalctl --file "),
    ],
)
def test_what_is_no_text_is_said_with_what_makes_some_of_it(
    tmp_path: Path, content: bytes, words: str, way: str
) -> None:
    path = written(tmp_path / "x", content)
    message, hint = told(path)
    assert message == f"{path} {words}"
    assert hint.startswith(f"`{way}{path} | hero_tui --log -`")


def test_a_log_that_was_cut_off_under_its_writer_is_shown(tmp_path: Path) -> None:
    path = written(tmp_path / "x.log", b"\x00" * 50_000 + b"a line\n" * 2_000)
    assert chosen_logs([path]) == {"x": path}


def test_an_empty_file_is_refused_unless_there_are_lines_in_another(tmp_path: Path) -> None:
    empty, also, full = (
        written(tmp_path / "a.log", b""),
        written(tmp_path / "b.log", b""),
        written(tmp_path / "c.log"),
    )
    message, hint = told(empty)
    assert (message, hint) == (f"{empty} is empty.", f"`tail -F {empty} | hero_tui --log -` waits for what comes.")
    assert told(empty, also)[0] == "All 2 files are empty."
    assert list(chosen_logs([empty, full])) == ["a", "c"]
    written(tmp_path / "a.log.1")
    assert list(chosen_logs([empty])) == ["a"]


def test_names_are_harmless_and_not_too_many(tmp_path: Path) -> None:
    path = written(tmp_path / "a\x1b[31m\nb")
    assert not set("".join(chosen_logs([path]))) & set("\x1b\n")
    assert "\x1b" not in told(tmp_path / "\x1b[2Jx")[0]
    assert told(*(tmp_path / str(number) for number in range(MOST + 1)))[0].startswith("65 files are too many")


@pytest.mark.parametrize(("limits", "set_to"), [((256, 4096), (601, 4096)), ((4096, 4096), None)])
def test_more_files_may_be_open_where_there_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], set_to: tuple[int, int] | None
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: told.append(wanted))
    paths = [tmp_path / f"{number}.log" for number in range(200)]
    for path in paths:
        path.with_name(f"{path.name}.1").write_text("older\n")
    (tmp_path / "0.log.2").write_text("oldest\n")
    allow_open(paths)
    assert told == ([set_to] if set_to else [])


def test_more_files_than_may_ever_be_open_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    with pytest.raises(HeroError, match="these are 100 files, and only 256 may be open"):
        allow_open([tmp_path / f"{number}.log" for number in range(100)])
