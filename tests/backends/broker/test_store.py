"""Keys on disk: sealed or not, whole or not there, and never quoted by what goes wrong."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from backends.broker.sealing import CREDENTIAL, Sealing, given_sealing
from backends.broker.store import KeyStore, check_secret, check_slot
from backends.model.errors import HeroError
from tests.backends.broker.made_broker import ONE, SECRET_ONE, SECRET_TWO, TWO

KEY = bytes(range(32))


def opened(folder: Path, key: bytes | None = KEY) -> KeyStore:
    store = KeyStore(folder / "store", Sealing(key) if key else None)
    store.load()
    return store


def test_a_sealed_key_is_read_again_and_not_found_on_disk(tmp_path: Path) -> None:
    made = opened(tmp_path).put(ONE, SECRET_ONE, "carol")
    (path,) = (tmp_path / "store").iterdir()
    assert SECRET_ONE not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    again = opened(tmp_path)
    assert again.get(ONE) == made
    assert again.problems == ()
    assert SECRET_ONE not in repr(made)


def test_without_a_store_key_it_works_and_says_so(tmp_path: Path) -> None:
    opened(tmp_path, None).put(ONE, SECRET_ONE, "carol")
    again = opened(tmp_path, None)
    assert again.get(ONE)
    assert "unencrypted" in again.problems[0]


def test_what_was_kept_without_a_store_key_is_sealed_once_there_is_one(tmp_path: Path) -> None:
    opened(tmp_path, None).put(ONE, SECRET_ONE, "carol")
    assert opened(tmp_path).problems == ()
    assert SECRET_ONE not in (tmp_path / "store" / f"{ONE}.key").read_text()


def test_another_store_key_opens_nothing_and_the_file_stays(tmp_path: Path) -> None:
    opened(tmp_path).put(ONE, SECRET_ONE, "carol")
    for other in (bytes(32), None):
        store = opened(tmp_path, other)
        assert store.get(ONE) is None
        assert any("sealed under another store key" in one for one in store.problems)
    assert opened(tmp_path).get(ONE)


def test_a_sealed_file_under_another_name_does_not_open(tmp_path: Path) -> None:
    opened(tmp_path).put(ONE, SECRET_ONE, "carol")
    path = tmp_path / "store" / f"{ONE}.key"
    (tmp_path / "store" / f"{TWO}.key").write_text(path.read_text().replace(ONE, TWO))
    store = opened(tmp_path)
    assert store.get(ONE)
    assert store.get(TWO) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"slot": "X"}', f"{SECRET_ONE}\n", "\0" * 100, "é"])
def test_a_damaged_file_is_a_problem_that_does_not_quote_it(tmp_path: Path, content: str) -> None:
    opened(tmp_path).put(TWO, SECRET_TWO, "carol")
    (tmp_path / "store" / f"{ONE}.key").write_text(content, encoding="latin-1")
    store = opened(tmp_path)
    assert store.get(TWO)
    (problem,) = store.problems
    assert "is damaged" in problem
    assert SECRET_ONE not in problem
    store.put(ONE, SECRET_ONE, "carol")
    assert store.problems == ()


def test_a_link_in_the_place_of_a_key_is_not_followed(tmp_path: Path) -> None:
    opened(tmp_path).put(ONE, SECRET_ONE, "carol")
    path = tmp_path / "store" / f"{ONE}.key"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert opened(tmp_path).get(ONE) is None


def test_on_a_full_disk_the_old_key_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    store.put(ONE, SECRET_ONE, "carol")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HeroError) as caught:
        store.put(ONE, SECRET_TWO, "carol")
    assert caught.value.code == "no_space"
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "store").iterdir()] == [f"{ONE}.key"]
    for one in (store, opened(tmp_path)):
        found = one.get(ONE)
        assert found
        assert found.secret == SECRET_ONE


def test_generations_are_counted_and_a_removed_key_is_gone(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert [store.put(ONE, secret, "carol").generation for secret in (SECRET_ONE, SECRET_TWO)] == [1, 2]
    assert store.remove(ONE)
    assert not store.remove(ONE)
    assert opened(tmp_path).all() == ()


def test_what_the_bootstrap_left_is_taken_in_once(tmp_path: Path) -> None:
    left = tmp_path / "keys"
    left.mkdir()
    (left / ONE).write_text(f"{SECRET_ONE}\n")
    (left / TWO).write_text("not a key\n")
    (left / "notes.txt").write_text("nothing of ours")
    store = opened(tmp_path)
    (taken,) = store.take_in(left)
    assert (taken.slot, taken.secret, taken.set_by) == (ONE, SECRET_ONE, "bootstrap")
    assert sorted(path.name for path in left.iterdir()) == [TWO, "notes.txt"]
    assert "was not taken in" in store.problems[0]
    (left / ONE).write_text(f"{SECRET_ONE}\n")
    assert store.take_in(left) == ()
    assert not (left / ONE).exists(), "the same key again is no new one"


@pytest.mark.parametrize("secret", ["", "a b c d e f", "two\nlines", "é" * 20, "x" * 5000, "\x1b[31m-escape"])
def test_what_is_no_key_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(HeroError) as caught:
        check_secret(secret)
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize("slot", ["", "../../etc/passwd", "org_claude_key_1", "sk-ant-api03-pasted", "A" * 65])
def test_what_is_no_name_is_refused_without_being_shown(slot: str) -> None:
    with pytest.raises(HeroError) as caught:
        check_slot(slot)
    assert not slot or slot not in str(caught.value)


def test_the_store_key_comes_from_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert given_sealing() is None
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert given_sealing() is None
    (tmp_path / CREDENTIAL).write_text(KEY.hex() + "\n")
    sealing = given_sealing()
    assert sealing
    assert Sealing(KEY).open(sealing.seal("text", "name"), "name") == "text"


@pytest.mark.parametrize("text", ["", "zz" * 32, "00" * 31, "é"])
def test_a_store_key_that_is_none_is_told_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / CREDENTIAL).write_text(text)
    with pytest.raises(HeroError, match="is not the broker's store key") as caught:
        given_sealing()
    assert not text or text not in str(caught.value)


def test_the_file_on_disk_is_what_the_bootstrap_looks_for(tmp_path: Path) -> None:
    key = opened(tmp_path).put(ONE, SECRET_ONE, "carol")
    kept = json.loads((tmp_path / "store" / f"{ONE}.key").read_bytes())
    assert kept["fingerprint"] == key.fingerprint
    assert kept["sealed"]
