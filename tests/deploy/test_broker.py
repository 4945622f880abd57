"""The broker's steps of the bootstrap: a store key once, org keys until they are in the store."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.setup import broker
from deploy.setup.options import read_options
from deploy.setup.step import Stopped

KEYS = {"ORG_CLAUDE_KEY_1": "sk-ant-api03-one", "ORG_CLAUDE_KEY_2": "sk-ant-api03-two"}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The broker's folders and programs, played by this user."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "store").mkdir()
    monkeypatch.setattr(broker, "LEFT", tmp_path / "keys")
    monkeypatch.setattr(broker, "STORE", tmp_path / "store")
    monkeypatch.setattr(broker, "SEALED", tmp_path / "credstore" / "key")
    monkeypatch.setattr(broker, "is_file", lambda path, content, mode, *_: path.exists())
    monkeypatch.setattr(broker, "write_file", lambda path, content, mode, *_: path.write_bytes(content))
    return tmp_path


def test_keys_wait_for_the_broker_until_its_store_has_them(places: Path) -> None:
    step = broker.org_keys(replace(read_options([], is_box=True), keys=KEYS))
    assert step.missing() == [f"give {name} to the broker" for name in KEYS]
    step.do()
    assert step.missing() == []
    assert broker.has_left()
    for name, key in KEYS.items():
        (places / "keys" / name).unlink()
        kept = {"fingerprint": hashlib.sha256(key.encode()).hexdigest()[:12], "sealed": "…"}
        (places / "store" / f"{name}.key").write_text(json.dumps(kept))
    assert step.missing() == [], "a second run has nothing to give"
    assert not broker.has_left()
    assert broker.org_keys(replace(read_options([], is_box=True), keys={"ORG_CLAUDE_KEY_1": "other"})).missing()


def test_a_store_key_is_made_once_by_systemd(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    def run(*argv: str, stdin: str = "") -> str:
        assert argv[:3] == ("systemd-creds", "encrypt", f"--name={broker.CREDENTIAL}")
        given.append(stdin)
        Path(argv[-1]).write_text("sealed")
        return ""

    monkeypatch.setattr(broker, "run", run)
    monkeypatch.setattr(broker, "succeeds", lambda *argv: argv[0] == "systemd-creds")
    step = broker.store_key()
    assert step.missing()
    step.do()
    assert step.missing() == []
    assert len(bytes.fromhex(given[0])) == 32
    assert broker.SEALED.stat().st_mode & 0o077 == 0


def test_without_systemd_creds_there_is_no_store_key(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "succeeds", lambda *_: False)
    assert broker.store_key().missing() == []


def test_a_lost_store_key_is_not_made_anew_over_sealed_keys(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "succeeds", lambda *_: True)
    (places / "store" / "ORG_CLAUDE_KEY_1.key").write_text('{"sealed": "x"}')
    with pytest.raises(Stopped, match="is gone"):
        broker.store_key().missing()


def test_the_unit_and_the_broker_name_the_same_things() -> None:
    from backends.broker.sealing import CREDENTIAL

    unit = (Path(broker.__file__).parents[1] / "systemd" / broker.UNIT).read_text()
    assert broker.CREDENTIAL == CREDENTIAL
    assert f"LoadCredentialEncrypted={CREDENTIAL}\n" in unit
