"""An archive is installed complete or not at all, and never writes outside its own folder."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.archives.installed import check_installed, is_complete
from backends.archives.trees import TEMPORARY, sweep
from backends.archives.unpack import MAX_BYTES, MAX_FILES, unpack
from backends.model.errors import HeroError
from backends.model.provenance import to_json
from tests.backends.archives.made import (
    DESCRIPTION,
    crafted,
    made_archive,
    made_payload,
    made_provenance,
    member,
    sha256_of,
    tree_of,
    written,
)


def refusal(
    archive: Path, sha256: str, dest: Path, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES
) -> HeroError:
    """The error of unpacking `archive`; nothing may be left anywhere near `dest`."""
    before = sorted(path for path in dest.parent.parent.rglob("*") if path != dest.parent)
    with pytest.raises(HeroError) as refused:
        unpack(archive, dest, sha256=sha256, max_bytes=max_bytes, max_files=max_files)
    assert sorted(path for path in dest.parent.parent.rglob("*") if path != dest.parent) == before
    return refused.value


def test_a_good_archive_is_installed_as_it_was_packed(tmp_path: Path) -> None:
    payload = made_payload(tmp_path)
    packed = made_archive(tmp_path / "again")
    done = unpack(packed.path, tmp_path / "opt" / "x", sha256=packed.sha256)
    assert done.fresh
    assert done.description.name == "hero_slides"
    assert tree_of(tmp_path / "opt" / "x") == tree_of(payload)
    assert not check_installed(tmp_path / "opt" / "x")
    assert [path.name for path in (tmp_path / "opt").iterdir()] == ["x"]


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    packed = made_archive(tmp_path)
    umask = os.umask(0o077)
    try:
        unpack(packed.path, tmp_path / "opt" / "x", sha256=packed.sha256)
    finally:
        os.umask(umask)
    assert {mode for _, _, mode in tree_of(tmp_path / "opt" / "x").values()} == {0o644, 0o755}
    assert (tmp_path / "opt" / "x").stat().st_mode & 0o777 == 0o755


def test_the_archive_that_is_installed_already_is_not_unpacked_again(tmp_path: Path) -> None:
    packed = made_archive(tmp_path)
    unpack(packed.path, tmp_path / "x", sha256=packed.sha256)
    inode = (tmp_path / "x").stat().st_ino
    packed.path.unlink()
    assert not unpack(packed.path, tmp_path / "x", sha256=packed.sha256).fresh
    assert (tmp_path / "x").stat().st_ino == inode


@pytest.mark.parametrize("there", ["half", "file", "link", "other archive", "empty"])
def test_what_stands_in_the_way_is_replaced(tmp_path: Path, there: str) -> None:
    packed, dest = made_archive(tmp_path / "a"), tmp_path / "opt" / "x"
    dest.parent.mkdir()
    if there == "half":
        (dest / "bin").mkdir(parents=True)
    elif there == "file":
        dest.write_text("x")
    elif there == "link":
        dest.symlink_to("nowhere")
    elif there == "empty":
        dest.mkdir()
    else:
        other = made_archive(tmp_path / "b", {"other": b"other"})
        unpack(other.path, dest, sha256=other.sha256)
    assert unpack(packed.path, dest, sha256=packed.sha256).fresh
    assert not check_installed(dest)
    assert [path.name for path in dest.parent.iterdir()] == ["x"]


def test_a_wrong_sha256_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    packed = made_archive(tmp_path)
    error = refusal(packed.path, "0" * 64, tmp_path / "opt" / "x")
    assert error.code == "verification"
    assert error.data["expected"] == "0" * 64
    assert error.data["found"] == packed.sha256
    assert not (tmp_path / "opt").exists()


def test_a_refused_archive_leaves_the_installed_one_as_it_was(tmp_path: Path) -> None:
    packed, bad, dest = made_archive(tmp_path), tmp_path / "bad", tmp_path / "opt" / "x"
    unpack(packed.path, dest, sha256=packed.sha256)
    sha256 = crafted(bad, [member("../evil", b"x")])
    refusal(bad, sha256, dest)
    assert is_complete(dest, packed.sha256)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_archive_is_never_installed(tmp_path: Path, share: float) -> None:
    content = made_archive(tmp_path / "a", {"big": os.urandom(200_000)}).path.read_bytes()
    cut = content[: int(len(content) * share)]
    error = refusal(tmp_path / "cut", written(tmp_path / "cut", cut), tmp_path / "opt" / "x")
    assert error.code == "verification"
    assert ("truncated" if share else "empty") in error.message


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"<html>not found</html>", "not a gzip"),
        (gzip.compress(b""), "truncated"),
        (gzip.compress(b"no tar" * 200), "refused"),
        (gzip.compress(bytes(1024)), "has no hero_service.toml"),
    ],
    ids=["nothing", "a page", "an empty gzip", "no tar", "an empty tar"],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    error = refusal(tmp_path / "a", written(tmp_path / "a", content), tmp_path / "opt" / "x")
    assert error.code == "verification"
    assert why in error.message


@pytest.mark.parametrize(
    "after", [b"x", b"\0", gzip.compress(b"x"), gzip.compress(b"")], ids=["byte", "zero", "gzip", "empty gzip"]
)
def test_bytes_after_the_end_are_refused(tmp_path: Path, after: bytes) -> None:
    content = made_archive(tmp_path / "a").path.read_bytes() + after
    assert (
        "after its end"
        in refusal(tmp_path / "b", written(tmp_path / "b", content), tmp_path / "opt" / "x").message
    )


def test_a_second_tar_behind_the_first_is_refused(tmp_path: Path) -> None:
    raw = gzip.decompress(made_archive(tmp_path / "a").path.read_bytes())
    content = gzip.compress(raw + raw)
    assert (
        "after its end"
        in refusal(tmp_path / "b", written(tmp_path / "b", content), tmp_path / "opt" / "x").message
    )


BAD_MEMBERS = {
    "a parent": ([member("../evil", b"x")], "leads out"),
    "a parent inside": ([member("share/../../evil", b"x")], "leads out"),
    "an absolute name": ([member("/tmp/evil", b"x")], "absolute name"),
    "an empty part": ([member("share//evil", b"x")], "empty part"),
    "a dot part": ([member("share/./evil", b"x")], "empty part"),
    "a backslash": ([member("share/..\\evil", b"x")], "backslash"),
    "an escape": ([member("share/\x1b[31mevil", b"x")], "control"),
    "a new line": ([member("share/a\nb", b"x")], "control"),
    "another top": ([member("etc/evil", b"x")], "at its top"),
    "our marker": ([member(".installed.json", b"{}")], "at its top"),
    "bin as a link": ([member("share", kind=tarfile.SYMTYPE, target="bin")], "must be a folder"),
    "a link's absolute target": ([member("share/l", kind=tarfile.SYMTYPE, target="/etc/passwd")], "absolute"),
    "a link's empty target": ([member("share/l", kind=tarfile.SYMTYPE)], "empty target"),
    "a link out": ([member("share/l", kind=tarfile.SYMTYPE, target="../../x")], "leads out"),
    "a link out through one": ([member("share/l", kind=tarfile.SYMTYPE, target="a/../../x")], "leads out"),
    "a member below a link": (
        [member("share/l", kind=tarfile.SYMTYPE, target="../bin"), member("share/l/x", b"x")],
        "below a file or a link",
    ),
    "a folder over a link": (
        [member("share/l", kind=tarfile.SYMTYPE, target="../bin"), member("share/l/", kind=tarfile.DIRTYPE)],
        "same name twice",
    ),
    "a member below a file": ([member("share/f", b"x"), member("share/f/x", b"x")], "below a file"),
    "a hard link": ([member("share/h", kind=tarfile.LNKTYPE, target="bin/hero_slides")], "hard link"),
    "a hard link out": ([member("share/h", kind=tarfile.LNKTYPE, target="/etc/passwd")], "hard link"),
    "a character device": ([member("share/d", kind=tarfile.CHRTYPE)], "character device"),
    "a block device": ([member("share/d", kind=tarfile.BLKTYPE)], "block device"),
    "a pipe": ([member("share/p", kind=tarfile.FIFOTYPE)], "named pipe"),
    "a contiguous file": ([member("share/c", kind=tarfile.CONTTYPE)], "unknown kind"),
    "a sparse file": ([member("share/s", kind=tarfile.GNUTYPE_SPARSE)], "sparse"),
    "the same file twice": ([member("share/f", b"x"), member("share/f", b"x")], "same name twice"),
    "the same file, spelt otherwise": ([member("share/f", b"x"), member("./share/f", b"x")], "same name twice"),
    "too long a name": ([member("share/" + "x" * 2000, b"x")], "too long"),
    "too deep a name": ([member("share/" + "d/" * 100 + "x", b"x")], "too long or too deep"),
    "a folder with content": ([member("share", b"x", kind=tarfile.DIRTYPE)], "with content"),
}


@pytest.mark.parametrize("case", BAD_MEMBERS)
@pytest.mark.parametrize("before", [True, False], ids=["first", "last"])
def test_an_archive_with_a_bad_member_is_never_installed(tmp_path: Path, case: str, before: bool) -> None:
    members, why = BAD_MEMBERS[case]
    sha256 = crafted(tmp_path / "bad", members, before=before)
    error = refusal(tmp_path / "bad", sha256, tmp_path / "opt" / "x")
    assert error.code == "verification"
    assert why in error.message
    assert "\x1b" not in str(error)


@pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT])
def test_archives_of_other_tars_are_read(tmp_path: Path, tar_format: int) -> None:
    names = ["share/" + "d" * 80 + "/" + "f" * 80, "./share/plain"]
    if tar_format != tarfile.USTAR_FORMAT:
        names.append("share/" + "g" * 150)
    extra = [member(names[0], b"long"), member("share/plain", b"y"), *(member(name, b"z") for name in names[2:])]
    extra.append(member("share/link", kind=tarfile.SYMTYPE, target="d/" * 20 + "x"))
    sha256 = crafted(tmp_path / "a", extra, tar_format=tar_format)
    unpack(tmp_path / "a", tmp_path / "x", sha256=sha256)
    assert (tmp_path / "x" / names[0]).read_bytes() == b"long"
    assert not check_installed(tmp_path / "x")


def test_setuid_bits_are_dropped(tmp_path: Path) -> None:
    sha256 = crafted(tmp_path / "a", [])
    unpack(tmp_path / "a", tmp_path / "x", sha256=sha256)
    assert (tmp_path / "x" / "bin" / "hero_slides").stat().st_mode & 0o7777 == 0o755


def test_a_name_that_is_not_utf8_and_one_with_a_nul_are_refused(tmp_path: Path) -> None:
    for name in (b"share/\xff", b"share/a\0b"):
        body = b"path=" + name + b"\n"
        record = b"%d %s" % (len(body) + 3, body)
        extended = tarfile.TarInfo("x")
        extended.type, extended.size = tarfile.XHDTYPE, len(record)
        sha256 = crafted(
            tmp_path / "a", [(extended, record), member("share/f", b"x")], tar_format=tarfile.USTAR_FORMAT
        )
        error = refusal(tmp_path / "a", sha256, tmp_path / "opt" / "x")
        assert "UTF-8" in error.message or "NUL" in error.message


def test_a_zip_bomb_is_stopped_early(tmp_path: Path) -> None:
    sha256 = crafted(tmp_path / "bomb", [member("share/zeros", bytes(100 << 20))])
    assert "far more than it should" in refusal(tmp_path / "bomb", sha256, tmp_path / "opt" / "x").message


def test_more_bytes_or_members_than_allowed_are_refused(tmp_path: Path) -> None:
    sha256 = crafted(tmp_path / "a", [member(f"share/{number}", b"x" * 1000) for number in range(50)])
    assert "far more" in refusal(tmp_path / "a", sha256, tmp_path / "opt" / "x", max_bytes=30_000).message
    assert "more than 20" in refusal(tmp_path / "a", sha256, tmp_path / "opt" / "x", max_files=20).message
    unpack(tmp_path / "a", tmp_path / "opt" / "x", sha256=sha256, max_bytes=200_000, max_files=60)


def tar_with(path: Path, files: dict[str, bytes]) -> str:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in files.items():
            info, _ = member(name, content)
            tar.addfile(info, io.BytesIO(content))
    return written(path, gzip.compress(raw.getvalue()))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"provenance.json": None}, "has no provenance.json"),
        ({"hero_service.toml": None}, "has no hero_service.toml"),
        ({"provenance.json": b"{"}, "does not parse"),
        ({"provenance.json": b"\xff"}, "does not parse"),
        ({"hero_service.toml": b"schema = 1\n"}, "does not parse"),
        ({"bin/hero_slides": b"changed"}, "another sha256"),
        ({"bin/hero_slides": None}, "does not hold"),
        ({"bin/more": b"more"}, "does not name"),
    ],
)
def test_a_tree_that_its_provenance_does_not_cover_is_refused(
    tmp_path: Path, change: dict[str, bytes | None], why: str
) -> None:
    good = {"hero_service.toml": DESCRIPTION.encode(), "bin/hero_slides": b"program"}
    recorded = to_json(made_provenance({name: sha256_of(content) for name, content in good.items()}))
    changed = good | {"provenance.json": recorded.encode()} | change
    sha256 = tar_with(tmp_path / "a", {name: content for name, content in changed.items() if content is not None})
    assert why in refusal(tmp_path / "a", sha256, tmp_path / "opt" / "x").message


def test_an_archive_changed_between_check_and_use_is_not_installed(tmp_path: Path) -> None:
    packed = made_archive(tmp_path / "a", {"big": os.urandom(300_000)})
    other = made_archive(tmp_path / "b", {"big": os.urandom(200_000)}).path.read_bytes()

    def overwrite_once_verified(done: int, total: int) -> None:
        if done == 0:
            with packed.path.open("r+b") as file:
                file.write(other)
                file.truncate()

    with pytest.raises(HeroError, match="wrong sha256") as refused:
        unpack(packed.path, tmp_path / "opt" / "x", sha256=packed.sha256, progress=overwrite_once_verified)
    assert refused.value.code == "verification"
    assert not list((tmp_path / "opt").iterdir())


def test_a_pipe_or_a_missing_file_in_the_archives_place_is_an_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe", "0" * 64, tmp_path / "opt" / "x").code == "verification"
    assert refusal(tmp_path / "none", "0" * 64, tmp_path / "opt" / "x").code == "not_found"


def test_a_cancelled_unpacking_leaves_nothing(tmp_path: Path) -> None:
    packed = made_archive(tmp_path / "a", {"big": os.urandom(300_000)})
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    with pytest.raises(HeroError) as error:
        unpack(packed.path, tmp_path / "opt" / "x", sha256=packed.sha256, cancelled=cancelled)
    assert error.value.code == "cancelled"
    assert not list((tmp_path / "opt").iterdir())


def test_progress_reaches_the_size_of_the_archive(tmp_path: Path) -> None:
    packed, seen = made_archive(tmp_path), []
    unpack(
        packed.path, tmp_path / "x", sha256=packed.sha256, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (packed.size, packed.size)


def test_a_full_disk_stops_the_unpacking_and_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    packed = made_archive(tmp_path, {"big": os.urandom(1 << 20)})
    with pytest.raises(HeroError) as full:
        unpack(packed.path, small_disk / "opt" / "x", sha256=packed.sha256)
    assert full.value.code == "no_space"
    assert str(small_disk / "opt" / "x") in full.value.message
    assert not list((small_disk / "opt").iterdir())


def test_many_at_once_install_one_tree(tmp_path: Path) -> None:
    packed, errors = made_archive(tmp_path), []

    def install() -> None:
        try:
            unpack(packed.path, tmp_path / "opt" / "x", sha256=packed.sha256)
        except HeroError as error:
            errors.append(error)

    threads = [threading.Thread(target=install) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert not check_installed(tmp_path / "opt" / "x")
    assert [path.name for path in (tmp_path / "opt").iterdir()] == ["x"]


@pytest.mark.parametrize("failpoint", ["member", "before_rename"])
def test_a_killed_unpacking_leaves_only_what_a_sweep_removes(
    tmp_path: Path, killed_at: Callable[..., None], failpoint: str
) -> None:
    packed, dest = made_archive(tmp_path), tmp_path / "opt" / "x"
    killed_at(f"archives.unpack.{failpoint}", "unpack", packed.path, dest, packed.sha256)
    assert all(path.name.startswith(TEMPORARY) for path in dest.parent.iterdir())
    assert len(sweep(dest.parent)) == 1
    assert not list(dest.parent.iterdir())
    assert unpack(packed.path, dest, sha256=packed.sha256).fresh
    assert not check_installed(dest)


def test_an_unpacking_killed_after_its_rename_has_installed_the_tree(
    tmp_path: Path, killed_at: Callable[..., None]
) -> None:
    packed, dest = made_archive(tmp_path), tmp_path / "opt" / "x"
    killed_at("archives.unpack.after_rename", "unpack", packed.path, dest, packed.sha256)
    assert is_complete(dest, packed.sha256)
    assert not check_installed(dest)
