"""Faults of the API and the way to it, at the real `claude` behind the broker: what is said, how it is gone on."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from backends.client.broker import connect_broker
from backends.model.errors import HeroError
from tests.acceptance.agent_box import agent_box, keep_key
from tests.acceptance.small_box import SmallBox
from tests.messages_api.server import MessagesApi, Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ONE, TWO = "ORG_CLAUDE_KEY_1", "ORG_CLAUDE_KEY_2"
DEADLINE = 60.0
REST = "90"
"""Seconds of a rest that the program does not wait out by itself."""

_numbers = count(1)


@dataclass
class Working:
    """One agent of a box whose user has two org keys; `said` is every state that it was seen in."""

    box: SmallBox
    api: MessagesApi
    id: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def agent(self) -> dict[str, Any]:
        found: dict[str, Any] = self.box.call("agent.get", {"agent": self.id})
        return found

    def fresh(self) -> None:
        """Both keys anew, so that they neither rest nor were refused, and an API that answers."""
        for name in (ONE, TWO):
            self.keys[name] = f"sk-ant-key-{name[-1]}-that-is-not-real-{next(_numbers):06}"
            keep_key(self.box, name, self.keys[name])
        self.api.keys = None
        self.api.for_key.clear()
        self.api.default = Reply(text=f"Well {next(_numbers)}.")

    def revoke(self) -> None:
        with connect_broker(self.box.where) as broker:
            for name in (ONE, TWO):
                broker.call("aibroker.claude_key.revoke", {"slot": name})

    def tell(self, text: str) -> None:
        self.said.clear()
        self.box.call("agent.send", {"agent": self.id, "text": text})

    def until(self, there: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The agent once it is so; every state until then is kept."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            found = self.agent
            says = ": ".join(part for part in (found["state"], found["why"]) if part)
            if self.said[-1:] != [says]:
                self.said.append(says)
            if there(found):
                return found
            time.sleep(0.02)
        raise AssertionError(f"it never came to that: {self.said}, {found}")

    def fails(self, why: str) -> str:
        """What it says once it has failed for `why`."""
        found = self.until(lambda one: (one["state"], one["why"]) == ("error", why))
        assert "idle: done" not in self.said[1:]
        return str(found["detail"])

    def answers(self, text: str = "") -> None:
        """Wait until it rests after the answer `text`, or the API's usual one."""
        wanted = text or self.api.default.text
        self.until(lambda one: one["last_line"] == wanted and one["state"] == "idle")

    def goes_on(self) -> None:
        """It can be told to, and does."""
        self.tell("Go on.")
        self.answers()


@pytest.fixture(scope="module")
def booted(claude_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, MessagesApi() as api:
        patch.setenv("HERO_CLAUDE", str(claude_program))
        patch.setenv("HOME", str(home))
        for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE"))]:
            patch.delenv(name)
        names = {name: f"sk-ant-first-{name[-1]}-that-is-not-real" for name in (ONE, TWO)}
        with agent_box(api, home, names) as box:
            made = Working(box, api)
            asked = {"prompt": "hello", "service": "hero_web"}
            made.id = box.call("agent.start", asked)["agent"]["id"]
            made.answers()
            yield made


@pytest.fixture
def working(booted: Working) -> Working:
    """The agent at rest, on keys that nothing is known of."""
    booted.fresh()
    booted.until(lambda one: one["state"] in ("idle", "error"))
    return booted


def test_a_limit_at_one_key_is_not_seen_and_at_the_last_one_is_told_with_its_end(working: Working) -> None:
    api = working.api
    api.for_key[working.keys[ONE]] = Reply(status=429, retry_after=REST)
    working.goes_on()
    assert [one.key for one in api.messages[-2:]] == [working.keys[ONE], working.keys[TWO]]
    assert not [one for one in working.said if one.startswith("error")][1:]
    api.for_key[working.keys[TWO]] = Reply(status=429, retry_after=REST)
    working.tell("And on.")
    detail = working.fails("rate limit")
    assert "Every key of alice is at its rate limit; the next one is free at " in detail
    assert " UTC." in detail
    working.fresh()
    working.goes_on()


def test_keys_that_the_api_refuses_are_told_with_who_mends_them(working: Working) -> None:
    working.api.keys = set()
    working.tell("work")
    detail = working.fails("auth")
    assert f"{ONE}, {TWO} (401). An admin of the team has to rotate it." in detail
    assert "hero_dev claude status" in detail
    assert "/login" not in detail
    working.fresh()
    working.goes_on()


def test_an_overloaded_api_is_told_as_that(working: Working) -> None:
    working.api.default = Reply(status=529)
    working.tell("work")
    detail = working.fails("overloaded")
    assert "at capacity" in detail
    assert "gateway" not in detail
    working.fresh()
    working.goes_on()


def test_a_network_that_is_gone_before_or_amid_an_answer_is_waited_for(working: Working) -> None:
    api = working.api
    api.vanish()
    working.tell("work")
    working.until(lambda one: one["state"] == "working")
    _is_tried_in_vain(working)
    api.come_back()
    working.answers()
    gate = threading.Event()
    api.script(Reply(text="Half of", gate=gate))
    seen = len(api.messages)
    working.tell("and again")
    working.until(lambda _: len(api.messages) > seen)
    api.vanish()
    gate.set()
    _is_tried_in_vain(working)
    assert working.agent["state"] == "working"
    api.come_back()
    api.default = Reply(text="Whole.")
    working.answers("Whole.")
    assert not [one for one in working.said if one.startswith("error")]


def _is_tried_in_vain(working: Working) -> None:
    """Wait until the window shows that the broker told the program what is wrong."""
    socket, window = str(working.box.slot.tmux_socket), working.agent["window"]
    working.until(lambda _: "The box cannot reach" in _screen(socket, window))


def _screen(socket: str, window: str) -> str:
    argv = ["tmux", "-S", socket, "capture-pane", "-p", "-t", window]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_an_answer_that_trickles_is_work(working: Working) -> None:
    text = "One word and then another and the last."
    working.api.script(Reply(text=text, pause=0.25))
    working.tell("slowly")
    working.until(lambda one: one["state"] == "working")
    working.said.clear()
    working.answers(text)
    assert working.said == ["working", "idle: done"]


def test_keys_that_are_taken_back_amid_a_turn_end_it_at_the_next_request(working: Working) -> None:
    gate = threading.Event()
    place = working.agent["worktree"]
    working.api.script(Reply(text="", tool=("Read", {"file_path": f"{place}/hero_service.toml"}), gate=gate))
    seen = len(working.api.messages)
    working.tell("read it")
    working.until(lambda _: len(working.api.messages) > seen)
    working.revoke()
    gate.set()
    detail = working.fails("auth")
    assert f"alice is assigned {ONE}, {TWO}, which the broker does not have." in detail
    assert len(working.api.messages) == seen + 1
    with pytest.raises(HeroError, match="The broker has no key for"):
        working.box.call("agent.start", {"prompt": "another", "service": "hero_web"})
    working.fresh()
    working.goes_on()
