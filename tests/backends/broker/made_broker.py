"""A broker of a box on disk, as a process, before the stand-in for the Messages API."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.model.paths import BoxPaths
from backends.rpc.spawn import answers
from backends.rpc.sync_client import SyncClient
from tests.messages_api.server import MessagesApi

DEADLINE = 30.0
ONE, TWO = "ORG_CLAUDE_KEY_1", "ORG_CLAUDE_KEY_2"
SECRET_ONE, SECRET_TWO = "sk-ant-api03-the-first-key", "sk-ant-api03-the-second-key"
QUESTION = {"model": "claude-opus", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}

TEAM = 'schema = 1\nname = "Hero"\nbox = "dev"\nadmins = ["carol"]\n[forge]\nkind = "folder"\n'


def user_file(*names: str, enabled: bool = True, assigned: bool = True) -> str:
    """A person's file in the team repo, with the keys `names`."""
    text = f'schema = 1\nfull_name = "Somebody"\nrole = "developer"\nenabled = {str(enabled).lower()}\n'
    if not names:
        return text
    return f"{text}[claude_org_key]\nenabled = {str(assigned).lower()}\nkey_secret_names = {json.dumps(names)}\n"


@dataclass
class Answer:
    """What the relay answered."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def sentence(self) -> str:
        return str(json.loads(self.body)["error"]["message"])


@dataclass
class MadeBroker:
    """The broker of the box in `root`, whose upstream is `api`."""

    root: Path
    api: MessagesApi
    hand_over: str = "relay"
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.root / "team" / "checkout" / "users").mkdir(parents=True)
        (self.root / "team" / "checkout" / "team.toml").write_text(TEAM)
        self.box.config.write_text(
            'schema = 1\nname = "dev"\ncreated = 2026-11-21T10:00:00Z\n'
            f'[claude]\nupstream = "{self.api.url}"\nhand_over = "{self.hand_over}"\n'
        )

    @property
    def box(self) -> BoxPaths:
        return BoxPaths(self.root)

    @property
    def log(self) -> str:
        return (self.box.log / "aibroker.log").read_text()

    @property
    def audited(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.box.broker / "audit.jsonl").read_text().splitlines()]

    def assign(self, user: str, *names: str, **more: bool) -> None:
        """What the team repo says of `user` from now on."""
        path = self.box.team / "users" / f"{user}.toml"
        fresh = path.with_suffix(".new")
        fresh.write_text(user_file(*names, **more))
        fresh.replace(path)

    def start(self) -> subprocess.Popen[bytes]:
        """The daemon, once it answers."""
        process = self.spawn()
        self.wait(lambda: process.poll() is not None or answers(self.box.broker_socket), "a broker that answers")
        assert process.poll() is None, "the broker ended"
        self.call("leases")  # is answered once the relay is there
        return process

    def spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "hero_tui.aibrokerd", "--box", str(self.root)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE)
            if process.stdout:
                process.stdout.close()

    def kill(self) -> None:
        self.processes[-1].kill()
        self.processes[-1].wait(DEADLINE)

    def call(self, method: str, **params: Any) -> Any:
        with SyncClient(self.box.broker_socket) as client:
            return client.call(f"aibroker.{method}", params)

    def keep(self, slot: str = ONE, secret: str = SECRET_ONE) -> dict[str, Any]:
        return dict(self.call("claude_key.set", slot=slot, secret=secret))

    def session(self, user: str = "sara", name: str = "sara/1", slot: str = "") -> Session:
        """A session that was given a credential."""
        return Session(self.call("claude_key.get", user=user, session=name, slot=slot))

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + DEADLINE
        while not (found := condition()):
            assert time.monotonic() < deadline, f"{what} did not come"
            time.sleep(0.01)
        return found

    def use(self) -> list[dict[str, Any]]:
        return list(self.call("claude_key.list")["use"])


class Session:
    """What asks the API through the relay."""

    def __init__(self, given: dict[str, Any]):
        self.given = given
        self.secret: str = given["secret"]
        self.host: str = given["base_url"].removeprefix("http://")

    def ask(self, path: str = "/v1/messages", method: str = "POST", **headers: str) -> Answer:
        """One whole request on a connection of its own. `headers`: `_` stands for `-`."""
        connection = http.client.HTTPConnection(self.host, timeout=DEADLINE)
        try:
            self.send(connection, path, method, **headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, answer.read(), found)
        finally:
            connection.close()

    def send(self, connection: http.client.HTTPConnection, path: str, method: str, **headers: str) -> None:
        stream = headers.pop("stream", "")
        body = json.dumps({**QUESTION, "stream": bool(stream)}) if method == "POST" else None
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if "authorization" not in told:
            told.setdefault("x-api-key", self.secret)
        connection.request(method, path, body, {"content-type": "application/json", **told})

    def ask_as(self, uid: int) -> int:
        """The status that the same request gets from a process of another uid."""
        program = (
            "import os, socket, sys\n"
            "uid, host, port = int(sys.argv[1]), *sys.argv[2].split(':')\n"
            "os.setgroups([]); os.setgid(uid); os.setuid(uid)\n"
            "head = f'POST /v1/messages HTTP/1.1\\r\\nhost: {host}\\r\\nx-api-key: {sys.stdin.read()}\\r\\n'\n"
            "connection = socket.socket()\n"
            "connection.connect((host, int(port)))\n"
            "connection.sendall(f'{head}content-length: 2\\r\\n\\r\\n{{}}'.encode())\n"
            "print(connection.recv(100).split()[1].decode())\n"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", program, str(uid), self.host],
            input=self.secret,
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
        )
        return int(done.stdout)


IS_ROOT = os.geteuid() == 0
