"""Replies of daemons, made from the models that the daemons answer with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from backends.model.plan import Plan, PlanStep
from backends.model.state import Build, CatalogueEntry, FleetSnapshot, Operation, ServiceStatus, SlotStatus

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
SECONDS = NOW.timestamp()


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def service(name: str = "hero_router", **fields: Any) -> ServiceStatus:
    given: dict[str, Any] = {
        "service": name,
        "repo": f"lhumina_code/{name}",
        "branch": "development",
        "source": "release",
        "hash": "1c487cb175ba21563b1e3cdbb6a2ffce6fd869b7",
        "drift": "current",
        "health": "healthy",
        "since": ago(720),
        "socket": f"/box/home/alice/hero/var/sockets/{name}/web.sock",
    }
    return ServiceStatus.model_validate({**given, **fields})


def crashed(name: str = "hero_voice", **fields: Any) -> ServiceStatus:
    given = {
        "health": "crashed",
        "reason": "exit 101",
        "exit_code": 101,
        "restarts": 2,
        "since": ago(12),
        "last_log": "frame of 0 samples",
    }
    return service(name, **{**given, **fields})


def failed_build(name: str) -> Build:
    return Build(
        id=f"{name}-12",
        service=name,
        branch="development",
        commit="a" * 40,
        state="failed",
        started_at=ago(200),
        finished_at=ago(180),
        error="The build failed: exit 1.\n  error: line 3",
    )


def slot(*services: ServiceStatus, name: str = "alice", **fields: Any) -> SlotStatus:
    return SlotStatus(box="demo", slot=name, services=services, seen_at=NOW, **fields)


def fleet(*slots: SlotStatus, **fields: Any) -> FleetSnapshot:
    names = [one.service for one in slots[0].services] if slots else []
    catalogue = tuple(CatalogueEntry(name=name, repo=f"a/{name}") for name in names)
    return FleetSnapshot(
        box="demo", seq=1, trunk="development", catalogue=catalogue, slots=slots, time=NOW, **fields
    )


def operation(kind: str = "switch", **fields: Any) -> dict[str, Any]:
    given = {"id": "ab12", "kind": kind, "title": f"{kind} hero_router", "started_at": ago(3)}
    return Operation.model_validate({**given, **fields}).model_dump(mode="json")


def plan(**fields: Any) -> dict[str, Any]:
    steps = (
        PlanStep(action="download", subject="hero_router-linux.tar.gz", detail="3400000 bytes"),
        PlanStep(action="restart", subject="hero_router", detail="then its health check must pass"),
    )
    given = {"action": "switch", "service": "hero_router", "branch": "development_mik", "steps": steps}
    return Plan.model_validate({**given, **fields}).model_dump(mode="json")


def data(value: ServiceStatus | SlotStatus | FleetSnapshot) -> dict[str, Any]:
    """What arrives over the socket."""
    return value.model_dump(mode="json")


def build(id: str = "hero_web-1a2b3c4d5e", **fields: Any) -> Build:
    """A build that succeeded."""
    given: dict[str, Any] = {
        "id": id,
        "slot": "alice",
        "service": "hero_web",
        "repo": "lhumina_code/hero_web",
        "branch": "development",
        "commit": "1c487cb175ba21563b1e3cdbb6a2ffce6fd869b7",
        "state": "succeeded",
        "reason": "webhook",
        "actor": "forge",
        "queued_at": ago(130),
        "started_at": ago(120),
        "finished_at": ago(78.5),
        "phases": (
            {"name": "queue", "seconds": 0.1},
            {"name": "worktree", "seconds": 0.21},
            {"name": "compile", "seconds": 41.0},
            {"name": "pack", "seconds": 0.3},
        ),
    }
    return Build.model_validate({**given, **fields})
