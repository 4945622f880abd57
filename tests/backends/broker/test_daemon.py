"""The broker as a process: one for a box, back after a kill, and no key outside its store."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from pathlib import Path

import pytest

from backends.box.down import end_broker
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.box_backup import backup_box
from tests.backends.broker.made_broker import DEADLINE, IS_ROOT, ONE, SECRET_ONE, SECRET_TWO, TWO, MadeBroker
from tests.messages_api.server import Reply


def test_after_a_kill_sessions_go_on_with_the_same_pass_and_address(running: MadeBroker) -> None:
    session = running.session()
    assert session.ask().status == 200
    running.wait(running.use, "use")
    running.kill()
    running.start()
    assert session.ask().status == 200
    assert running.session(name="sara/2").host == session.host
    use = running.wait(lambda: [one for one in running.use() if one["requests"] == 2], "both requests")
    assert use[0]["input_tokens"] == 20


def test_a_port_that_was_taken_meanwhile_is_a_problem_that_is_told(running: MadeBroker) -> None:
    session = running.session()
    running.kill()
    host, port = session.host.split(":")
    with socket.create_server((host, int(port))):
        running.start()
        assert running.session(name="sara/2").host != session.host
        assert any("took the relay's port" in one for one in running.call("claude_key.list")["problems"])


def test_a_second_broker_of_a_box_ends_and_touches_nothing(running: MadeBroker) -> None:
    second = running.spawn()
    out, _ = second.communicate(timeout=DEADLINE)
    assert second.returncode == 1
    assert b"Another daemon" in out
    assert running.session().ask().status == 200


def test_down_ends_it(running: MadeBroker) -> None:
    running.call("down")
    assert running.processes[-1].wait(DEADLINE) == 0
    assert not running.box.broker_socket.exists()


def test_files_are_its_owners_alone(running: MadeBroker) -> None:
    running.session().ask()
    for path in [running.box.broker, *running.box.broker.rglob("*")]:
        assert not path.stat().st_mode & 0o077, path
    assert not running.box.broker_socket.stat().st_mode & 0o077


def test_its_memory_is_no_files_and_no_debuggers(running: MadeBroker) -> None:
    process = Path(f"/proc/{running.processes[-1].pid}")
    limits = (process / "limits").read_text().splitlines()
    assert next(line for line in limits if "core file" in line).split()[4:6] == ["0", "0"]
    assert (process / "mem").stat().st_uid == 0, "not even its own user's: it cannot be dumped"
    if not IS_ROOT:
        with pytest.raises(PermissionError):
            (process / "environ").read_bytes()


def test_a_damaged_key_file_stops_that_key_alone(running: MadeBroker) -> None:
    running.kill()
    (running.box.broker / "store" / f"{ONE}.key").write_text("damaged")
    running.start()
    session = running.session()
    assert session.ask().status == 200
    assert running.api.asked[0].key == SECRET_TWO
    assert any("is damaged" in one for one in running.call("claude_key.list")["problems"])


def test_a_damaged_state_is_moved_aside_and_keys_are_handed_out_again(running: MadeBroker) -> None:
    before = running.session()
    running.kill()
    for name in ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"):
        (running.box.broker / name).write_bytes(b"damaged" * 1000)
    running.start()
    assert before.ask is not None
    assert running.session(name="sara/2").ask().status == 200
    assert any("was corrupt" in one for one in running.call("claude_key.list")["problems"])


def test_keys_that_the_bootstrap_left_are_taken_in_at_the_start(broker: MadeBroker) -> None:
    left = broker.box.broker / "keys"
    left.mkdir(parents=True)
    (left / ONE).write_text(f"{SECRET_ONE}\n")
    broker.start()
    assert broker.session().ask().status == 200
    assert not list(left.iterdir())
    (key,) = broker.call("claude_key.list")["keys"]
    assert (key["set_by"], key["users"], key["sessions"]) == ("bootstrap", ["sara"], 1)


@pytest.mark.parametrize("step", ["broker.key-written", "broker.key-taken-in"])
def test_a_kill_while_keys_are_taken_in_loses_none(
    broker: MadeBroker, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    left = broker.box.broker / "keys"
    left.mkdir(parents=True)
    (left / ONE).write_text(f"{SECRET_ONE}\n")
    monkeypatch.setenv("HERO_TEST_FAILPOINT", step)
    broker.spawn().wait(DEADLINE)
    monkeypatch.delenv("HERO_TEST_FAILPOINT")
    broker.start()
    assert broker.session().ask().status == 200
    assert not list(left.iterdir())


@pytest.mark.parametrize(
    ("user", "slot", "why"),
    [
        ("stranger", "", "is not on the team"),
        ("bob", "", "No org key is assigned to bob"),
        ("gone", "", "is disabled"),
        ("sara", "ORG_CLAUDE_KEY_9", "is not assigned to sara"),
        ("other", "", "which the broker does not have"),
        ("sara", "sk-ant-api03-pasted", "no name of an org key"),
        ("../x", "", "no name of a user"),
    ],
)
def test_who_gets_no_key_is_told_why_and_recorded(running: MadeBroker, user: str, slot: str, why: str) -> None:
    running.assign("bob")
    running.assign("gone", ONE, enabled=False)
    running.assign("other", "ORG_CLAUDE_KEY_7")
    with pytest.raises(HeroError, match=why):
        running.session(user, f"{user}/1", slot)
    line = running.audited[-1]
    assert (line["kind"], line["ok"], line["uid"]) == ("claude_key.get", False, os.geteuid())
    assert "pasted" not in json.dumps(line)


def test_the_record_says_who_got_what_and_never_the_key(running: MadeBroker) -> None:
    session = running.session()
    running.call("claude_key.rotate", slot=ONE, secret="sk-ant-api03-fresh")
    running.call("claude_key.revoke", slot=TWO)
    kinds = [line["kind"] for line in running.audited]
    assert kinds == [
        "claude_key.set",
        "claude_key.set",
        "claude_key.get",
        "claude_key.rotate",
        "claude_key.revoke",
    ]
    got = running.audited[2]
    assert (got["user"], got["session"], got["slot"], got["ok"]) == ("sara", "sara/1", ONE, True)
    assert got["lease"] == session.given["lease"]


def test_no_file_of_a_whole_run_holds_a_key_or_a_pass(running: MadeBroker, tmp_path: Path) -> None:
    fresh = "sk-ant-api03-rotated-in"
    session = running.session()
    running.api.script(Reply(), Reply(status=429, retry_after="1"), Reply(status=500), Reply(drops=True))
    running.call("claude_key.rotate", slot=TWO, secret=fresh)
    for stream in ("", "yes", ""):
        session.ask(stream=stream)
    session.ask(x_api_key=SECRET_ONE)
    for slot, secret in ((SECRET_ONE, "x"), (ONE, "bad key " + SECRET_ONE), (ONE, SECRET_ONE + "\n")):
        with pytest.raises(HeroError) as caught:
            running.keep(slot, secret)
        assert SECRET_ONE not in f"{caught.value}{caught.value.data}"
    with pytest.raises(HeroError):
        running.session("sara", f"sara/{SECRET_ONE}", SECRET_ONE)
    running.session("sara", f"{SECRET_ONE} pasted").ask()
    with SyncClient(running.box.broker_socket) as client, pytest.raises(HeroError):
        client.call("aibroker.claude_key.set", {"slot": ONE, "secret": {"x": SECRET_ONE}})
    told = json.dumps(running.call("claude_key.list")) + json.dumps(running.call("claude_key.status", user="sara"))
    running.call("down")
    running.processes[-1].wait(DEADLINE)
    store = running.box.broker / "store"
    held = {path: path.read_bytes() for path in running.root.rglob("*") if path.is_file()}
    for secret in (SECRET_ONE, SECRET_TWO, fresh, session.secret):
        assert secret not in told
        found = {path for path, content in held.items() if secret.encode() in content}
        assert all(path.parent == store for path in found), found


def test_a_backup_of_the_box_has_nothing_of_the_broker(running: MadeBroker, tmp_path: Path) -> None:
    running.session()
    running.box.database.parent.mkdir(exist_ok=True, parents=True)
    running.box.database.touch()
    made = backup_box(running.box, "dev", tmp_path / "backup.tar.gz")
    assert not [name for name in made.files if "broker" in name or "secrets" in name]
    import tarfile

    with tarfile.open(made.path) as archive:
        for member in archive:
            part = archive.extractfile(member)
            assert part
            assert SECRET_ONE.encode() not in part.read()


def test_the_box_is_told_what_was_asked_for_and_is_not_waited_for(running: MadeBroker) -> None:
    began = time.monotonic()
    running.session()
    assert time.monotonic() - began < DEADLINE
    assert "told later" in running.log


async def test_the_end_of_a_box_ends_its_broker_and_one_that_is_away_is_no_trouble(broker: MadeBroker) -> None:
    process = await asyncio.to_thread(broker.start)
    await end_broker(broker.box.broker_socket)
    assert process.poll() == 0
    await end_broker(broker.box.broker_socket)
