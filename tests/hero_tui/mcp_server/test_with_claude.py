"""The real `claude` calls a tool of ours and gets its answer, from a stand-in of the API that asks it to."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.claude_program import claude_program as claude_program
from tests.hero_tui.mcp_server.real_box import ROOT, box_for_agents, command_of
from tests.messages_api.server import MessagesApi, Reply

pytestmark = pytest.mark.slow

SECONDS = 120


def test_the_real_program_calls_a_tool_and_tells_the_model_what_it_said(
    claude_program: Path, tmp_path: Path
) -> None:
    with box_for_agents() as box, MessagesApi() as api:
        api.script(Reply(text="", tool=("mcp__hero__status", {"service": "hero_web"})), Reply(text="All is well."))
        program, *words = command_of(box)
        server = {"type": "stdio", "command": program, "args": words, "alwaysLoad": True}
        config = tmp_path / "mcp.json"
        config.write_text(json.dumps({"mcpServers": {"hero": server}}))
        done = subprocess.run(
            [
                *(str(claude_program), "-p", "--output-format", "json", "--permission-mode", "default"),
                *("--model", "haiku", "--setting-sources", "user", "--strict-mcp-config"),
                *(f"--mcp-config={config}", "--allowedTools=mcp__hero", "--", "How is hero_web?"),
            ],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
                "PYTHONPATH": str(ROOT),
                "ANTHROPIC_BASE_URL": api.url,
                "ANTHROPIC_API_KEY": "sk-of-a-test",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
                "CLAUDE_CODE_MAX_RETRIES": "0",
                "DISABLE_AUTOUPDATER": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["result"] == "All is well."
    first, second = api.messages
    offered = {tool["name"] for tool in first.body["tools"]}
    assert {"mcp__hero__status", "mcp__hero__ask_operator", "mcp__hero__read_events"} <= offered
    assert "You are agent alice/3" in json.dumps(first.body)
    assert '\\\\\\"health\\\\\\": \\\\\\"healthy\\\\\\"' in json.dumps(json.dumps(second.body["messages"]))
