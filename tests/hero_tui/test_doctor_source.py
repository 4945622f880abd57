"""The doctor behind its screen, on a real box whose daemons are down: the verb's checks, its mends, its audit."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from pathlib import Path

import pytest

from backends.client.locate import Where
from backends.doctor import checks
from backends.doctor.context import Context
from backends.doctor.found import Check, Found
from backends.model.boxfile import render_boxfile
from backends.model.health_report import HealthFinding
from backends.model.paths import BoxPaths
from hero_tui import doctor_source
from hero_tui.doctor_source import BoxDoctor
from screens.examination import Ill, Job, Looked, Plan
from tests.hero_tui.render.replies import NOW
from tests.hero_tui.verbs.test_noting import left


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Where:
    """A box of two slots and a folder forge; nothing of it runs."""
    for name in [name for name in os.environ if name.startswith(("HERO_", "TMUX"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TMUX_TMPDIR", str(tmp_path))
    (tmp_path / "box.toml").write_text(render_boxfile("test", NOW, "lhumina_code/hero_team"))
    (tmp_path / "forge").mkdir()
    for user in ("alice", "mik"):
        manifest = tmp_path / "home" / user / "hero" / "cfg" / "dev_manifest.toml"
        manifest.parent.mkdir(parents=True)
        manifest.write_text("schema = 1\n")
    return Where(BoxPaths(tmp_path), "alice")


async def examined(where: Where) -> tuple[tuple[Job, ...], dict[tuple[str, str], Looked]]:
    jobs: tuple[Job, ...] = ()
    found = {}
    async for told in BoxDoctor(where).examine():
        if isinstance(told, Plan):
            jobs = told.jobs
        else:
            found[told.job.key] = told
    return jobs, found


def locked(where: Where) -> Path:
    """A lock that a git has left behind."""
    clone = where.box.root / "home/alice/hero/src/.repos/org/hero_web.git"
    subprocess.run(["git", "init", "-q", "--bare", str(clone)], check=True)
    lock = clone / "config.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    return lock


def ill_of(found: dict[tuple[str, str], Looked]) -> Ill:
    looked = found["git.locks", "alice"]
    return Ill(looked.job, next(one for one in looked.findings if one.fixable))


async def test_every_check_of_the_verb_is_planned_and_made_for_box_and_slots(where: Where) -> None:
    jobs, found = await examined(where)
    assert [job.key for job in jobs if not job.slot] == [(check.id, "") for check in checks.OF_BOX]
    assert {job.slot for job in jobs} == {"", "alice", "mik"}
    assert set(found) == {job.key for job in jobs}
    assert found["box.file", ""].findings[0].state == "ok"


async def test_one_thing_is_mended_and_stands_in_the_audit_log(where: Where) -> None:
    lock = locked(where)
    _, found = await examined(where)
    mends = [one async for one in BoxDoctor(where).mend([ill_of(found)])]
    assert [(one.id, one.slot, one.done) for one in mends] == [("git.locks", "alice", True)]
    assert not lock.exists()
    assert [event.kind for event in await asyncio.to_thread(left, where.box, "alice")] == ["audit.doctor.mend"]


async def test_what_is_not_as_it_was_found_is_left_alone(where: Where) -> None:
    lock = locked(where)
    _, found = await examined(where)
    lock.unlink()
    mends = [one async for one in BoxDoctor(where).mend([ill_of(found)])]
    assert [one.what for one in mends] == ["It is not as it was found any more; nothing was done."]
    assert await asyncio.to_thread(left, where.box, "alice") == []


async def test_a_check_that_blocks_everything_is_given_up_and_told(
    where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    async def block(_: Context) -> list[Found]:
        let_go.wait(30)
        return []

    monkeypatch.setattr(checks, "OF_BOX", (*checks.OF_BOX[:2], Check("disk.dead", "dead mount", block)))
    monkeypatch.setattr(checks, "OF_SLOT", ())
    monkeypatch.setattr(doctor_source, "SILENCE_SECONDS", 0.5)
    _, found = await examined(where)
    let_go.set()
    told: HealthFinding = found["disk.dead", ""].findings[0]
    assert (told.state, told.what) == ("warn", "This could not be looked at: no answer within 0.5 s.")
