"""A small box whose alice has an org key behind the broker, and a stand-in for the API that it goes to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from backends.client.broker import connect_broker
from backends.model.errors import HeroError
from tests.acceptance.small_box import TEAM_REPO, USERS, SmallBox, small_box
from tests.backends.slot.origins import run
from tests.messages_api.server import MessagesApi

KEY = "sk-ant-" + "org-key-that-is-not-real-0123456789"
NAME = "ORG_CLAUDE_KEY_2"
ONE_KEY = {NAME: KEY}


@contextlib.contextmanager
def agent_box(api: MessagesApi, work: Path, keys: Mapping[str, str] = ONE_KEY) -> Iterator[SmallBox]:
    """The box; `work` is a folder for a clone of the team repo. HOME should not be the caller's own.

    `keys`: alice's keys by name, in the order of their use.
    """
    with small_box() as made:
        paths = made.where.box
        paths.config.write_text(paths.config.read_text() + f'\n[claude]\nupstream = "{api.url}"\n')
        _assign(made, work / "team", tuple(keys))
        try:
            made.call("slot.status")
            for name, secret in keys.items():
                keep_key(made, name, secret)
            yield made
        finally:
            end_agents(made)
            _end_broker(made)
            for user in USERS:
                socket = paths.slot(user).tmux_socket
                subprocess.run(["tmux", "-S", str(socket), "kill-server"], check=False, capture_output=True)


def keep_key(box: SmallBox, name: str, secret: str) -> None:
    """Have the broker keep this key under `name`, in the place of another."""
    with connect_broker(box.where) as broker:
        broker.call("aibroker.claude_key.set", {"slot": name, "secret": secret})


def end_agents(box: SmallBox) -> None:
    """Stop all of alice's agents."""
    with contextlib.suppress(HeroError):
        for agent in box.call("agent.list", {})["agents"]:
            box.call("agent.stop", {"agent": agent["id"]})


def _assign(box: SmallBox, work: Path, names: tuple[str, ...]) -> None:
    """The keys to alice, in the team repo and in the checkout of it."""
    bare = box.where.box.forge / f"{TEAM_REPO}.git"
    subprocess.run(["git", "clone", "-q", "--", str(bare), str(work)], check=True, capture_output=True)
    granted = f"[claude_org_key]\nenabled = true\nkey_secret_names = {json.dumps(names)}\n"
    for users in (work / "users", box.where.box.team / "users"):
        file = users / "alice.toml"
        file.write_text(file.read_text() + granted)
    run(work, "commit", "-q", "-a", "-m", "Assign a key")
    run(work, "push", "-q", "origin", "HEAD")


def _end_broker(box: SmallBox) -> None:
    with contextlib.suppress(HeroError, OSError), connect_broker(box.where) as broker:
        os.kill(broker.call("rpc.ping")["pid"], signal.SIGTERM)
