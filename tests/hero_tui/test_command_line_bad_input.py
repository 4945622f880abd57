"""Whatever is typed or pasted on the `:` line ends nothing but itself: not the cockpit, nor anybody's patience."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual import events

from backends.model.errors import HeroError
from hero_tui import commands, verb_lines
from hero_tui.command_runs import KEPT, CommandRuns
from hero_tui.store import Fleet, with_snapshot
from screens.result_model import Run
from tests.hero_tui.fleets import Cockpit, snapshot

FLEET = with_snapshot(Fleet(), snapshot()).view
MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x" * MEGABYTE, "21,000 characters at most"),
        ("'" + "x" * MEGABYTE, "21,000 characters at most"),
        ("x" * 20_000, "There is no command :xxxx"),
        ("'" + "x" * 20_000, "A quote is not closed in `'xxxx"),
        ("fleet " + "y" * 20_000, "takes no 'yyyy"),
    ],
    ids=["a word", "an open quote", "no command", "a quote", "an argument"],
)
def test_a_very_long_line_is_refused_in_few_words(line: str, told: str) -> None:
    with pytest.raises(HeroError) as refused:
        commands.parse(line)
    assert told in str(refused.value)
    assert len(str(refused.value)) < 200


def test_a_very_long_name_is_told_in_few_words() -> None:
    with pytest.raises(HeroError) as refused:
        commands.known("service", "x" * 20_000, FLEET.services())
    assert len(str(refused.value)) < 300


def test_nothing_is_looked_up_for_a_very_long_line() -> None:
    assert commands.complete("logs " + "x " * MEGABYTE, FLEET) == []


async def test_a_megabyte_pasted_into_the_line_is_answered() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon")
        cockpit.app.post_message(events.Paste("status\x1b[2J " + "x" * MEGABYTE))
        await cockpit.settle(pilot)
        await cockpit.press(pilot, "enter")
        assert "characters at most" in cockpit.text
        assert cockpit.screen_name == "FleetScreen"


@pytest.mark.parametrize("line", ["status --version", "status -h", "status -qh", "status --help --nonsense"])
def test_what_argparse_answers_by_itself_prints_nothing_here_and_ends_nothing(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    verb_lines.check(line.split())
    assert capsys.readouterr().out == ""


async def test_the_version_of_a_verb_is_shown_as_any_other_output() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"status --version", "enter")
        await cockpit.until(pilot, lambda: "hero_dev " in cockpit.text and "done" in cockpit.text)


def test_tab_offers_a_theme_of_ones_own() -> None:
    assert commands.complete("theme mi", FLEET, themes=("hero-dark", "mine")) == ["theme mine"]


@pytest.mark.parametrize(
    ("code", "told"), [(None, "could not be started"), (2, "failed, exit code 2"), (-9, "ended by signal 9")]
)
def test_how_a_command_failed_is_told_in_words(code: int | None, told: str) -> None:
    run = Run("status")
    run.end("failed", code)
    assert run.told == told


async def test_one_that_runs_stays_whatever_comes_after_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    programs = {"status": f"open({str(gate)!r}).read()", "gates": "pass"}

    def argv(self: CommandRuns, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-S", "-c", programs[words[0]]]

    monkeypatch.setattr(CommandRuns, "argv", argv)
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        runs = cockpit.app.prompts.runner.runs
        first = runs.begin(["status"])
        for _ in range(KEPT):
            last = runs.begin(["gates"])
            await cockpit.until(pilot, lambda: last is not None and last.state == "done")  # noqa: B023
        assert first in runs.runs
        assert len(runs.runs) == KEPT
        await asyncio.to_thread(gate.write_text, "")
        await cockpit.until(pilot, lambda: first is not None and first.state == "done")
