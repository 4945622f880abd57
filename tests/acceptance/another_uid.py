"""What somebody else tries on a system box, to act as an agent of alice's: by calls of the box, by its tools."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.real_box import RealBox

AGENT = "alice/9"

_CALL = """
import json, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("/run/hero/box/rpc.sock")
for number, (method, params) in enumerate(json.load(sys.stdin), 1):
    asked = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    connection.sendall(json.dumps(asked).encode() + b"\\n")
    held = b""
    while not any(json.loads(line).get("id") == number for line in held.splitlines() if held.endswith(b"\\n")):
        held += connection.recv(65536) or sys.exit("the box hung up")
    print(held.decode().splitlines()[-1])
"""

_TOOLS = """
import json, subprocess, sys
words = ["hero_dev", "--slot", "alice", "mcp", "--agent", "9"]
server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
told = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bob", "version": "1"}}
asked = [{"id": 0, "method": "initialize", "params": told}, {"method": "notifications/initialized"}]
for id, (name, given) in enumerate(json.load(sys.stdin), 1):
    asked.append({"id": id, "method": "tools/call", "params": {"name": name, "arguments": given}})
try:
    for one in asked:
        server.stdin.write(json.dumps({"jsonrpc": "2.0", **one}) + "\\n")
        server.stdin.flush()
        while "id" in one and (line := server.stdout.readline()):
            if json.loads(line).get("id") == one["id"]:
                print(line, end="")
                break
except BrokenPipeError:
    pass
server.stdin.close()
sys.exit(server.wait())
"""

CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("question.ask", {"agent": AGENT, "text": "As alice's agent?"}),
    ("question.ask", {"user": "alice", "to": "carol", "text": "As alice?"}),
    ("question.ask", {"agent": AGENT, "text": "?", "waiting": "w1"}),
    ("message.send", {"agent": AGENT, "to": "carol", "text": "As alice's agent."}),
    ("message.take", {"agents": [AGENT]}),
    ("question.list", {"whose": AGENT}),
    ("question.settle", {"agent": AGENT, "waiting": "w1", "answered": True}),
    ("question.standing", {"user": "alice"}),
    ("slot.report", {"slot": "alice"}),
)
"""Calls of the box in alice's name, or her agent's; each has to be denied to anybody else."""


def calls_as(box: RealBox, user: str, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What the box answers to `calls` of `user`."""
    done = box.machine.run(["python3", "-c", _CALL], user=user, input=json.dumps(calls))
    return [json.loads(line) for line in done.stdout.splitlines()]


def tools_as(box: RealBox, user: str, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What the tools of alice's agent answer to `user`, who starts them; nothing where they do not start."""
    done = box.machine.run(["python3", "-c", _TOOLS], user=user, input=json.dumps(calls), check=False)
    assert "Traceback" not in done.stderr, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [one for one in answers if one["id"]]
