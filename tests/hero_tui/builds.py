"""Builds of the made-up fleet: some that run, some that wait, a history; and the box's answers about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from backends.model.build_calls import BuildListResult
from backends.model.state import Build, Event, LogLine, Phase
from tests.hero_tui.fleets import NOW, SERVICES


def build(id: str, **fields: Any) -> Build:
    """A build of hero_db in alice's slot that succeeded, but for `fields`."""
    known: dict[str, Any] = {
        "id": id,
        "slot": "alice",
        "service": "hero_db",
        "repo": f"lhumina_code/{fields.get('service', 'hero_db')}",
        "branch": "development",
        "commit": "9f3c21ab" * 5,
        "state": "succeeded",
        "reason": "rebuild",
        "actor": "alice",
        "queued_at": NOW - timedelta(minutes=10),
        "started_at": NOW - timedelta(minutes=9),
        "finished_at": NOW - timedelta(minutes=8),
        "restart": True,
    }
    return Build.model_validate(known | fields)


def queued(id: str, **fields: Any) -> Build:
    """One that waits."""
    return build(id, **{"state": "queued", "started_at": None, "finished_at": None, "commit": ""} | fields)


def running(id: str, **fields: Any) -> Build:
    """One that runs."""
    return build(
        id, **{"state": "running", "started_at": NOW - timedelta(seconds=30), "finished_at": None} | fields
    )


def phases(compile: float, *, publish: float = 0.0) -> tuple[Phase, ...]:
    """Where the time of a build went."""
    told = [Phase(name="queue", seconds=0.1), Phase(name="worktree", seconds=0.3)]
    told += [Phase(name="compile", seconds=compile), Phase(name="pack", seconds=0.4)]
    told += [Phase(name="publish", seconds=publish)] if publish else []
    return (*told, Phase(name="restart", seconds=0.8))


def history(count: int = 40) -> list[Build]:
    """Builds that ended, the newest first."""
    made = []
    for number in range(count):
        service = SERVICES[number % 4]
        user = ("integration", "alice", "integration", "mik")[number % 4]
        branch = "development" if user == "integration" else f"development_{user}"
        seconds = 38.0 + (number * 7) % 19 + (25 if number % 11 == 5 else 0)
        ended = NOW - timedelta(minutes=4 + 9 * number)
        version = f"{(number + 3) * 0x2F3D5B79:08x}"[:8]
        published = user == "integration"
        fields: dict[str, Any] = {
            "slot": user,
            "service": service,
            "branch": branch,
            "commit": version * 5,
            "reason": "webhook" if published else "rebuild",
            "actor": "webhook" if published else user,
            "publish": published,
            "priority": "background" if published else "interactive",
            "queued_at": ended - timedelta(seconds=seconds + 2),
            "started_at": ended - timedelta(seconds=seconds),
            "finished_at": ended,
            "tag": f"{branch}-{version}" if published else "",
            "phases": phases(seconds - 3.7, publish=2.1 if published else 0),
        }
        made.append(build(f"b-{1000 - number}", **fields | _ending(number)))
    return made


def _ending(number: int) -> dict[str, Any]:
    if number in (1, 13):
        said = "   Compiling hero_router v0.4.0\nerror[E0425]: cannot find value `shelves` in this scope"
        error = f"The build of hero_router failed: exit 101.\n{said}"
        return {"state": "failed", "tag": "", "error": error, "hint": "Mend it, then b."}
    if number == 6:
        return {"state": "superseded", "tag": "", "superseded_by": "b-999", "started_at": None}
    if number == 7:
        return {"state": "cancelled", "tag": "", "error": "Cancelled by mik."}
    return {}


def some_builds() -> list[Build]:
    """Two that run, three that wait, and a history."""
    return [
        running("b-1004", slot="integration", reason="webhook", actor="webhook", publish=True, coalesced=2),
        running(
            "b-1005",
            service="hero_router",
            branch="development_alice",
            commit="3e7ab6f2" * 5,
            started_at=NOW - timedelta(seconds=9),
            phases=phases(0)[:2],
        ),
        queued(
            "b-1006",
            service="hero_slides",
            branch="feature/router-metrics",
            waits_for="hero_router builds in this slot",
            queued_at=NOW - timedelta(seconds=40),
        ),
        queued(
            "b-1007",
            slot="mik",
            service="hero_books",
            branch="development_mik",
            actor="thabet",
            reason="submit",
            waits_for="2 of 2 builds run",
            queued_at=NOW - timedelta(seconds=20),
        ),
        queued(
            "b-1008",
            slot="integration",
            service="hero_search",
            reason="poll",
            actor="poll",
            priority="background",
            publish=True,
            waits_for="2 of 2 builds run",
            queued_at=NOW - timedelta(minutes=2),
        ),
        *history(),
    ]


def answer(builds: Iterable[Build], *, more: bool = False) -> BuildListResult:
    """The box's answer to build.list."""
    return BuildListResult(builds=tuple(builds), more=more, at_once=2)


def told(seq: int, build: Build) -> Event:
    """The event of a build."""
    data = build.model_dump(mode="json", by_alias=True)
    kind = f"build.{build.state}"
    return Event(seq=seq, time=NOW, box="demo", slot=build.slot, kind=kind, subject=build.service, data=data)


def log_lines(count: int = 30) -> tuple[LogLine, ...]:
    """What a build of Rust says."""
    crates = ("serde v1.0.219", "tokio v1.47.0", "hyper v1.6.0", "rustls v0.23.27", "hero_db v0.3.1")
    return tuple(
        LogLine(source="hero_db", time=None, text=f"   Compiling {crates[number % len(crates)]}")
        for number in range(count)
    )
