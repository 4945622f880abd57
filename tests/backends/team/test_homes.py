"""What root has done in a home stays in that home, whatever its user has put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.team.as_user.keys import BEGIN, END, merged
from backends.team.homes import Owner, in_home
from tests.backends.team.conftest import UID, child

KEY = "ssh-ed25519 AAAA alice@laptop"
OLD = "ssh-ed25519 BBBB alice@old"
OWN = b"ssh-rsa CCCC of my own\n"


async def keys(owner: Owner, *lines: str, strict: bool = False) -> None:
    await in_home(owner, "keys", child=child(), lines=list(lines), strict=strict)


async def make(owner: Owner, *, fresh: bool = True) -> None:
    await in_home(owner, "make", child=child(), sockets="/run/hero/slots/alice", fresh=fresh)


async def seed(owner: Owner, text: str = "schema = 1\n") -> None:
    await in_home(owner, "seed", child=child(), manifest=text)


def by_user(path: Path, *, text: str | None = None, link: str | Path | None = None, folder: bool = False) -> Path:
    """Something that the user has made."""
    path.parent.mkdir(exist_ok=True)
    if link is not None:
        path.symlink_to(link)
    elif folder:
        path.mkdir()
    elif text is not None:
        path.write_text(text)
    else:
        os.mkfifo(path)
    for one in (path, path.parent):
        os.chown(one, UID, UID, follow_symlinks=False)
    return path


@pytest.fixture
def elsewhere(owner: Owner) -> Path:
    """A folder of root's beside the home, which every user may read; nothing in it may change."""
    folder = Path(owner.home).parent / "elsewhere"
    folder.mkdir(mode=0o755)
    (folder / "file").write_text("root's own\n")
    return folder


def untouched(elsewhere: Path) -> bool:
    return [one.name for one in elsewhere.iterdir()] == ["file"] and (
        elsewhere / "file"
    ).read_text() == "root's own\n"


async def test_a_new_home_has_a_slot_keys_and_a_manifest_that_are_all_its_users(owner: Owner) -> None:
    await make(owner)
    await keys(owner, KEY)
    await seed(owner)
    home = Path(owner.home)
    assert str((home / "hero/var/sockets").readlink()) == "/run/hero/slots/alice"
    assert (home / "hero/cfg/dev_manifest.toml").read_text() == "schema = 1\n"
    assert (home / ".ssh/authorized_keys").read_text().splitlines()[1] == KEY
    everything = [home, *home.rglob("*")]
    assert {one.lstat().st_uid for one in everything} == {UID}
    assert not any(one.stat().st_mode & 0o077 for one in everything if not one.is_symlink())


async def test_a_manifest_that_is_there_is_never_written_again(owner: Owner) -> None:
    await make(owner)
    await seed(owner, "schema = 1 # first\n")
    await seed(owner, "schema = 1 # second\n")
    assert "first" in (Path(owner.home) / "hero/cfg/dev_manifest.toml").read_text()


async def test_keys_of_the_users_own_stay_and_ours_are_replaced(owner: Owner) -> None:
    path = by_user(Path(owner.home) / ".ssh" / "authorized_keys", text=OWN.decode())
    await keys(owner, OLD)
    await keys(owner, KEY)
    assert path.read_bytes() == OWN + b"\n".join([BEGIN, KEY.encode(), END]) + b"\n"
    await keys(owner)
    assert path.read_bytes() == OWN


async def test_a_strict_team_leaves_no_other_key_nor_a_place_to_hide_one(owner: Owner) -> None:
    ssh = Path(owner.home) / ".ssh"
    by_user(ssh / "authorized_keys", text=OWN.decode() + "# a comment\n")
    by_user(ssh / "authorized_keys2", text=OWN.decode())
    await keys(owner, KEY, strict=True)
    assert (ssh / "authorized_keys").read_text() == f"# a comment\n{BEGIN.decode()}\n{KEY}\n{END.decode()}\n"
    assert not (ssh / "authorized_keys2").exists()
    assert (await in_home(owner, "look", child=child(), lines=[KEY], strict=True))["current"] is True
    by_user(ssh / "authorized_keys2", text="")
    assert (await in_home(owner, "look", child=child(), lines=[KEY], strict=True))["current"] is False


@pytest.mark.parametrize("place", [".ssh", ".ssh/authorized_keys", "hero", "hero/var", "hero/cfg"])
async def test_a_link_in_the_home_leads_nowhere(owner: Owner, elsewhere: Path, place: str) -> None:
    target = elsewhere / "file" if place.endswith("keys") else elsewhere
    by_user(Path(owner.home) / place, link=target)
    elsewhere.chmod(0o777)  # even where the user might write, it is not done for root's sake
    with pytest.raises(HeroError) as caught:
        await make(owner, fresh=False)
        await keys(owner, KEY)
        await seed(owner)
    assert caught.value.code == "conflict"
    assert "a link" in caught.value.message
    assert untouched(elsewhere)


async def test_a_strict_team_puts_links_aside_and_follows_none(owner: Owner, elsewhere: Path) -> None:
    elsewhere.chmod(0o777)
    by_user(Path(owner.home) / ".ssh", link=elsewhere)
    await keys(owner, KEY, strict=True)
    ssh = Path(owner.home) / ".ssh"
    assert not ssh.is_symlink()
    (ssh / "authorized_keys").unlink()
    by_user(ssh / "authorized_keys", link=elsewhere / "file")
    await keys(owner, KEY, strict=True)
    assert KEY in (ssh / "authorized_keys").read_text()
    assert untouched(elsewhere)


async def test_links_to_the_machines_own_files_change_nothing_there(owner: Owner) -> None:
    before = {path: Path(path).stat().st_mtime_ns for path in ("/etc", "/etc/shadow", "/root")}
    by_user(Path(owner.home) / ".ssh", folder=True)
    by_user(Path(owner.home) / ".ssh" / "authorized_keys", link="/etc/shadow")
    by_user(Path(owner.home) / "hero", link="/etc")
    for work in (make(owner), keys(owner, KEY), seed(owner)):
        with pytest.raises(HeroError):
            await work
    await keys(owner, KEY, strict=True)
    assert {path: Path(path).stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("place", [".ssh", ".ssh/authorized_keys", "hero", "hero/cfg", "hero/var/sockets"])
async def test_a_pipe_in_place_of_a_file_stops_nobody(owner: Owner, place: str) -> None:
    parent = (Path(owner.home) / place).parent
    parent.mkdir(parents=True, exist_ok=True)
    for folder in (parent, parent.parent):
        os.chown(folder, UID, UID)
    by_user(Path(owner.home) / place)
    with pytest.raises(HeroError, match="a pipe"):
        await make(owner, fresh=False)
        await seed(owner)
        await keys(owner, KEY)


async def test_a_huge_file_is_not_read_whole(owner: Owner) -> None:
    path = by_user(Path(owner.home) / ".ssh" / "authorized_keys", text="")
    os.truncate(path, 1 << 40)
    with pytest.raises(HeroError, match="more than"):
        await keys(owner, KEY)
    await keys(owner, KEY, strict=True)
    assert KEY in path.read_text()


async def test_a_folder_in_place_of_the_keys_is_told(owner: Owner) -> None:
    by_user(Path(owner.home) / ".ssh", folder=True)
    by_user(Path(owner.home) / ".ssh" / "authorized_keys", folder=True)
    with pytest.raises(HeroError, match="a folder"):
        await keys(owner, KEY)


async def test_a_file_of_roots_in_the_home_is_not_taken_for_the_users(owner: Owner) -> None:
    path = by_user(Path(owner.home) / ".ssh" / "authorized_keys", text=OWN.decode())
    os.chown(path, 0, 0)
    with pytest.raises(HeroError, match="belongs to uid 0"):
        await keys(owner, KEY)


async def test_a_home_that_is_a_link_or_somebody_elses_is_not_entered(owner: Owner, elsewhere: Path) -> None:
    home = Path(owner.home)
    home.rmdir()
    home.symlink_to(elsewhere)
    with pytest.raises(HeroError, match="cannot be entered"):
        await make(owner)
    home.unlink()
    home.mkdir()
    with pytest.raises(HeroError, match=r"cannot be entered|belongs to uid 0"):
        await keys(owner, KEY)
    assert untouched(elsewhere)


async def test_root_itself_is_never_the_user(owner: Owner) -> None:
    for uid, gid in ((0, UID), (UID, 0)):
        with pytest.raises(HeroError, match="nothing is done"):
            await make(Owner("alice", uid, gid, owner.home))


async def test_a_process_that_hangs_or_babbles_is_ended(owner: Owner) -> None:
    with pytest.raises(HeroError) as caught:
        await in_home(owner, "make", child=("sleep", "60"), seconds=0.2)
    assert caught.value.code == "timeout"
    with pytest.raises(HeroError, match="gave no answer"):
        await in_home(owner, "make", child=("yes",), seconds=10)
    with pytest.raises(HeroError, match="gave no answer"):
        await in_home(owner, "make", child=("echo", "[1]"))


async def test_an_answer_reaches_nobodys_terminal_as_it_is(owner: Owner) -> None:
    with pytest.raises(HeroError) as caught:
        await in_home(owner, "make", child=("echo", '{"refused": "\\u001b[31mred"}'))
    assert "\x1b" not in str(caught.value)


async def test_unpushed_work_is_counted_and_its_repositorys_programs_never_run(owner: Owner) -> None:
    tree = Path(owner.home) / "hero" / "src" / "hero_web" / "development"
    tree.mkdir(parents=True)
    trap = Path(owner.home) / "trapped"
    git = f"git -c user.name=a -c user.email=a@b.example -C {tree}"
    os.system(f"git init -q {tree} && {git} commit -q --allow-empty -m one")
    (tree / ".git/hooks/post-index-change").write_text(f"#!/bin/sh\ntouch {trap}\n")
    (tree / ".git/hooks/post-index-change").chmod(0o755)
    os.system(f"git -C {tree} config core.fsmonitor 'touch {trap}'; echo x > {tree}/new")
    os.system(f"chown -R {UID}:{UID} {owner.home}")
    by_user(Path(owner.home) / "hero" / "src" / "linked", link="/")
    found = await in_home(owner, "unpushed", child=child())
    assert found == {
        "worktrees": [{"worktree": "hero/src/hero_web/development", "changed": 1, "commits": 1}],
        "complete": True,
    }
    assert not trap.exists()


async def test_the_process_can_gain_no_privilege(owner: Owner, tmp_path: Path) -> None:
    said = await in_home(
        owner,
        "x",
        child=(
            child()[0],
            "-c",
            "import json,os; print(json.dumps({'done': {'id': os.getresuid(), 'g': os.getgroups()}}))",
        ),
    )
    assert said == {"id": [UID] * 3, "g": []}


lines = st.lists(
    st.sampled_from(
        [
            BEGIN,
            END,
            KEY.encode(),
            OLD.encode(),
            b"# mine",
            b"",
            b"ssh-rsa X",
            b"# BEGIN hero-team",
            b" # END hero-team",
        ]
    )
    | st.binary(max_size=8).filter(lambda text: b"\n" not in text and b"\r" not in text)
)


@given(lines, st.sampled_from([[], [KEY], [KEY, OLD]]), st.booleans())
def test_our_block_is_there_once_whatever_was_there(before: list[bytes], wanted: list[str], strict: bool) -> None:
    text = b"".join(line + b"\n" for line in before)
    after = merged(text, wanted, strict)
    assert merged(after, wanted, strict) == after
    assert after.count(BEGIN) == after.count(b"# BEGIN hero-team") == (1 if wanted else 0)
    if strict:
        loose = [line for line in after.splitlines() if line.strip() and not line.strip().startswith(b"#")]
        assert loose == [line.encode() for line in wanted]


def test_the_mode_of_what_is_written_is_only_the_users(owner: Owner) -> None:
    assert stat.S_IMODE(Path(owner.home).stat().st_mode) == 0o700
