"""Agents on a real box: an org key for them, the stand-in for the API that it is spent at, and what they asked."""

from __future__ import annotations

import json
import shlex
from typing import Any

from tests.acceptance.real_box import RealBox

ORG_KEY, SECRET = "ORG_CLAUDE_KEY_2", "sk-ant-" + "org-key-that-is-not-real-0123456789"
_ASKED = "/srv/asked.jsonl"
_API = f"""\
[Unit]
Description=The API's stand-in
[Service]
ExecStart=/usr/bin/python3 -m tests.messages_api 8787 {_ASKED}
WorkingDirectory=/srv/hero
[Install]
WantedBy=multi-user.target
"""


def begin_api(box: RealBox) -> None:
    """In the machine, a stand-in for the API that the broker spends its keys at; it boots with it."""
    box.machine.write("/etc/systemd/system/messages-api.service", _API)
    box.machine.run(["systemctl", "enable", "--quiet", "--now", "messages-api"])
    spent = '\n[claude]\nupstream = "http://127.0.0.1:8787"\n'
    box.machine.run(["sh", "-c", "cat >> /var/lib/hero/box.toml"], input=spent)
    box.machine.run(["systemctl", "restart", "hero_aibroker"])


def begin_session(box: RealBox, user: str) -> None:
    """The tmux of a person who logs in at a terminal, which agents are opened in."""
    scope = ["systemd-run", "--user", "--scope", "--quiet", "--collect", "--unit=hero-tmux", "--"]
    begin = shlex.join([*scope, "tmux", "new-session", "-d", "-s", "hero"])
    box.machine.ssh(user, box.keys / user, ["bash", "-lc", begin])


def agent_of(box: RealBox, user: str) -> dict[str, Any]:
    """The first agent of a slot; nothing of one while its daemon starts."""
    told = box.dev(user, "agents", "--json", check=False).stdout
    found = json.loads(told or "{}").get("agents") or [{"state": "", "why": "", "last_line": ""}]
    return dict(found[0])


def process_of(box: RealBox, user: str) -> tuple[int, str]:
    """The pid of a slot's first agent, and when the process began: nobody else's later."""
    pid = agent_of(box, user)["pid"]
    stat = box.machine.run(["cat", f"/proc/{pid}/stat"]).stdout
    return pid, stat.rpartition(")")[2].split()[19]


def asked_for(box: RealBox, words: str) -> list[dict[str, Any]]:
    """The requests of the model whose last message of a person has `words`, each with the `key` it came with."""
    lines = box.machine.run(["cat", _ASKED], check=False).stdout.splitlines()
    requests = [json.loads(line) for line in lines]
    return [one for one in requests if one["body"].get("tools") and words in _said_last(one["body"])]


def _said_last(body: dict[str, Any]) -> str:
    said = [message for message in body.get("messages", ()) if message["role"] == "user"]
    return json.dumps(said[-1]) if said else ""


def says_and_hears(box: RealBox, user: str, words: str) -> dict[str, Any]:
    """Tell the slot's first agent `words`, which nobody said before; the request that came of it, answered."""
    box.dev(user, "agent-send", agent_of(box, user)["id"], words)
    box.wait(lambda: asked_for(box, words), f"the request for {words!r}")
    box.wait(lambda: agent_of(box, user)["state"] == "idle", f"the end of {words!r}")
    (request,) = asked_for(box, words)
    return request
