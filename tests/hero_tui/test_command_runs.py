"""Commands in the background: what they print stays, they can be stopped, and may not change what must not be."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from backends.rpc.looking import VARIABLE
from hero_tui.command_runs import CommandRuns
from tests.hero_tui.fleets import Cockpit

Programs = dict[str, str]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    """What runs in the place of `hero_dev`: a Python program for each verb."""
    known: Programs = {"status": "print('all is well')"}

    def argv(self: CommandRuns, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-c", known[words[0]], *words[1:]]

    monkeypatch.setattr(CommandRuns, "argv", argv)
    return known


async def test_what_a_verb_prints_stays_until_it_is_dismissed(programs: Programs) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"status", "enter")
        await cockpit.until(pilot, lambda: "all is well" in cockpit.text and "done" in cockpit.text)
        assert cockpit.screen_name == "ResultScreen"
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "FleetScreen"
        await cockpit.press(pilot, "R")
        assert "all is well" in cockpit.text
        await cockpit.press(pilot, "d", "R")
        assert cockpit.screen_name == "FleetScreen"
        assert "Nothing was run yet" in cockpit.text


async def test_its_colours_and_escapes_do_nothing_here(programs: Programs) -> None:
    programs["status"] = r"print('\x1b[2J\x1b]0;owned\x07 red \x1b[31mred')"
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"status", "enter")
        await cockpit.until(pilot, lambda: "done" in cockpit.text)
        assert "\x1b" not in cockpit.text
        assert "red" in cockpit.text


async def test_one_that_runs_can_be_left_and_its_end_is_told(programs: Programs, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    programs["status"] = f"open({str(gate)!r}).read(); raise SystemExit(1)"
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"status", "enter", "escape")
        await asyncio.to_thread(gate.write_text, "")  # opens once the program does
        await cockpit.until(pilot, lambda: "failed, exit code 1" in cockpit.text)


async def test_one_that_runs_can_be_stopped_and_given_again(programs: Programs) -> None:
    programs["status"] = "import time; print('begun', flush=True); time.sleep(600)"
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"status hero_db", "enter")
        await cockpit.until(pilot, lambda: "begun" in cockpit.text)
        await cockpit.press(pilot, "x")
        await cockpit.until(pilot, lambda: "stopped" in cockpit.text)
        programs["status"] = "import sys; print('again', sys.argv[1])"
        await cockpit.press(pilot, "r")
        await cockpit.until(pilot, lambda: "again hero_db" in cockpit.text)


async def test_a_flood_of_output_is_kept_to_its_limit(programs: Programs) -> None:
    programs["status"] = "for n in range(30000): print('line', n)\nprint('x' * 300000)"
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"status", "enter")
        await cockpit.until(pilot, lambda: "done" in cockpit.text)
        run = cockpit.app.prompts.runner.runs.runs[0]
        assert (len(run.lines), run.dropped) == (20_000, 10_001)
        assert "10,001 more lines are not kept" in cockpit.text
        await cockpit.press(pilot, "G")
        assert "line 19999" in cockpit.text
        await cockpit.press(pilot, "g")
        assert "line 0" in cockpit.text


async def test_a_read_only_cockpit_runs_what_looks_and_says_so_to_it(programs: Programs) -> None:
    programs["status"] = f"import os; print('looking', os.environ.get({VARIABLE!r}))"
    cockpit = Cockpit(read_only=True)
    async with cockpit.running() as pilot:
        for line in ("sync", "restart --plan=x hero_db", "!restart hero_db"):
            await cockpit.press(pilot, "colon", *line, "enter")
            assert cockpit.screen_name == "FleetScreen", line
        await cockpit.press(pilot, "colon", *"status", "enter")
        await cockpit.until(pilot, lambda: "looking 1" in cockpit.text)


async def test_a_wrong_line_is_told_and_nothing_is_run(programs: Programs) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"status --al", "enter")
        assert "has no option '--al'" in cockpit.text
        assert cockpit.app.prompts.runner.runs.runs == []


async def test_the_real_line_names_the_box_and_the_slot() -> None:
    cockpit = Cockpit()
    async with cockpit.running():
        argv = cockpit.app.prompts.runner.runs.argv(shlex.split("status --all"))
        assert argv[1:] == ["-m", "hero_tui.cli", "--box", "/srv/box", "--slot", "alice", "status", "--all"]
