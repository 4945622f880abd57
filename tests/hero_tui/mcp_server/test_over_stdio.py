"""The MCP server as a process, asked by the SDK's own client, on a small real box."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import TextContent

from backends.client.blocking import call_box
from tests.acceptance.small_box import DEADLINE, SmallBox
from tests.hero_tui.mcp_server.real_box import FEW, LOW, ROOT, box_for_agents, command_of, push_policy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with box_for_agents() as found:
        yield found


@contextlib.asynccontextmanager
async def agent(box: SmallBox) -> AsyncIterator[Client]:
    """An agent's connection to its tools."""
    program, *words = command_of(box)
    server = StdioServerParameters(command=program, args=words, cwd=box.root, env={"PYTHONPATH": str(ROOT)})
    async with Client(stdio_client(server)) as client:
        yield client


async def says(client: Client, tool: str, *, fails: bool = False, **given: object) -> str:
    """What a tool answers."""
    result = await client.call_tool(tool, given)
    (block,) = result.content
    assert isinstance(block, TextContent)
    assert result.is_error == fails, block.text
    return block.text


async def test_an_agent_looks_switches_asks_and_hears_what_happened(box: SmallBox) -> None:
    async with agent(box) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert {"status", "switch", "ask_operator", "cancel_question", "read_events"} <= set(tools)
        assert tools["switch"].annotations
        assert tools["switch"].annotations.read_only_hint is False
        assert "alice/3" in (client.instructions or "")
        assert '"health": "healthy"' in await says(client, "status")
        assert "development_mik-" in await says(client, "plan", service="hero_web", branch="development_mik")
        assert "Done: switch hero_web" in await says(
            client, "switch", service="hero_web", branch="development_mik"
        )
        assert box.ask("hero_web")["branch"] == "development_mik"
        await asyncio.to_thread(box.until, lambda: "alice via agent 3" in _actors(box), "the audit")
        assert "Did you mean" in await says(client, "switch", fails=True, service="hero_web", branch="developmnt")
        assert "nothing is installed" in await says(client, "peek", user="integration")
        asked = await says(client, "ask_operator", question="Keep it?", options=["yes", "no"])
        told = await says(client, "read_events")
        assert "hero_web is healthy" in told
        assert "switch hero_web development_mik" in told
        number = asked.split()[1]
        item = call_box(box.where, "question.answer", {"user": "alice", "id": number, "text": "no"})
        assert (item["sender"], item["answer"]) == ("alice/3", "no")
        assert f"question {number} from alice/3 to alice is answered" in await says(client, "read_events")
        assert "has answered this already" in await says(client, "cancel_question", fails=True, id=number)
        assert "Done" in await says(client, "switch", service="hero_web", back=True)


async def test_a_grant_of_the_team_repo_holds_at_the_next_call(box: SmallBox) -> None:
    async with agent(box) as client:
        await says(client, "logs", lines=1)
        push_policy(box, FEW)
        try:
            await asyncio.to_thread(box.until, lambda: _granted(box) == ["status", "read_events"], "the grant")
            assert "not granted the tool logs" in await says(client, "logs", fails=True, lines=1)
            async with agent(box) as other:
                assert [tool.name for tool in (await other.list_tools()).tools] == ["status", "read_events"]
        finally:
            push_policy(box, LOW)
            await asyncio.to_thread(box.until, lambda: "logs" in _granted(box), "the grant")


async def test_what_two_agents_tell_each_other_waits_in_the_inbox(box: SmallBox) -> None:
    async with agent(box) as client:
        assert "nobody" in await says(client, "tell", fails=True, to="nobody", text="hi")
        assert "integration" in await says(client, "tell", to="integration", text="hi\x1b[2J there")
    (item,) = call_box(box.where, "question.list", {"user": "integration"})["items"]
    assert (item["sender"], item["text"]) == ("alice/3", "hi there")


def test_the_server_ends_with_its_input_and_says_nothing_of_its_own(box: SmallBox) -> None:
    done = subprocess.run(
        command_of(box),
        cwd=box.root,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input=b"no json\n",
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0
    assert all(line.startswith(b"{") for line in done.stdout.splitlines())
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["--agent", "../3"], ["--agent", ""], []])
def test_an_agent_that_cannot_be_is_refused(box: SmallBox, words: list[str]) -> None:
    argv = [*command_of(box)[:4], "mcp", "--box", str(box.root), "--slot", "alice", *words]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=DEADLINE, check=False)
    assert done.returncode == 2, done.stderr


def _actors(box: SmallBox) -> set[str]:
    return {event["data"]["actor"] for event in call_box(box.where, "audit.list", {"limit": 50})["events"]}


def _granted(box: SmallBox) -> list[str]:
    return list(call_box(box.where, "agent.tools", {"user": "alice"})["tools"])
