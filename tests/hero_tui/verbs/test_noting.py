"""What a verb did by itself is in the audit log: told to the slot's daemon, else left in its outbox."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from backends.client.locate import Where
from backends.database import Database
from backends.model.errors import HeroError
from backends.model.method import Empty
from backends.model.paths import BoxPaths
from backends.model.state import Event
from backends.slot.outbox import Outbox
from backends.system_box import login_of
from hero_tui.verbs.noting import note, note_on_box
from tests.hero_tui.verbs.canned import Canned

SUBJECT = "org/alice_secrets"


def left(paths: BoxPaths, user: str) -> list[Event]:
    """What the daemon of `user`'s slot will find to tell."""

    async def pending() -> list[Event]:
        database = Database(paths.slot(user).database)
        try:
            return await Outbox(database).pending()
        finally:
            await database.close()

    return asyncio.run(pending())


def test_a_daemon_that_runs_is_told(box: Canned) -> None:
    box.answers["audit.note"] = Empty()
    note(Where(BoxPaths(box.root)), "alice", "secrets.push", SUBJECT, done=True, detail="abcdef12")
    params = box.params("audit.note")
    assert (params.action, params.subject, params.outcome, params.detail) == (
        "secrets.push", SUBJECT, "succeeded", "abcdef12",
    )  # fmt: skip
    assert not BoxPaths(box.root).slot("alice").database.exists()


def test_root_tells_the_box_whose_slot_it_was(box: Canned) -> None:
    box.answers["audit.note"] = Empty()
    note_on_box(Where(BoxPaths(box.root)), "alice", "doctor.mend", "sockets.stale", done=False, detail="No.")
    params = box.params("audit.note")
    assert (params.slot, params.outcome, params.detail) == ("alice", "failed", "No.")


def test_without_a_daemon_it_is_left_for_it(box: Canned, capsys: pytest.CaptureFixture[str]) -> None:
    paths = BoxPaths(box.root)
    note(Where(paths), "mik", "secrets.push", SUBJECT, done=False, detail="You both changed it.")
    (event,) = left(paths, "mik")
    assert (event.kind, event.subject, event.slot) == ("audit.secrets.push", SUBJECT, "mik")
    assert event.data["actor"] == login_of(os.geteuid())
    assert (event.data["outcome"], event.data["error"]) == ("failed", "You both changed it.")
    assert capsys.readouterr().err == ""


def test_what_nothing_takes_is_said_and_stays_done(box: Canned, capsys: pytest.CaptureFixture[str]) -> None:
    box.answers["audit.note"] = HeroError("denied", "Not \x1b[2Jyou.")
    note(Where(BoxPaths(box.root)), "alice", "secrets.push", SUBJECT, done=True)
    note(Where(BoxPaths(box.root)), "nobody", "secrets.push", SUBJECT, done=True)
    told = capsys.readouterr().err
    assert "secrets.push was done, but is not in the audit log: Not you." in told
    assert "nobody" in told
    assert "\x1b" not in told


def test_nothing_is_left_in_a_home_of_somebody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = BoxPaths(tmp_path)
    paths.slot("alice").root.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    note(Where(paths), "alice", "doctor.mend", "disk.space", done=True)
    assert not paths.slot("alice").database.exists()
    assert "is not in the audit log" in capsys.readouterr().err
