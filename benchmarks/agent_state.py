"""From an agent's hook to a subscriber of the box: how soon the team sees what an agent waits for.

Run: python -m benchmarks.agent_state [--rounds N] [--rate N]. HERO_CLAUDE names the program, else it is looked
for. Makes a small box with one real agent in a temporary folder. Each round starts the hook's own script, as the
program does, and ends when the event is at the subscriber. `--rate`: so many other events a second come meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from backends.claude.settings import hook_command
from backends.client.blocking import call_box
from backends.rpc.connection import Connection, connect
from backends.rpc.subscription import Subscription
from tests.acceptance.agent_box import agent_box
from tests.acceptance.small_box import SmallBox
from tests.messages_api.server import MessagesApi

TARGET_MS = 150
SECONDS = 30.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--rate", type=float, default=0.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ha", dir="/tmp") as home, MessagesApi() as api:
        os.environ["HOME"] = home
        with agent_box(api, Path(home)) as box:
            id = box.call("agent.start", {"service": "hero_web"})["agent"]["id"]
            box.until(lambda: box.call("agent.get", {"agent": id})["state"] == "idle")
            box.until(lambda: call_box(box.where, "box.status")["online"], "the slot at the box")
            times = asyncio.run(_measure(box, id, options.rounds, options.rate))
    p95 = quantiles(times, n=20)[18]
    print(f"hook to subscriber, {options.rate:g} other events/s: median {median(times):.0f} ms, p95 {p95:.0f} ms")
    print(f"to reach: median ≤ {TARGET_MS} ms")


async def _measure(box: SmallBox, id: str, rounds: int, rate: float) -> list[float]:
    team = await connect(box.where.box.rpc_socket)
    slot = await connect(box.slot.rpc_socket)
    noise = asyncio.create_task(_noise(slot, id, rate))
    try:
        async with Subscription(team) as events:
            await team.call("events.subscribe", {})
            return [await _round(box, id, events) for _ in range(rounds)]
    finally:
        noise.cancel()
        await asyncio.gather(noise, return_exceptions=True)
        await slot.close()
        await team.close()


async def _round(box: SmallBox, id: str, events: Subscription) -> float:
    """Milliseconds from the start of a PermissionRequest's hook to the event; the hook is ended then."""
    folder = box.slot.agents / id
    payload = {"tool_name": "Bash", "tool_input": {"command": "make install"}}
    begun = time.perf_counter()
    hook = subprocess.Popen(
        ["/bin/sh", "-c", hook_command(id, box.slot.rpc_socket, folder / "spool", "PermissionRequest")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert hook.stdin
    hook.stdin.write(json.dumps(payload).encode())
    hook.stdin.close()
    await _until(events, "waiting")
    taken = (time.perf_counter() - begun) * 1000
    hook.terminate()
    hook.wait()
    await _until(events, "idle")
    return taken


async def _until(events: Subscription, state: str) -> None:
    async with asyncio.timeout(SECONDS):
        async for event in events:
            if event["kind"] == "agent.changed" and event["data"]["state"] == state:
                return


async def _noise(slot: Connection, id: str, rate: float) -> None:
    """What hooks tell while agents work."""
    told: dict[str, Any] = {"tool_name": "Bash", "tool_response": {"stdout": "x" * 2000}}
    while rate:
        await slot.call("agent.hook", {"agent": id, "event": "PostToolUse", "payload": told})
        await asyncio.sleep(1 / rate)


if __name__ == "__main__":
    main()
