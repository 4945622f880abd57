"""The launcher becomes what the slot says; the credential goes through a pipe and shows nowhere."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from backends.claude.launcher import SECRET_LIMIT
from backends.claude.settings import launcher_argv
from backends.model.agent_calls import AgentLaunch
from backends.model.errors import HeroError
from tests.backends.claude.slots import SmallSlot, small_slot

SECRET = "pass-that-nobody-may-see"
LOOK = """
import json, os, resource, sys
number = int(os.environ["VARIABLE"])
told = {"secret": os.read(number, 100_000).decode(), "end": os.read(number, 1).decode(), "number": number,
        "environ": open("/proc/self/environ").read(), "cmdline": open("/proc/self/cmdline").read(),
        "cwd": os.getcwd(), "pid": os.getpid(), "core": resource.getrlimit(resource.RLIMIT_CORE)[0]}
print(json.dumps(told))
"""


def look(cwd: Path, secret: str = SECRET) -> AgentLaunch:
    """A session that tells what it was given."""
    return AgentLaunch(
        argv=(sys.executable, "-c", LOOK),
        cwd=str(cwd),
        env={"GIVEN": "yes"},
        unset=("TAKEN", "MANY_*"),
        secret=secret,
        variable="VARIABLE",
    )


async def launched(slot: SmallSlot, *words: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    argv = launcher_argv("3", slot.socket)
    process = await asyncio.create_subprocess_exec(
        *(words or argv),
        env=env or {},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_it_becomes_the_session_with_the_secret_in_a_pipe_only(short_dir: Path, tmp_path: Path) -> None:
    async with small_slot(short_dir) as slot:
        slot.launch = look(tmp_path)
        env = {"TAKEN": "x", "MANY_ONES": "x", "KEPT": "yes"}
        code, said = await launched(slot, env=env)
    assert code == 0, said
    told = json.loads(said)
    assert (told["secret"], told["end"]) == (SECRET, "")
    assert told["number"] > 2
    assert told["cwd"] == str(tmp_path.resolve())
    assert SECRET not in told["environ"] + told["cmdline"]
    assert "KEPT=yes" in told["environ"]
    assert "GIVEN=yes" in told["environ"]
    assert "TAKEN" not in told["environ"]
    assert "MANY" not in told["environ"]
    assert told["core"] == 0
    assert slot.launched == [(told["pid"], told["pid"])]


async def test_it_waits_for_a_daemon_that_is_being_restarted(short_dir: Path, tmp_path: Path) -> None:
    slot = SmallSlot(short_dir / "rpc.sock")
    slot.launch = look(tmp_path)
    running = asyncio.create_task(launched(slot))
    await asyncio.sleep(0)  # it runs before the daemon is there
    await slot.start()
    code, said = await running
    await slot.stop()
    assert code == 0, said


async def test_a_refusal_is_told_in_the_window(short_dir: Path) -> None:
    async with small_slot(short_dir) as slot:
        slot.launch = HeroError("denied", "Nobody pays \x1b[31mfor it.", hint="Run `claude login`.")
        code, said = await launched(slot)
    assert code == 1
    assert said == "Nobody pays \ufffd[31mfor it.\nRun `claude login`.\n"


async def test_a_secret_that_no_pipe_holds_is_refused_and_not_shown(short_dir: Path, tmp_path: Path) -> None:
    async with small_slot(short_dir) as slot:
        slot.launch = look(tmp_path, "s" * SECRET_LIMIT)
        assert (await launched(slot))[0] == 0
        slot.launch = look(tmp_path, "s" * (SECRET_LIMIT + 1))
        code, said = await launched(slot)
    assert code == 1
    assert "sss" not in said


@pytest.mark.parametrize("changes", [{"argv": ("/nowhere/claude",)}, {"cwd": "/nowhere"}])
async def test_what_cannot_be_started_is_told(
    short_dir: Path, tmp_path: Path, changes: dict[str, str | tuple[str]]
) -> None:
    async with small_slot(short_dir) as slot:
        slot.launch = look(tmp_path).model_copy(update=changes)
        code, said = await launched(slot)
    assert code == 1
    assert "No such file" in said
    assert SECRET not in said


async def test_an_answer_that_makes_no_sense_is_told(short_dir: Path) -> None:
    server = await asyncio.start_unix_server(_nonsense, short_dir / "rpc.sock")
    async with server:
        slot = SmallSlot(short_dir / "rpc.sock")
        code, said = await launched(slot)
    assert code == 1
    assert "Traceback" not in said


async def _nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b'{"jsonrpc": "2.0", "id": 1, "result": {"argv": 5, "secret": "x"}}\n')
    await writer.drain()
    writer.close()
