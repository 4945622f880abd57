"""What a session says of itself is believed while its process runs, and nothing else is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.claude.status_file import read_status, running_sessions, start_time

PID = os.getpid()


def told(**changes: Any) -> dict[str, Any]:
    plain = {
        "pid": PID,
        "sessionId": "7d4f6f6e",
        "procStart": start_time(PID),
        "name": "fix it",
        "status": "waiting",
        "waitingFor": "permission prompt",
        "statusUpdatedAt": 1_795_262_400_000,
    }
    return {**plain, **changes}


def write(folder: Path, content: object, name: str = f"{PID}.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_a_session_that_runs_is_told(tmp_path: Path) -> None:
    found = read_status(write(tmp_path, told()))
    assert found is not None
    assert (found.pid, found.doing, found.waiting_for, found.name) == (
        PID,
        "waiting",
        "permission prompt",
        "fix it",
    )
    assert found.updated_at is not None
    assert found.updated_at.year == 2026


def test_a_process_that_is_gone_or_another_by_now_is_not_believed(tmp_path: Path) -> None:
    assert read_status(write(tmp_path, told(procStart="1"))) is None
    assert read_status(write(tmp_path, told(pid=PID + 1))) is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    began = start_time(ended.pid)
    ended.wait()
    assert read_status(write(tmp_path, told(pid=ended.pid, procStart=began), f"{ended.pid}.json")) is None


def test_the_start_time_is_found_behind_a_name_with_parentheses(tmp_path: Path) -> None:
    code = "import sys; open('/proc/self/comm','w').write('a) (b) 7'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        ours, theirs = int(start_time(PID)), int(start_time(process.pid))
        process.communicate()
    assert ours <= theirs < ours + 100 * 86_400


@pytest.mark.parametrize("name", ["0.json", "x.json", "1.json.tmp", "-1.json", "1.token"])
def test_other_names_are_no_sessions(tmp_path: Path, name: str) -> None:
    assert read_status(write(tmp_path, told(), name)) is None


def test_only_what_runs_is_listed(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    assert running_sessions(tmp_path) == []
    write(folder, told())
    write(folder, told(pid=1, procStart="0"), "1.json")
    (folder / "2.json").symlink_to(folder / f"{PID}.json")
    assert [one.pid for one in running_sessions(tmp_path)] == [PID]


def test_words_of_the_program_bring_no_escape_along(tmp_path: Path) -> None:
    found = read_status(write(tmp_path, told(waitingFor="\x1b]0;x\x07dialog\nopen", name=5)))
    assert found is not None
    assert (found.waiting_for, found.name) == ("dialog open", "")


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from(sorted(told())), values))
def test_no_content_makes_it_raise(tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]) -> None:
    read_status(write(tmp_path_factory.mktemp("any"), told(**changes)))


@given(st.binary(max_size=100))
def test_no_bytes_make_it_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / f"{PID}.json"
    path.write_bytes(content)
    assert read_status(path) is None
