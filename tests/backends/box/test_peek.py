"""Peeking at a teammate's logs, through real daemons."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.rpc.subscription import Subscription
from tests.backends.box.conftest import (
    SECONDS,
    MadeBox,
    eventually,
    kill,
    next_event,
    online,
    subscribed,
    user_file,
)


async def test_a_teammates_logs_come_harmless_and_in_colour(box: MadeBox) -> None:
    client = await box.up("mik")
    result = await client.call("peek.logs", {"user": "mik", "services": ["web"]})
    assert [line["text"] for line in result["lines"]] == ["first \x1b[31mred\x1b[0m"]


async def test_a_followed_log_is_relayed_from_its_first_line_and_ends_when_asked(box: MadeBox) -> None:
    client = await box.up("mik")
    mik = await box.slot_client("mik")
    async with Subscription(client, "log") as lines:
        stream = (await client.call("peek.logs", {"user": "mik", "follow": True}))["stream"]
        other = (await client.call("peek.logs", {"user": "mik", "follow": True}))["stream"]
        await mik.call("test.lines", {"texts": ["one\x1b]0;x\x07", "two"]})
        assert await texts(lines, stream, 3) == ["first \x1b[31mred\x1b[0m", "one", "two"]
        await client.call("logs.stop", {"stream": other})
    await eventually(lambda: streams_are(mik, ["s0"]))


async def test_a_followed_log_ends_at_the_slot_when_the_asker_leaves(box: MadeBox) -> None:
    client = await box.up("mik")
    mik = await box.slot_client("mik")
    await client.call("peek.logs", {"user": "mik", "follow": True})
    assert await streams_are(mik, ["s0"])
    await client.close()
    await eventually(lambda: streams_are(mik, []))


async def test_a_follower_is_told_when_the_slots_daemon_dies(box: MadeBox) -> None:
    box.boxd()
    slotd = box.slotd("mik")
    client = await box.client()
    await online(client, "mik")
    async with Subscription(client, "log") as lines:
        await client.call("peek.logs", {"user": "mik", "follow": True})
        kill(slotd)
        async with asyncio.timeout(SECONDS):
            async for params in lines:
                if params.get("error"):
                    break
    with pytest.raises(HeroError) as caught:
        await client.call("peek.logs", {"user": "mik"})
    assert caught.value.code == "unreachable"


async def test_somebody_who_does_not_show_their_logs_is_not_peeked_at(box: MadeBox) -> None:
    client = await box.up("mik")
    events = await subscribed(client)
    box.push({"users/mik.toml": user_file("Mik", "[peek]", 'logs = "none"')})
    await next_event(events, "team.changed")
    with pytest.raises(HeroError) as caught:
        await client.call("peek.logs", {"user": "mik"})
    assert caught.value.code == "denied"
    assert (await client.call("peek.slot", {"user": "mik"}))["slot"] == "mik"


async def test_a_teammates_agent_is_read_along_with_harmless_and_followed(box: MadeBox) -> None:
    client = await box.up("mik")
    result = await client.call("peek.agent_log", {"user": "mik", "agent": "3"})
    assert [line["text"] for line in result["lines"]] == ["3:\nhello"]
    async with Subscription(client, "agent_log") as lines:
        stream = (await client.call("peek.agent_log", {"user": "mik", "agent": "3", "follow": True}))["stream"]
        assert await texts(lines, stream, 1) == ["3:\nhello"]


async def test_somebody_who_does_not_show_their_agents_is_not_peeked_at(box: MadeBox) -> None:
    client = await box.up("mik")
    events = await subscribed(client)
    box.push({"users/mik.toml": user_file("Mik", "[peek]", 'agents = "none"')})
    await next_event(events, "team.changed")
    with pytest.raises(HeroError) as caught:
        await client.call("peek.agent_log", {"user": "mik", "agent": "1"})
    assert caught.value.code == "denied"
    assert (await client.call("peek.logs", {"user": "mik"}))["lines"]


async def texts(lines: Subscription, stream: str, count: int) -> list[str]:
    """The first `count` lines of `stream`."""
    found: list[str] = []
    async with asyncio.timeout(SECONDS):
        async for params in lines:
            if params["stream"] == stream:
                found += [line["text"] for line in params["lines"]]
            if len(found) >= count:
                break
    return found


async def streams_are(slot: Any, wanted: list[str]) -> bool:
    return bool((await slot.call("test.streams"))["texts"] == wanted)
