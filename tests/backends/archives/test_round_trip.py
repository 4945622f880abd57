"""For any tree: what is unpacked is what was packed. For any damage: it is that, or nothing."""

from __future__ import annotations

import gzip
import os
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.archives.installed import check_installed
from backends.archives.pack import pack
from backends.archives.stage import stage
from backends.archives.unpack import unpack
from backends.model.errors import HeroError
from tests.backends.archives.made import (
    DESCRIPTION,
    TIME,
    crafted,
    made_archive,
    made_provenance,
    made_worktree,
    member,
    tree_of,
    written,
)

PARTS = st.text("abcXYZ019 ._-+üß语😀", min_size=1, max_size=12).filter(lambda part: part not in (".", ".."))
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
TREES = st.dictionaries(NAMES, st.binary(max_size=3000), max_size=8)
LINKS = st.dictionaries(
    PARTS, st.lists(st.sampled_from(["a", "b", ".", "bin"]), min_size=1, max_size=3), max_size=3
)
HOSTILE = st.lists(st.sampled_from(["..", ".", "", "a", "b", "share", "bin", "l", "/", "\0", "\x1b"]), max_size=6)
KINDS = [bytes([kind]) for kind in b"01234567SxgLK"]

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def is_folder(name: str, names: Iterable[str]) -> bool:
    """Whether `name` must be a folder, as another of `names` is in it."""
    return any(other.startswith(f"{name}/") for other in names)


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def fits(folder: Path, names: list[str]) -> bool:
    """Whether no name is the folder of another."""
    return not any(other.startswith(f"{name}/") for name in names for other in names)


@quick
@given(TREES, LINKS)
def test_what_is_unpacked_is_what_was_packed(tree: dict[str, bytes], links: dict[str, list[str]]) -> None:
    with tempfile.TemporaryDirectory(prefix="h") as name:
        folder = Path(name)
        files = {f"d/{path}": content for path, content in tree.items() if not is_folder(path, tree)}
        worktree = made_worktree(folder / "w", files or None)
        (worktree / "share" / "empty").mkdir()
        for link, parts in links.items():
            (worktree / "share" / "empty" / link).symlink_to("../" + "/".join(parts))
        stage(folder / "p", worktree, ["hero_slides", "share"], DESCRIPTION, made_provenance())
        packed = pack(folder / "p", folder / "a", mtime=TIME)
        unpack(packed.path, folder / "x", sha256=packed.sha256)
        assert tree_of(folder / "x") == tree_of(folder / "p")
        assert not check_installed(folder / "x")
        assert pack(folder / "p", folder / "b", mtime=TIME).sha256 == packed.sha256


@quick
@given(st.data())
def test_one_changed_byte_is_never_installed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory(prefix="h") as name:
        folder = Path(name)
        packed = made_archive(folder / "a")
        content = bytearray(packed.path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
        changed = folder / "changed"
        sha256 = written(changed, bytes(content))
        assert refuses(changed, folder / "opt" / "x", packed.sha256)
        # Even with the digest of the damaged archive: the same tree as the good one's, or nothing.
        if not refuses(changed, folder / "opt" / "x", sha256):
            assert tree_of(folder / "opt" / "x") == tree_of(folder / "a" / "payload")


@quick
@given(st.data())
def test_a_damaged_tar_in_a_sound_gzip_gives_a_verified_tree_or_nothing(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory(prefix="h") as name:
        folder = Path(name)
        raw = bytearray(gzip.decompress(made_archive(folder / "a").path.read_bytes()))
        for _ in range(data.draw(st.integers(1, 3))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        sha256 = written(folder / "changed", gzip.compress(bytes(raw), mtime=0))
        if not refuses(folder / "changed", folder / "opt" / "x", sha256):
            assert not check_installed(folder / "opt" / "x")


@quick
@given(
    st.lists(st.tuples(HOSTILE, st.sampled_from(KINDS), HOSTILE, st.binary(max_size=20)), max_size=4),
    st.booleans(),
)
def test_no_archive_writes_outside_its_folder(
    members: list[tuple[list[str], bytes, list[str], bytes]], before: bool
) -> None:
    with tempfile.TemporaryDirectory(prefix="h") as name:
        folder = Path(name)
        extra = [member("/".join(parts), content, kind, "/".join(to)) for parts, kind, to, content in members]
        sha256 = crafted(folder / "a", extra, before=before, tar_format=tarfile.GNU_FORMAT)
        refused = refuses(folder / "a", folder / "opt" / "x", sha256)
        assert {path.name for path in folder.iterdir()} <= {"a", "opt"}
        assert [path.name for path in (folder / "opt").iterdir()] == ([] if refused else ["x"])
        for path in (folder / "opt").rglob("*"):
            assert Path(os.path.realpath(path)).is_relative_to(folder / "opt" / "x")


@quick
@given(st.binary(max_size=2000))
def test_any_bytes_as_a_tar_are_refused_cleanly(raw: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="h") as name:
        folder = Path(name)
        sha256 = written(folder / "a", gzip.compress(raw))
        assert refuses(folder / "a", folder / "opt" / "x", sha256)
        assert not list((folder / "opt").iterdir())


def refuses(archive: Path, dest: Path, sha256: str) -> bool:
    try:
        unpack(archive, dest, sha256=sha256)
    except HeroError as error:
        assert error.code == "verification"  # noqa: PT017 — some damage changes nothing
        assert not dest.exists()
        return True
    return False
