"""Rights of sockets and their folders, access control lists, and sockets that nobody serves."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.doctor import sockets, stale_sockets
from backends.doctor.acl import ACCESS, Entry, effective, parse_acl, read_acl, render_acl
from backends.doctor.found import Found
from backends.doctor.sockets import Expected, Seen, differences, see
from backends.doctor.stale_sockets import SETTLED, stale_in
from tests.backends.doctor.contexts import context_in, found_by

FOLDER = Expected(Path("/run/hero/slots/sara"), "folder", "sara", "sara", 0o700, router=1, router_inherits=7)
GOOD = Seen("folder", 20_001, 20_001, 0o710, named=True, router=1, router_inherits=7)
ROUTER = 999

entries = st.lists(
    st.one_of(
        st.builds(Entry, tag=st.sampled_from(["owner", "group_owner", "mask", "other"]), rights=st.integers(0, 7)),
        st.builds(
            Entry,
            tag=st.sampled_from(["user", "group"]),
            rights=st.integers(0, 7),
            who=st.integers(0, 2**32 - 2),
        ),
    )
)


@given(entries)
def test_a_list_is_read_as_it_was_written(some: list[Entry]) -> None:
    assert list(parse_acl(render_acl(some))) == some


@given(st.binary(max_size=60))
def test_bytes_are_a_list_or_a_value_error(data: bytes) -> None:
    try:
        parsed = parse_acl(data)
    except ValueError:
        return
    assert len(parse_acl(render_acl(parsed))) == len(parsed)


def test_the_mask_takes_rights_away_from_names() -> None:
    named = Entry("user", 7, ROUTER)
    assert effective([named], ROUTER) == 7
    assert effective([named, Entry("mask", 1)], ROUTER) == 1
    assert effective([named, Entry("mask", 0)], ROUTER) == 0
    assert effective([Entry("user", 7, ROUTER + 1)], ROUTER) is None


def test_what_is_as_it_should_be_has_no_difference() -> None:
    assert differences(FOLDER, GOOD, 20_001, 20_001) == []


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (None, "is not there"),
        (replace(GOOD, kind="link"), "is a link, not a folder"),
        (replace(GOOD, uid=4_000_000_000), "belongs to 4000000000, not to sara"),
        (replace(GOOD, gid=7), "has the group 7, not sara"),
        (replace(GOOD, mode=0o711), "has mode 0711, not 0700"),
        (replace(GOOD, named=False), "has mode 0710, not 0700"),
        (replace(GOOD, router=0), "does not let the router in"),
        (replace(GOOD, router=None), "does not let the router in"),
        (replace(GOOD, router_inherits=None), "does not let the router into new sockets"),
    ],
)
def test_each_difference_is_told(seen: Seen | None, told: str) -> None:
    assert differences(FOLDER, seen, 20_001, 20_001) == [told]


def test_an_owner_that_does_not_exist_owns_nothing() -> None:
    assert differences(FOLDER, GOOD, None, None) == [
        "belongs to 20001, not to sara",
        "has the group 20001, not sara",
    ]


def test_a_folder_is_seen_with_the_entry_of_the_router(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "uid_of", lambda _: ROUTER)
    acl = [
        Entry("owner", 7),
        Entry("user", 1, ROUTER),
        Entry("group_owner", 0),
        Entry("mask", 1),
        Entry("other", 0),
    ]
    _set_acl(tmp_path, acl)
    seen = see(tmp_path)
    assert seen
    assert (seen.named, seen.router) == (True, 1)
    tmp_path.chmod(0o700)
    seen = see(tmp_path)
    assert seen
    assert seen.router == 0, "a chmod takes the mask away"
    sockets.unmask(tmp_path, 1)
    assert effective(read_acl(tmp_path, ACCESS), ROUTER) == 1


def _set_acl(path: Path, some: list[Entry]) -> None:
    try:
        os.setxattr(path, ACCESS, render_acl(some))
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        pytest.skip("this file system has no access control lists")


def listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_only_a_socket_that_nobody_serves_and_that_is_not_new_is_stale(short_dir: Path) -> None:
    listen(short_dir / "dead.sock").close()
    (short_dir / "file.sock").touch()
    later = time.time() + SETTLED + 1
    with listen(short_dir / "alive.sock"):
        assert stale_in([short_dir], later) == [short_dir / "dead.sock"]
        assert stale_in([short_dir], time.time()) == []


async def test_a_stale_socket_is_removed_and_one_that_is_served_is_not(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale_sockets, "SETTLED", -1.0)
    context = context_in(short_dir)
    web = context.slot.sockets / "hero_web"
    listen(web / "old.sock").close()
    with listen(web / "web.sock"):
        (found,) = await found_by(stale_sockets.CHECKS, "sockets.slot", context)
        assert found.state == "warn"
        assert "hero_web/old.sock" in found.what
        assert found.repair
        assert "hero_web/old.sock" in await found.repair()
        assert [path.name for path in web.iterdir()] == ["web.sock"]
        (found,) = await found_by(stale_sockets.CHECKS, "sockets.slot", context)
        assert found.state == "ok"


async def test_a_socket_that_is_served_again_by_the_time_of_the_mend_stays(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[[Found, str], Awaitable[None]]
) -> None:
    monkeypatch.setattr(stale_sockets, "SETTLED", -1.0)
    context = context_in(short_dir)
    path = context.slot.sockets / "hero_web" / "web.sock"
    listen(path).close()
    (found,) = await found_by(stale_sockets.CHECKS, "sockets.slot", context)
    path.unlink()
    with listen(path):
        await refused(found, "Somebody listens there by now")
        assert path.exists()


async def test_a_rootless_box_keeps_its_sockets_from_others(short_dir: Path) -> None:
    context = context_in(short_dir)
    folder = context.box.run
    folder.mkdir()
    short_dir.chmod(0o711)
    context.box.root.chmod(0o755)
    folder.chmod(0o755)
    (found,) = await found_by(sockets.CHECKS, "sockets.rights", context)
    assert (found.state, found.mend) == ("warn", f"chmod 700 {folder}")
    assert found.repair
    await found.repair()
    (found,) = await found_by(sockets.CHECKS, "sockets.rights", context)
    assert found.state == "ok"
