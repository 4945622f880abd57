"""An examination as a whole: checks that hang or break, mends that are looked at again, reports of other users."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from backends.doctor import as_owner, examination, slot_state
from backends.doctor.asking import ask, in_thread
from backends.doctor.checks import CHECKS
from backends.doctor.context import Context
from backends.doctor.examination import examine, run_check
from backends.doctor.found import Check, Found, listed, well
from backends.model.errors import HeroError
from backends.model.health_report import HealthFinding, HealthReport
from tests.backends.doctor.contexts import context_in, found_by

ROOT = Path(__file__).parents[3]


def quiet(_: str, __: Sequence[HealthFinding]) -> None:
    return


def checks_are(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    monkeypatch.setattr(examination, "OF_BOX", checks)
    monkeypatch.setattr(examination, "OF_SLOT", ())


def test_every_check_has_a_name_of_its_own_below_its_group() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(check.id.count(".") == 1 for check in CHECKS)


async def test_a_folder_that_is_nearly_a_box_is_examined_whole(tmp_path: Path) -> None:
    heard: list[str] = []
    report = await examine(context_in(tmp_path), ["alice"], lambda heading, _: heard.append(heading))
    assert sorted(heard) == sorted({check.group for check in CHECKS})
    assert {one.id for one in report.findings} >= {
        check.id for check in CHECKS if not check.id.startswith("forge")
    }
    assert not [one for one in report.findings if "This check broke" in one.what]
    assert HealthReport.model_validate_json(report.model_dump_json()) == report


async def test_several_slots_have_a_heading_each(tmp_path: Path) -> None:
    heard: list[str] = []
    context = context_in(tmp_path)
    context.box.slot("mik").root.mkdir(parents=True)
    report = await examine(context, ["alice", "mik"], lambda heading, _: heard.append(heading))
    assert {"slot alice", "slot mik"} <= set(heard)
    assert {one.slot for one in report.findings} == {"", "alice", "mik"}


async def test_a_box_toml_that_cannot_be_used_hides_nothing_else(tmp_path: Path) -> None:
    context = replace(context_in(tmp_path), file=None, trouble="box.toml has 1 problem")
    report = await examine(context, ["alice"], quiet)
    (bad,) = report.of("bad")
    assert (bad.id, bad.what) == ("box.file", "box.toml has 1 problem")


async def test_a_check_that_hangs_is_given_up_and_told(tmp_path: Path) -> None:
    async def hang(_: Context) -> list[Found]:
        await asyncio.Event().wait()
        return []

    check = Check("machine.x", "x", hang, seconds=0.01)
    (found,) = await run_check(check, replace(context_in(tmp_path), patience=1.0))
    assert found.state == "warn"
    assert "no answer within 0.01 s" in found.what


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (HeroError("failed", "It is so.", hint="Do this."), "It is so."),
        (PermissionError(13, "Permission denied", "/x"), "Permission denied (/x)"),
        (ValueError("\x1b[2Jtwo\nlines"), "This check broke: ValueError: two lines"),
    ],
)
async def test_a_check_that_breaks_is_a_finding(tmp_path: Path, error: Exception, told: str) -> None:
    async def fail(_: Context) -> list[Found]:
        raise error

    (found,) = await run_check(Check("machine.x", "x", fail), context_in(tmp_path))
    assert found.state == "warn"
    assert told in found.what


async def test_what_was_mended_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = {"broken": True}

    async def mend() -> str:
        state["broken"] = False
        return "It is whole."

    async def look(_: Context) -> list[Found]:
        return [Found("bad", "It is broken.", repair=mend)] if state["broken"] else [well("It is whole.")]

    checks_are(monkeypatch, Check("machine.x", "x", look))
    report = await examine(context_in(tmp_path), [], quiet)
    assert [(one.state, one.fixable) for one in report.findings] == [("bad", True)]
    assert report.mends == ()
    report = await examine(context_in(tmp_path), [], quiet, fix=True)
    assert [one.state for one in report.findings] == ["ok"]
    assert [(one.done, one.what) for one in report.mends] == [(True, "It is whole.")]
    assert (await examine(context_in(tmp_path), [], quiet, fix=True)).mends == ()


async def test_a_mend_that_fails_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse() -> str:
        raise HeroError("denied", "Not you.")

    async def mend() -> str:
        return "Done."

    async def look(_: Context) -> list[Found]:
        return [Found("bad", "a", repair=refuse), Found("bad", "b", repair=mend), Found("bad", "c")]

    checks_are(monkeypatch, Check("machine.x", "x", look))
    report = await examine(context_in(tmp_path), [], quiet, fix=True)
    assert [(one.done, one.what) for one in report.mends] == [(False, "Not you."), (True, "Done.")]


async def test_the_same_mend_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    async def mend() -> str:
        done.append(1)
        return "Done."

    async def look(_: Context) -> list[Found]:
        return [Found("bad", name, repair=mend, once="that") for name in "abc"]

    checks_are(monkeypatch, Check("machine.x", "x", look))
    report = await examine(context_in(tmp_path), [], quiet, fix=True)
    assert (len(done), len(report.mends)) == (1, 1)


async def test_other_users_slots_are_examined_by_whoever_may(tmp_path: Path) -> None:
    asked = []

    async def away(context: Context, fix: bool) -> HealthReport:
        asked.append((context.user, fix))
        finding = HealthFinding(id="slot.x", group="slot", title="x", slot=context.user, state="bad", what="y")
        return HealthReport(box="", kind="system", version="", seconds=0.0, findings=(finding,))

    report = await examine(context_in(tmp_path), ["mik", "alice"], quiet, away=away)
    assert sorted(asked) == [("alice", False), ("mik", False)]
    assert [one.slot for one in report.findings if one.slot] == ["alice", "mik"]


def test_a_call_that_blocks_for_ever_keeps_no_program_from_ending() -> None:
    program = (
        "import asyncio, threading\n"
        "from backends.doctor.asking import in_thread\n"
        "async def main():\n"
        "    try:\n"
        "        async with asyncio.timeout(0.01):\n"
        "            await in_thread(threading.Event().wait)\n"
        "    except TimeoutError:\n"
        "        print('given up')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("given up\n", "", 0)


async def test_what_a_thread_raises_is_raised_here() -> None:
    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await in_thread(fail)


async def test_a_program_that_does_not_end_is_ended() -> None:
    with pytest.raises(TimeoutError, match="`sleep 4321` did not answer"):
        await ask("sleep", "4321", env={"PATH": "/usr/bin:/bin"}, seconds=0.05)


async def test_a_program_that_is_not_there_is_an_answer() -> None:
    assert (await ask("no-such-program", env={"PATH": "/nowhere"})).missing


def test_long_lists_are_cut() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"


def test_what_another_users_process_says_is_harmless_and_about_that_user() -> None:
    finding = HealthFinding(
        id="a.b", group="a", title="\x1b]0;x\x07t", slot="root", state="bad", what="x\x1b[2J\ny" * 1000
    )
    report = HealthReport(box="b", kind="system", version="1", seconds=0.0, findings=(finding,) * 500)
    checked = as_owner._checked("mik", report)
    assert len(checked.findings) == 200
    (one, *_) = checked.findings
    assert (one.slot, one.title) == ("mik", "t")
    assert "\x1b" not in one.what
    assert "\n" not in one.what
    assert len(one.what) <= 600


@pytest.mark.parametrize("user", ["root", "no-such-user"])
async def test_nothing_is_run_as_root_or_as_nobody_in_particular(tmp_path: Path, user: str) -> None:
    report = await as_owner.Owners()(context_in(tmp_path, user=user), False)
    assert [one.state for one in report.findings] == ["skipped"]


async def test_a_manifest_that_does_not_hold_is_told_with_its_place(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    (found,) = await found_by(slot_state.CHECKS, "slot.manifest", context)
    assert found.state == "skipped"
    context.slot.manifest.parent.mkdir()
    context.slot.manifest.write_text("schema = 1\nbund = 3\n")
    (found,) = await found_by(slot_state.CHECKS, "slot.manifest", context)
    assert found.state == "bad"
    assert "dev_manifest.toml:2:1 bund" in found.what
    context.slot.manifest.write_text("schema = 1\n")
    (found,) = await found_by(slot_state.CHECKS, "slot.manifest", context)
    assert found.state == "ok"


async def test_a_switch_that_was_cut_off_is_told(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    context.slot.journal.mkdir(parents=True)
    (context.slot.journal / "hero_web.json").write_text("{}")
    (found,) = await found_by(slot_state.CHECKS, "slot.journal", context)
    assert (found.state, found.what) == ("warn", "A switch of hero_web was not ended.")
    assert time.time() - (context.slot.journal / "hero_web.json").stat().st_mtime < 3600, "it was left as it is"
