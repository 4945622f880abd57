"""Equal payloads give equal bytes, and what does not belong into an archive does not get in."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from backends.archives.pack import pack
from backends.model.errors import HeroError
from tests.backends.archives.made import TIME, made_archive, made_payload, sha256_of


def test_the_same_payload_gives_the_same_bytes_whatever_its_times_umask_and_order(tmp_path: Path) -> None:
    share = {f"d{number % 3}/f{number}": os.urandom(100) for number in range(30)}
    first = made_archive(tmp_path / "first", share)
    names = list(share)
    random.shuffle(names)
    umask = os.umask(0o077)
    try:
        second_payload = made_payload(tmp_path / "second", {name: share[name] for name in names})
        for number, path in enumerate(sorted(second_payload.rglob("*"))):
            os.utime(path, (number, number))
        second = pack(second_payload, tmp_path / "second.tar.gz", mtime=TIME)
    finally:
        os.umask(umask)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256 == sha256_of(first.path.read_bytes())
    assert first.size == first.path.stat().st_size


def test_another_time_gives_other_bytes(tmp_path: Path) -> None:
    payload = made_payload(tmp_path)
    assert pack(payload, tmp_path / "a", mtime=1).sha256 != pack(payload, tmp_path / "b", mtime=2).sha256


def test_an_archive_names_no_owner_and_no_time_but_the_given_one(tmp_path: Path) -> None:
    packed = made_archive(tmp_path)
    assert packed.path.read_bytes()[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
    with tarfile.open(packed.path) as tar:
        members = tar.getmembers()
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", TIME)}
    assert {m.mode for m in members} <= {0o644, 0o755}
    assert [m.name for m in members] == sorted(m.name for m in members)


def test_tar_reads_what_we_pack(tmp_path: Path) -> None:
    packed = made_archive(tmp_path, {"ü" * 60 + "/" + "long" * 40: b"x", "plain": b"y"})
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "-xzf", packed.path, "-C", tmp_path / "out"], check=True)
    assert (tmp_path / "out" / "share" / ("ü" * 60) / ("long" * 40)).read_bytes() == b"x"


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "hard link"])
def test_a_special_file_in_the_payload_is_refused(tmp_path: Path, kind: str) -> None:
    payload = made_payload(tmp_path)
    place = payload / "share" / "x"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "hard link":
        os.link(payload / "bin" / "hero_slides", place)
    elif kind == "socket":
        short = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(short / "s"))
        shutil.move(short / "s", place)
        short.rmdir()
    else:
        try:
            os.mknod(place, 0o20600, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("a device node cannot be made here: not root")
    with pytest.raises(HeroError) as refused:
        pack(payload, tmp_path / "out.tar.gz", mtime=TIME)
    assert refused.value.code == "verification"
    assert not (tmp_path / "out.tar.gz").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc", "deck/../../../x", "a\x1b[2Jb"])
def test_a_link_out_of_the_payload_is_refused(tmp_path: Path, target: str) -> None:
    payload = made_payload(tmp_path)
    (payload / "share" / "x").symlink_to(target)
    with pytest.raises(HeroError, match="refused"):
        pack(payload, tmp_path / "out.tar.gz", mtime=TIME)


def test_a_link_through_another_link_and_back_up_is_refused(tmp_path: Path) -> None:
    payload = made_payload(tmp_path)
    (payload / "share" / "deep").mkdir()
    (payload / "share" / "deep" / "top").symlink_to("../..")
    (payload / "share" / "x").symlink_to("deep/top/../../outside")
    with pytest.raises(HeroError, match="leads out"):
        pack(payload, tmp_path / "out.tar.gz", mtime=TIME)


@pytest.mark.parametrize("name", [b"share/\xff\xfe", b"share/a\x1b[31m", b"share/a\nb", b"etc/x", b"other"])
def test_a_name_that_no_archive_may_hold_is_refused(tmp_path: Path, name: bytes) -> None:
    payload = made_payload(tmp_path)
    path = Path(os.fsdecode(os.fsencode(payload) + b"/" + name))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    with pytest.raises(HeroError) as refused:
        pack(payload, tmp_path / "out.tar.gz", mtime=TIME)
    assert refused.value.code == "verification"
    assert "\x1b" not in str(refused.value)


def test_a_cancelled_packing_leaves_nothing(tmp_path: Path) -> None:
    payload = made_payload(tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(HeroError) as error:
        pack(payload, tmp_path / "out" / "a.tar.gz", mtime=TIME, cancelled=lambda: True)
    assert error.value.code == "cancelled"
    assert not list((tmp_path / "out").iterdir())


def test_progress_ends_at_all_bytes(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    pack(
        made_payload(tmp_path), tmp_path / "a", mtime=TIME, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1][0] == seen[-1][1] > 0


def test_a_payload_that_changes_while_it_is_packed_is_refused(tmp_path: Path) -> None:
    payload = made_payload(tmp_path)

    def grow() -> bool:
        (payload / "share" / "deck" / "one.txt").write_bytes(b"longer than before")
        return False

    with pytest.raises(HeroError, match="changed while"):
        pack(payload, tmp_path / "a", mtime=TIME, cancelled=grow)
    assert not (tmp_path / "a").exists()


def test_a_full_disk_stops_the_packing_and_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    payload = made_payload(tmp_path, {"big": os.urandom(1 << 20)})
    with pytest.raises(HeroError) as full:
        pack(payload, small_disk / "a.tar.gz", mtime=TIME)
    assert full.value.code == "no_space"
    assert str(small_disk) in full.value.message
    assert not list(small_disk.iterdir())
