"""What a run that goes wrong leaves: a sentence, an exit code, never a traceback; and what a start loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from hero_tui.verbs import command, parsing
from hero_tui.verbs.faults import as_error, error_lines, error_object

ROOT = Path(__file__).parents[3]
HEAVY = ("asyncio", "pydantic", "rich", "textual", "httpx", "logging", "watchfiles", "psutil", "argcomplete")


def hero_dev(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "hero_tui.cli", *words]
    return subprocess.run(argv, cwd=ROOT, text=True, check=False, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def test_a_fault_of_the_program_is_a_sentence_and_its_traceback_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(words: list[str]) -> parsing.Line:
        raise KeyError("services\x1b[2J")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(parsing, "split", broken)
    assert command.carry_out(["status"]) == 1
    told = capsys.readouterr().err
    kept = tmp_path / "hero" / "hero_dev-error.txt"
    assert "hero_dev broke: KeyError" in told
    assert str(kept) in told
    assert "Traceback" not in told
    assert "\x1b" not in told
    assert "KeyError" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_traceback_that_cannot_be_kept_is_no_second_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hero").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert "could not be kept" in as_error(ValueError("x")).hint


def test_an_error_is_its_message_and_then_its_hint_indented() -> None:
    error = HeroError("failed", "It broke.\x1b[2J", hint="Do this.\nThen that.")
    assert error_lines(error, None, []) == ["hero_dev: It broke.", "  Do this.", "  Then that."]
    assert error_object(error)["error"]["code"] == "failed"


def test_a_full_disk_behind_standard_output_is_said_on_standard_error() -> None:
    for words in (["--help"], ["swich", "--json"]):
        with Path("/dev/full").open("w") as full:
            done = hero_dev(*words, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode != 0
        assert done.stderr
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


def test_a_reader_that_went_away_is_no_fault() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = hero_dev("completion", "bash", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_streams_are_no_fault() -> None:
    argv = f"exec {sys.executable} -m hero_tui.cli swich >&- 2>&-"
    assert subprocess.run(["sh", "-c", argv], cwd=ROOT, check=False, timeout=60).returncode == 2


@pytest.mark.parametrize(
    "verb", ["status", "switch", "peek", "builds", "build", "install", "box", "gates", "hooks"]
)
def test_the_start_of_a_verb_loads_nothing_heavy(verb: str) -> None:
    program = (
        "import sys, hero_tui.cli, hero_tui.verbs.command\n"
        "from hero_tui.verbs import VERBS, parsing\n"
        f"parsing.parser_of({verb!r})\n"
        "import hero_tui.verbs.change, hero_tui.render.status, hero_tui.render.fleet\n"
        "import hero_tui.verbs.build_wait, hero_tui.verbs.build_log, hero_tui.verbs.old_names\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_status_does_not_load_what_starts_daemons() -> None:
    program = (
        "import sys, hero_tui.verbs.command, hero_tui.verbs.status, hero_tui.render.status\n"
        "from hero_tui.verbs import parsing\n"
        "parsing.parse(parsing.split(['status']))\n"
        "print([name for name in ('subprocess', 'threading', 'shutil', 'difflib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
