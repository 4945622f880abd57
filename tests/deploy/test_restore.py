"""A backup of a box's state: whole, without keys, and read back by the bootstrap of a new machine."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from deploy.setup import restore as module
from deploy.setup.options import Options
from deploy.setup.restore import restore
from deploy.setup.step import Stopped, take
from hero_tui.box_backup import backup_box

ASKED = Options(forge="", team_repo="", host="", name="b", restore=None, check=False, keep_passwords=False)
SECRET = "sk-never-in-a-backup"


@pytest.fixture
def box(tmp_path: Path) -> BoxPaths:
    made = BoxPaths(tmp_path / "box")
    for path in (made.database, made.team_state, made.forge_token, made.team_archive / "mik-1.tar.zst"):
        path.parent.mkdir(parents=True, exist_ok=True)
    made.config.write_text('schema = 1\nname = "b"\n')
    made.team_state.write_text('{"uids": {"mik": 20001}}')
    made.forge_token.write_text(SECRET)
    (made.team_archive / "mik-1.tar.zst").write_bytes(b"x" * 10)
    with closing(sqlite3.connect(made.database)) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE events (seq INTEGER)")
        database.execute("INSERT INTO events VALUES (7)")
    return made


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine's folder in place of the box's root."""
    root = tmp_path / "machine"
    targets = {name: (root / name, "root") for name in module.TARGETS}
    monkeypatch.setattr(module, "TARGETS", targets)
    monkeypatch.setattr(module, "MARK", root / ".restored")
    monkeypatch.setattr(module, "write_file", write)
    return root


def write(path: Path, content: bytes, mode: int, owner: str = "", group: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def test_what_was_backed_up_is_what_a_new_machine_begins_with(
    box: BoxPaths, machine: Path, tmp_path: Path
) -> None:
    writer = sqlite3.connect(box.database)  # its daemon, in the middle of something
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO events VALUES (8)")
    made = backup_box(box, "b", tmp_path / "b.tar.gz")
    writer.close()
    assert made.path.stat().st_mode & 0o077 == 0
    assert (box.team_state.parent / "last_backup").is_file()

    step = restore(replace(ASKED, restore=made.path))
    assert take([step])[0][2] == 2
    assert json.loads((machine / "team_sync/state.json").read_text()) == {"uids": {"mik": 20001}}
    with closing(sqlite3.connect(machine / "var/events.sqlite")) as restored:
        assert restored.execute("SELECT seq FROM events").fetchall() == [(7,)]
    assert step.missing() == [], "the second run restores nothing"


@pytest.mark.parametrize(
    ("more", "told"),
    [("", False), ("[web]\ntabs = 3\n", False), ("web = 3\n", False), ('[web]\noauth_client = "c"\n', True)],
)
def test_after_a_restore_it_is_told_what_takes_a_new_secret(
    box: BoxPaths, machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, told: bool
) -> None:
    box.config.write_text(box.config.read_text() + more)
    take([restore(replace(ASKED, restore=backup_box(box, "b", tmp_path / "b.tar.gz").path))])
    assert ("hero_dev web register" in capsys.readouterr().err) is told


def test_no_key_and_no_token_is_in_a_backup(box: BoxPaths, tmp_path: Path) -> None:
    made = backup_box(box, "b", tmp_path / "b.tar.gz")
    with tarfile.open(made.path) as archive:
        names = archive.getnames()
        content = b"".join(part.read() for name in names if (part := archive.extractfile(name)))
    assert SECRET.encode() not in content
    assert set(names) == {"backup.json", "box.toml", "var/events.sqlite", "team_sync/state.json", "archives.json"}
    assert b"mik-1.tar.zst" in content


def test_a_backup_that_cannot_be_written_leaves_nothing(box: BoxPaths, tmp_path: Path) -> None:
    with pytest.raises(HeroError, match="was not backed up"):
        backup_box(box, "b", tmp_path / "nowhere" / "b.tar.gz")
    box.database.unlink()
    with pytest.raises(HeroError):
        backup_box(box, "b", tmp_path / "b.tar.gz")
    assert not list(tmp_path.glob("*.tar.gz"))


def test_a_box_with_a_state_of_its_own_is_not_overwritten(box: BoxPaths, machine: Path, tmp_path: Path) -> None:
    made = backup_box(box, "b", tmp_path / "b.tar.gz")
    write(machine / "team_sync/state.json", b"{}", 0o600)
    with pytest.raises(Stopped, match="state of its own"):
        take([restore(replace(ASKED, restore=made.path))])
    assert (machine / "team_sync/state.json").read_bytes() == b"{}"


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b broken"])
def test_what_is_no_backup_is_refused(machine: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(Stopped, match="no backup of a box"):
        take([restore(replace(ASKED, restore=tmp_path / "bad"))])
    assert not machine.exists()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "./x"])
def test_a_path_out_of_a_backup_is_refused(machine: Path, tmp_path: Path, name: str) -> None:
    pack(tmp_path / "bad", {name: b"x"})
    with pytest.raises(Stopped, match="holds"):
        take([restore(replace(ASKED, restore=tmp_path / "bad"))])


def test_a_damaged_part_and_another_format_are_refused(machine: Path, tmp_path: Path) -> None:
    index = {"format": 1, "files": {"box.toml": "0" * 64}}
    pack(tmp_path / "bad", {"backup.json": json.dumps(index).encode(), "box.toml": b"x"})
    with pytest.raises(Stopped, match="is damaged"):
        take([restore(replace(ASKED, restore=tmp_path / "bad"))])
    pack(tmp_path / "bad", {"backup.json": b'{"format": 9, "files": {}}'})
    with pytest.raises(Stopped, match="format 9"):
        take([restore(replace(ASKED, restore=tmp_path / "bad"))])


def test_a_file_that_is_not_there_is_named(machine: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="cannot be read"):
        take([restore(replace(ASKED, restore=tmp_path / "gone"))])


def pack(path: Path, content: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
