"""Agents and an inbox for the made-up fleet: who works, who waits, what was asked; and what a log says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from backends.model.agent_calls import ClaudeStatus
from backends.model.agents import EFFORTS, Agent, AgentLine, Iteration, Waiting
from backends.model.claude import (
    ClaudeProgram,
    Credential,
    OrgGrant,
    PersonalLogin,
    Resolution,
    ResolutionStep,
)
from backends.model.inbox import InboxItem
from backends.model.state import Event, FleetSnapshot
from tests.hero_tui.fleets import NOW, snapshot


def agent(id: str = "1", slot: str = "alice", **fields: Any) -> Agent:
    """A session of alice that works, but for `fields`."""
    known: dict[str, Any] = {
        "id": id,
        "slot": slot,
        "session": f"5b2f8c1e-0000-4000-8000-{int(id):012d}",
        "title": "Weigh the routes of a canary",
        "state": "working",
        "since": NOW - timedelta(minutes=4),
        "started_at": NOW - timedelta(minutes=31),
        "model": "claude-opus-5-5",
        "effort": "medium",
        "credential": "org-key-2",
        "service": "hero_router",
        "repo": "lhumina_code/hero_router",
        "branch": f"development_{slot}",
        "worktree": f"/srv/box/home/{slot}/hero/src/hero_router/development_{slot}",
        "cost": 0.42,
        "turns": 7,
        "context_used": 34.0,
        "last_line": "Three tests are red; I look at the weights first.",
        "window": f"hero-agents:@{id}",
    }
    return Agent.model_validate(known | fields)


def waiting(id: str = "2", slot: str = "alice", **fields: Any) -> Agent:
    """One that asks for a permission."""
    dialog = Waiting(
        id=f"w-{slot}-{id}",
        tool="Bash",
        text="cargo publish --token from-the-vault --allow-dirty",
        options=(),
        since=NOW - timedelta(minutes=2),
    )
    known: dict[str, Any] = {
        "state": "waiting",
        "why": "permission",
        "since": NOW - timedelta(minutes=2),
        "title": "Publish the crate of the router",
        "waiting": dialog,
        "effort": "high",
        "cost": 3.1,
        "turns": 22,
        "context_used": 71.0,
    }
    return agent(id, slot, **known | fields)


def asking(id: str = "4", slot: str = "alice", **fields: Any) -> Agent:
    """One that asks which way to go."""
    dialog = Waiting(
        id=f"w-{slot}-{id}",
        text="Which of the two tables shall be kept?",
        options=("the routes by name", "the routes by weight", "both, behind a flag"),
        since=NOW - timedelta(seconds=40),
    )
    return waiting(
        id, slot, **{"why": "question", "waiting": dialog, "title": "Split the routing tables"} | fields
    )


def some_agents() -> list[Agent]:
    """Four of mine, four of others: every state, every ending."""
    return [
        agent(),
        waiting(),
        agent(
            "3",
            title="Rebuild the index nightly until it is green",
            service="hero_search",
            branch="feature/nightly-index",
            loop_limit=10,
            iterations=(
                Iteration(number=1, started_at=NOW - timedelta(hours=1), outcome="again", detail="2 tests fail"),
                Iteration(number=2, started_at=NOW - timedelta(minutes=20)),
            ),
            credential="personal",
            effort="max",
            cost=12.75,
            turns=148,
            context_used=88.0,
            pending=2,
        ),
        agent(
            "5",
            title="Say what the codec does",
            state="idle",
            why="done",
            since=NOW - timedelta(hours=3),
            effort="low",
            model="claude-haiku-5-5",
            credential="personal",
            cost=0.01,
            turns=1,
            last_line="The codec frames 20 ms of sound; the panic comes from an empty frame.",
        ),
        asking("1", "mik", credential="org-key-1", service="hero_books", repo="lhumina_code/hero_books"),
        agent(
            "2",
            "mik",
            state="error",
            why="rate limit",
            detail="org-key-1 rests until 10:12; the next key of mik is tried then",
            credential="org-key-1",
            title="Find why books are sorted twice",
            cost=0.3,
        ),
        agent("7", "thabet", title="Mend the voice codec", state="starting", cost=0, turns=0, last_line=""),
        agent(
            "6",
            "thabet",
            title="Draw the map of the services",
            state="gone",
            ended_at=NOW - timedelta(hours=5),
            since=NOW - timedelta(hours=5),
            credential="personal",
        ),
    ]


def many_agents(count: int = 40) -> list[Agent]:
    """So many, in three slots."""
    states = ("working", "working", "idle", "working", "waiting")
    made = []
    for number in range(1, count + 1):
        slot = ("alice", "mik", "thabet")[number % 3]
        state = states[number % len(states)]
        fields: dict[str, Any] = {"title": f"Task {number} of the migration", "effort": EFFORTS[number % 5]}
        one = waiting if state == "waiting" else agent
        made.append(one(str(number), slot, **fields | ({} if state == "waiting" else {"state": state})))
    return made


def with_agents(agents: Sequence[Agent], **updates: dict[str, Any]) -> FleetSnapshot:
    """The fleet with these agents in its slots, and by slot what else is other there."""
    fleet = snapshot()
    slots = tuple(
        slot.model_copy(
            update={"agents": tuple(one for one in agents if one.slot == slot.slot)} | updates.get(slot.slot, {})
        )
        for slot in fleet.slots
    )
    return fleet.model_copy(update={"slots": slots})


def agent_changed(seq: int, agent: Agent) -> Event:
    """The event of an agent."""
    data = agent.model_dump(mode="json")
    return Event(seq=seq, time=NOW, box="demo", slot=agent.slot, kind="agent.changed", subject=agent.id, data=data)


def agent_removed(seq: int, slot: str, id: str) -> Event:
    """The event of an agent that is forgotten."""
    return Event(seq=seq, time=NOW, box="demo", slot=slot, kind="agent.removed", subject=id)


def entry(number: int, kind: str, text: str, tool: str = "") -> AgentLine:
    """An entry of an agent's log."""
    known = {"number": number, "time": NOW, "kind": kind, "text": text, "tool": tool}
    return AgentLine.model_validate(known)


def some_lines() -> tuple[AgentLine, ...]:
    """An agent at work."""
    said = [
        ("start", "claude 2.1.329, claude-opus-5-5, effort medium, org-key-2", ""),
        ("prompt", "Make the canary get its share of the requests.\nThe weights are in routes.toml.", ""),
        ("answer", "I look at how the weights are read, and at the tests that hold them.", ""),
        ("tool", "crates/router/src/weights.rs", "Read"),
        ("result", "   1  //! Weights of routes.\n   2  use std::collections::BTreeMap;\n   3  …", ""),
        ("tool", "cargo test --package hero_router weights -- --nocapture", "Bash"),
        (
            "result",
            "running 9 tests\ntest weights::sum ... FAILED\ntest weights::zero ... ok\n7 passed, 2 failed",
            "",
        ),
        ("answer", "Two tests are red: the sum is taken before the canary has its weight. I move it below.", ""),
        ("tool", "crates/router/src/weights.rs: 3 lines for 2", "Edit"),
        ("message", "mik: the table moves to hero_db next week, do not add a cache", ""),
        ("wait", "permission: Bash cargo publish", "Bash"),
    ]
    return tuple(entry(number, *one) for number, one in enumerate(said, 1))


def item(id: str = "q-1", **fields: Any) -> InboxItem:
    """A question of alice's agent 1 to alice, but for `fields`."""
    known: dict[str, Any] = {
        "id": id,
        "kind": "question",
        "sender": "alice/1",
        "to": "alice",
        "text": "Which of the two tables shall be kept?",
        "options": ("the routes by name", "the routes by weight", "both, behind a flag"),
        "asked_at": NOW - timedelta(minutes=3),
    }
    return InboxItem.model_validate(known | fields)


def some_items() -> list[InboxItem]:
    """Every kind and every ending."""
    return [
        item(expires_at=NOW + timedelta(seconds=85)),
        item(
            "p-1",
            kind="permission",
            sender="alice/2",
            text="Bash: cargo publish --token from-the-vault --allow-dirty",
            options=("Allow", "Deny"),
            waiting="w-alice-2",
            asked_at=NOW - timedelta(minutes=2),
        ),
        item(
            "q-2",
            sender="alice/3",
            text="The nightly index has failed twice on the same two tests.\n\nShall I go on, or stop the loop?",
            options=(),
            asked_at=NOW - timedelta(minutes=9),
            expires_at=NOW + timedelta(hours=2),
        ),
        item(
            "m-1",
            kind="message",
            sender="mik",
            text="I have taken hero_books off the trunk until noon.",
            options=(),
        ),
        item(
            "q-3",
            state="answered",
            sender="alice/1",
            text="May I delete the old fixtures?",
            options=("Yes", "No"),
            choice=2,
            answer="No",
            answered_by="alice",
            answered_at=NOW - timedelta(minutes=40),
            asked_at=NOW - timedelta(minutes=44),
        ),
        item(
            "q-4",
            state="expired",
            sender="alice/5",
            text="Is it all right to skip the benchmark?",
            options=("Yes", "No"),
            asked_at=NOW - timedelta(hours=6),
        ),
        item(
            "m-2",
            kind="message",
            sender="thabet",
            text="The voice codec panics on empty frames, I am on it.",
            options=(),
            state="delivered",
            read_at=NOW - timedelta(hours=1),
            asked_at=NOW - timedelta(hours=2),
        ),
    ]


PLAN = """switch hero_router development_mik

branch: development_mik
from: release
commit: 8bf8498a2f1c
release: development_mik-8bf8498a
sha256: 4f0c5b2e9d31
bound now: development_alice from release
runs now: development_alice-1a5d326a
restarts: hero_router

1. download hero_router-linux-x86_64.tar.gz (4113122 bytes)
2. install development_mik-8bf8498a (verified before it is unpacked)
3. swap hero_router (instead of development_alice-1a5d326a)
4. restart hero_router (then its health check must pass)
! Your worktree of this branch has work that the release does not have; it stays untouched."""


def approval(id: str = "a-1", radius: str = "high", **fields: Any) -> InboxItem:
    """What alice's agent 1 wants to do, and she is to allow."""
    hold = 600.0 if radius == "medium" else 0.0
    held = {"action": "slot.switch", "subject": "hero_router", "radius": radius, "rule": "slot.*", "hold": hold}
    known: dict[str, Any] = {
        "kind": "approval",
        "text": PLAN,
        "options": ("Allow", "Deny"),
        "waiting": f"act-{id}",
        "approval": held,
        "asked_at": NOW - timedelta(minutes=1),
        "expires_at": NOW + (timedelta(minutes=9) if hold else timedelta(hours=23, minutes=59)),
    }
    return item(id, **known | fields)


def some_approvals() -> list[InboxItem]:
    """Of both radii, one that was done, one that had become something else."""
    over: dict[str, Any] = {
        "state": "answered",
        "choice": 1,
        "answer": "Allow",
        "answered_by": "alice",
        "answered_at": NOW - timedelta(minutes=30),
        "asked_at": NOW - timedelta(minutes=33),
    }
    done = 'Done: switch hero_router development_mik.\n{"service": "hero_router", "hash": "8bf8498a"}'
    changed = "What this would do has changed since it was proposed (runs now: 1a5d326a, now 77aa01bc)."
    return [
        approval(),
        approval("a-2", "medium", sender="alice/2", text=PLAN.replace("switch", "rebuild", 1)),
        approval("a-3", **over, outcome=done),
        approval("a-4", **over | {"sender": "alice/3", "problem": changed}),
    ]


def question_changed(item: InboxItem) -> Event:
    """The event of an item: who and which, never what."""
    data = {name: getattr(item, name) for name in ("id", "kind", "sender", "to", "state")}
    return Event(seq=0, time=NOW, box="demo", slot="", kind="question.changed", subject=item.id, data=data)


def claude_status(kind: str = "org", **fields: Any) -> ClaudeStatus:
    """What a slot would run an agent on."""
    org = kind == "org"
    resolution = Resolution(
        preference="auto",
        credential=Credential(kind=kind, key="ORG_CLAUDE_KEY_2" if org else ""),
        steps=(
            ResolutionStep(question="Is there a login of your own?", answer="it expired 3h ago"),
            ResolutionStep(question="Has an admin assigned an org key?", answer="yes, two", taken=True),
        ),
        personal=PersonalLogin(state="expired"),
        org=OrgGrant(state="granted" if org else "not_assigned", key="ORG_CLAUDE_KEY_2" if org else ""),
        problem="" if kind != "none" else "No credential can be used.",
        hint="" if kind != "none" else "Run `claude login` or ask an admin to assign you an org key.",
    )
    program = ClaudeProgram(path="/usr/bin/claude", version="2.1.329")
    return ClaudeStatus(resolution=resolution, program=fields.get("program", program))
