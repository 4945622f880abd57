"""Which file system a folder is on: mountinfo as kernels write it, btrfs told apart, one entry for one room."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends import disk_space
from backends.disk_space import Mount, mount_of, read_mounts, space_of, spaces_of

TABLE = (
    "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
    "30 22 0:25 /@home /home rw - btrfs /dev/sdb1 rw,subvol=/@home\n"
    "31 22 0:26 /@var /srv/my\\040box rw master:1 - btrfs /dev/sdb1 rw,subvol=/@var\n"
    "32 22 0:40 / /tmp rw - tmpfs tmpfs rw\n"
    "broken line\n"
)


def test_mounts_are_read_with_their_escapes_and_what_is_broken_is_left_out(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    assert [mount.point for mount in read_mounts(table)] == ["/", "/home", "/srv/my box", "/tmp"]
    assert read_mounts(tmp_path / "nothing") == []


@pytest.mark.parametrize(
    ("path", "point"),
    [("/home/mik", "/home"), ("/homework", "/"), ("/srv/my box", "/srv/my box"), ("/tmp", "/tmp"), ("/", "/")],
)
def test_a_path_lies_on_the_mount_with_the_longest_name(path: str, point: str, tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(TABLE)
    assert mount_of(path, read_mounts(tmp_path / "mountinfo")).point == point


def test_a_later_mount_hides_an_earlier_one_at_the_same_place() -> None:
    mounts = [Mount("/", "ext4", "/dev/a"), Mount("/x", "ext4", "/dev/b"), Mount("/x", "tmpfs", "tmpfs")]
    assert mount_of("/x/y", mounts).kind == "tmpfs"


def test_a_real_folder_is_told_with_its_room(tmp_path: Path) -> None:
    space = space_of(tmp_path)
    assert 0 < space.used + space.free <= space.total
    assert 0 <= space.share <= 1
    assert space.mount.startswith("/")


def test_places_on_one_file_system_are_one_entry_and_subvolumes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    mounts = [Mount(str(tmp_path / name), "btrfs", "/dev/sdb1") for name in ("a", "b")]
    monkeypatch.setattr(disk_space, "read_mounts", lambda: mounts)
    told = spaces_of({"box": tmp_path / "a", "homes": tmp_path / "b", "gone": tmp_path / "c"})
    assert [(one.holds, one.shared, one.kind) for one in told] == [(("box", "homes"), True, "btrfs")]
