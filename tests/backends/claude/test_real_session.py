"""The real program as a slot starts it: asks nothing, runs nothing unasked, has one credential, hides it."""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import threading
from pathlib import Path

import pytest

from backends.claude.seed import plant
from backends.claude.session import has_conversation, launch
from backends.claude.spool import read_spool
from tests.backends.claude.real_session import FOREIGN, SECRET, RealSession, real_session
from tests.backends.claude.slots import files_with, of_process, until
from tests.messages_api.server import Asked, Reply

ALLOW = {"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": {"behavior": "allow"}}}


def text_of(asked: Asked) -> str:
    """All that the model was told."""
    return json.dumps(asked.body, ensure_ascii=False)


def is_asked(asked: Asked, model: str, effort: str) -> bool:
    return model in asked.body["model"] and asked.body["output_config"]["effort"] == effort


def nothing_of(session: RealSession, pid: int, secret: str) -> bool:
    """Whether `secret` is in no command line, no environment and no file of the session."""
    seen = of_process(pid, "environ") + of_process(pid, "cmdline")
    return secret.encode() not in seen and not files_with(session.folder, secret)


async def test_a_start_asks_nothing_and_has_the_orgs_key_only(short_dir: Path, claude_program: Path) -> None:
    async with real_session(short_dir, claude_program) as session:
        (session.home / ".claude" / "CLAUDE.md").write_text("OF-THE-USER")
        gate = threading.Event()
        session.api.script(Reply(gate=gate))
        session.start()
        (asked,) = await session.asked(1)
        busy = await session.says("busy")
        pid = session.window.pid()
        assert busy.pid == pid
        assert busy.name == "fix the thing"
        assert busy.session == session.request.session
        assert asked.credential == ("x-api-key", SECRET)
        assert is_asked(asked, "opus", "low")
        assert "hello there" in text_of(asked)
        assert "OF-THE-USER" in text_of(asked)
        assert "OF-THE-REPOSITORY" in text_of(asked)
        assert "PRIVATE-TEXT" not in text_of(asked)
        assert nothing_of(session, pid, SECRET)
        environment = of_process(pid, "environ").decode()
        assert not [value for value in FOREIGN.values() if value != "haiku" and f"={value}\0" in environment]
        gate.set()
        await session.slot.heard("Stop")
        await session.says("idle")
        assert "STUB-OK" in session.window.screen()
        assert session.ran() == []
        assert {"SessionStart", "UserPromptSubmit", "Stop"} <= set(session.slot.events)
        assert session.slot.launched == [(pid, pid)]
        assert nothing_of(session, pid, SECRET)


async def test_a_personal_login_is_used_where_it_lies(short_dir: Path, claude_program: Path) -> None:
    token = "sk-ant-oat01-of-the-user"
    async with real_session(short_dir, claude_program) as session:
        oauth = {"accessToken": token, "refreshToken": "", "expiresAt": None, "scopes": ["user:inference"]}
        login = session.home / ".claude" / ".credentials.json"
        login.write_text(json.dumps({"claudeAiOauth": {**oauth, "subscriptionType": "max"}}))
        login.chmod(0o600)
        session.ask(credential="personal", key=None, base_url=session.api.url, model="sonnet", effort="high")
        session.start()
        (asked,) = await session.asked(1)
        await session.slot.heard("Stop")
        assert asked.credential == ("authorization", token)
        assert is_asked(asked, "sonnet", "high")
        assert files_with(session.folder, token) == [login]


async def test_a_one_shot_run_of_the_same_session_runs_nothing_of_the_repositorys(
    short_dir: Path, claude_program: Path
) -> None:
    async with real_session(short_dir, claude_program) as session:
        oauth = {"accessToken": "token-of-the-user", "expiresAt": None, "scopes": ["user:inference"]}
        (session.home / ".claude" / ".credentials.json").write_text(json.dumps({"claudeAiOauth": oauth}))
        session.ask(credential="personal", key=None, base_url=session.api.url)
        plant(session.seed)
        found = launch(session.request, {})
        argv = [found.argv[0], "-p", *found.argv[1:]]
        env = {**session.environment, **found.env}
        run = functools.partial(subprocess.run, capture_output=True, text=True, timeout=60, check=False)
        done = await asyncio.to_thread(run, argv, cwd=found.cwd, env=env, stdin=subprocess.DEVNULL)
        assert (done.returncode, done.stdout.strip()) == (0, "STUB-OK"), done.stderr
        assert is_asked(session.api.messages[0], "opus", "low")
        assert session.ran() == []


@pytest.mark.parametrize(
    ("prompt", "arrives"),
    [
        ("/clear", "Task: /clear"),
        ("exit", "Task: exit"),
        ("!touch here", "!touch here"),
        ("-p 'x' \"$(id)\"; `id`\nsecond\tline", "-p 'x' \"$(id)\"; `id`\nsecond\tline"),
        ("red \x1b[31m\x00 text", "red \ufffd text"),
    ],
)
async def test_a_prompt_is_said_and_not_obeyed(
    short_dir: Path, claude_program: Path, prompt: str, arrives: str
) -> None:
    async with real_session(short_dir, claude_program) as session:
        session.ask(prompt=prompt)
        session.start()
        told = await session.slot.heard("UserPromptSubmit")
        assert told.payload["prompt"] == arrives
        await session.asked(1)
        assert not (session.worktree / "here").exists()


@pytest.mark.parametrize("foreign", [True, False])
async def test_only_the_persons_own_words_put_a_file_into_the_conversation(
    short_dir: Path, claude_program: Path, foreign: bool
) -> None:
    async with real_session(short_dir, claude_program) as session:
        session.ask(prompt=f"Look at @{short_dir}/private.txt please", foreign=foreign)
        session.start()
        (asked,) = await session.asked(1)
        assert ("PRIVATE-TEXT" in text_of(asked)) is not foreign


async def test_a_prompt_of_a_megabyte_is_read_from_its_file_without_a_question(
    short_dir: Path, claude_program: Path
) -> None:
    async with real_session(short_dir, claude_program) as session:
        session.ask(prompt="FIRST-LINE 'a' $(id)\n" + "x\n" * 500_000)
        plant(session.seed)
        launch(session.request, {})
        (file,) = session.request.planted.prompts.iterdir()
        session.api.script(Reply(tool=("Read", {"file_path": str(file), "limit": 1})))
        session.start()
        _, answered = await session.asked(2)
        assert "FIRST-LINE" in json.dumps(answered.body["messages"][-1])
        assert "PermissionRequest" not in session.slot.events


async def test_the_tools_of_a_session_do_not_see_the_key_and_a_person_allows_them(
    short_dir: Path, claude_program: Path
) -> None:
    look = "env; cat /proc/$PPID/environ /proc/$PPID/cmdline; ls -l /proc/self/fd; timeout 1 cat <&3"
    async with real_session(short_dir, claude_program) as session:
        session.slot.prints["PermissionRequest"] = json.dumps(ALLOW)
        session.api.script(Reply(tool=("Bash", {"command": look, "description": "look"})))
        session.start()
        _, answered = await session.asked(2)
        assert "HOME=" in text_of(answered)
        assert SECRET not in text_of(answered)
        asked = await session.slot.heard("PermissionRequest")
        assert asked.payload["tool_name"] == "Bash"


async def test_a_dialog_is_in_the_terminal_while_the_slot_is_asked(short_dir: Path, claude_program: Path) -> None:
    async with real_session(short_dir, claude_program) as session:
        session.slot.held["PermissionRequest"] = held = asyncio.Event()
        session.api.script(Reply(tool=("Write", {"file_path": str(session.worktree / "new"), "content": "x"})))
        session.start()
        await session.slot.heard("PermissionRequest")
        waiting = await session.says("waiting")
        assert waiting.waiting_for == "permission prompt"
        await until(lambda: "Do you want to" in session.window.screen())
        session.window.keys("Enter")
        await session.slot.heard("Stop")
        assert (session.worktree / "new").read_text() == "x"
        held.set()


async def test_a_session_goes_on_where_it_was(short_dir: Path, claude_program: Path) -> None:
    async with real_session(short_dir, claude_program) as session:
        assert not has_conversation(session.request.planted, session.request.session)
        session.start()
        await session.slot.heard("Stop")
        # The program writes it down beside its hooks, not before them.
        await until(lambda: has_conversation(session.request.planted, session.request.session))
        session.window.close()
        session.ask(resume=True, prompt="and now the second")
        session.start()
        asked = (await session.asked(2))[-1]
        assert "hello there" in text_of(asked)
        assert "and now the second" in text_of(asked)
        await session.slot.heard("Stop", 2)


async def test_a_session_works_on_while_its_slots_daemon_is_away(short_dir: Path, claude_program: Path) -> None:
    async with real_session(short_dir, claude_program) as session:
        gate = threading.Event()
        session.api.script(Reply(gate=gate))
        session.start()
        await session.asked(1)
        await session.slot.stop()
        gate.set()
        await session.says("idle")
        spool = session.request.planted.spool
        await until(lambda: "Stop" in [one.event for one in read_spool(spool)])
