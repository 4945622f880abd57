"""What is shown before the models are loaded is what they would say, and whatever is unlike it is not shown."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from pydantic import ValidationError

from backends.client import look
from backends.client.look import Look, Unlike, fleet_of
from backends.model import agents, state
from backends.model.state import FleetSnapshot

WHEN = "2026-11-20T10:00:00.25Z"
CHECKS = {
    "ErrorInfo": look._ERROR,
    "Operation": look._OPERATION,
    "Phase": look._PHASE,
    "Build": look._BUILD,
    "ServiceStatus": look._SERVICE,
    "Iteration": look._ITERATION,
    "Waiting": look._WAITING,
    "Agent": look._AGENT,
    "SlotStatus": look._SLOT,
    "CatalogueEntry": look._ENTRY,
    "FleetSnapshot": look._FLEET,
}
OPERATION = {
    "id": "op-1",
    "kind": "switch",
    "service": "hero_web",
    "state": "failed",
    "done": 3,
    "total": 7,
    "started_at": WHEN,
    "finished_at": WHEN,
    "error": {"code": "failed", "message": "Ünlucky.", "hint": ""},
    "result": {"tag": "a", "more": [1, None]},
}
BUILD = {
    "id": "b-1",
    "service": "hero_web",
    "branch": "development",
    "state": "failed",
    "priority": "background",
    "queued_at": None,
    "finished_at": WHEN,
    "phases": [{"name": "compile", "seconds": 3}, {"name": "pack", "seconds": 0.5}],
}
AGENT = {
    "id": "3",
    "slot": "alice",
    "session": "s",
    "state": "waiting",
    "why": "permission",
    "since": WHEN,
    "started_at": WHEN,
    "effort": "xhigh",
    "mode": "plan",
    "cost": 2,
    "context_used": 12.5,
    "iterations": [{"number": 1, "started_at": WHEN, "outcome": "again"}],
    "waiting": {"id": "w", "options": ["yes", "no"], "since": WHEN},
}
SERVICE = {
    "service": "hero_web",
    "repo": "team/hero_web",
    "branch": "development",
    "from": "release",
    "running_from": "build",
    "enabled": False,
    "drift": "behind",
    "health": "crashed",
    "exit_code": 101,
    "installed_at": WHEN,
    "depends_on": ["hero_db"],
    "build": BUILD,
    "operation": OPERATION,
}
FLEET: dict[str, Any] = {
    "box": "small",
    "seq": 7,
    "trunk": "development",
    "rootless": False,
    "catalogue": [{"name": "hero_web", "repo": "team/hero_web", "core": True, "platforms": ["linux"]}],
    "slots": [
        {
            "box": "small",
            "slot": "alice",
            "credential_state": "cooling",
            "services": [SERVICE, {**SERVICE, "service": "hero_db", "build": None, "operation": None}],
            "operations": [OPERATION],
            "agents": [AGENT],
            "problems": ["one"],
            "stale": True,
            "seen_at": "2026-11-20T11:00:00+01:00",
        }
    ],
    "problems": ["two"],
    "time": WHEN,
    "more": False,
}


def plain(value: Any) -> Any:
    """Looks and models as what they have, to compare them."""
    if isinstance(value, Look):
        return {name: plain(one) for name, one in vars(value).items() if name != "_model"}
    if isinstance(value, tuple):
        return tuple(plain(one) for one in value)
    fields = getattr(type(value), "model_fields", None)
    return {name: plain(getattr(value, name)) for name in fields} if fields else value


@pytest.mark.parametrize("name", CHECKS)
def test_a_look_has_the_fields_of_its_model_and_their_defaults(name: str) -> None:
    model = getattr(state, name, None) or getattr(agents, name)
    needed = {field.alias or one: SAMPLES[one] for one, field in model.model_fields.items() if field.is_required()}
    assert plain(CHECKS[name](needed)) == plain(model.model_validate(needed))
    for one in needed:
        with pytest.raises(Unlike):
            CHECKS[name]({key: value for key, value in needed.items() if key != one})


SAMPLES: dict[str, Any] = {
    **dict.fromkeys(("id", "kind", "code", "message", "name", "service", "repo", "branch"), "x"),
    **dict.fromkeys(("slot", "session", "box", "trunk"), "x"),
    **dict.fromkeys(("started_at", "since", "seen_at", "time"), WHEN),
    "seconds": 1.5,
    "state": "queued",
    "source": "hash",
    "number": 4,
    "seq": 5,
}


@pytest.mark.parametrize(
    "model", [state.ServiceStatus, state.Build, state.Operation, agents.Agent, agents.Iteration]
)
def test_every_word_that_a_model_knows_is_known(model: Any) -> None:
    whole: dict[str, dict[str, Any]] = {
        "ServiceStatus": SERVICE,
        "Build": BUILD,
        "Operation": OPERATION,
        "Agent": AGENT,
    }
    ground: dict[str, Any] = whole.get(model.__name__, {"number": 1, "started_at": WHEN})
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        for word in (*field.get("enum", ()), *(w for one in field.get("anyOf", ()) for w in one.get("enum", ()))):
            assert plain(CHECKS[model.__name__]({**ground, name: word})) == plain(
                model.model_validate({**ground, name: word})
            )


def test_a_fleet_looks_as_the_models_read_it() -> None:
    assert plain(fleet_of(FLEET)) == plain(FleetSnapshot.model_validate(FLEET))
    told = json.loads(FleetSnapshot.model_validate(FLEET).model_dump_json(by_alias=True))
    assert plain(fleet_of(told)) == plain(FleetSnapshot.model_validate(FLEET))


def test_what_a_model_can_do_a_look_can() -> None:
    fleet = fleet_of(FLEET)
    assert fleet is not None
    (agent,) = fleet.slots[0].agents
    assert agent.says == "waiting: permission"
    assert agent.name == "alice/3"
    head = fleet.slots[0].model_copy(update={"services": ()})
    assert (head.services, head.slot, len(fleet.slots[0].services)) == ((), "alice", 2)


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        "fleet",
        {},
        {**FLEET, "more": True},
        {**FLEET, "seq": True},
        {**FLEET, "seq": "7"},
        {**FLEET, "box": None},
        {**FLEET, "box": "\ud800"},
        {**FLEET, "surprise": 1},
        {**FLEET, "time": "2026-11-20"},
        {**FLEET, "time": "2026-11-20T10:00:00"},
        {**FLEET, "time": "2026-13-40T10:00:00Z"},
        {**FLEET, "slots": {}},
        {**FLEET, "slots": [{**FLEET["slots"][0], "services": [{**SERVICE, "health": "fine"}]}]},
        {**FLEET, "slots": [{**FLEET["slots"][0], "services": [{**SERVICE, "source": "release"}]}]},
        {**FLEET, "slots": [{**FLEET["slots"][0], "services": [{**SERVICE, "depends_on": [1]}]}]},
    ],
)
def test_what_is_partial_or_unlike_is_not_looked_at(told: object) -> None:
    assert fleet_of(told) is None


def test_whatever_is_looked_at_the_models_take_and_read_alike() -> None:
    chance = random.Random(5)
    odd = [None, True, 0, -1, 1.5, "", "x", WHEN, [], {}, ["x"], [None], {"id": "x"}, float("inf"), 10**30]
    looked = 0
    for _ in range(1500):
        told = copy.deepcopy(FLEET)
        for _ in range(chance.randint(1, 2)):
            place: Any = told
            while True:
                key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
                if not isinstance(place[key], dict | list) or not place[key] or chance.random() < 0.1:
                    break
                place = place[key]
            if isinstance(place, dict) and chance.random() < 0.2:
                del place[key]
            else:
                place[key] = chance.choice(odd)
        fleet = fleet_of(told)
        if fleet is None:
            continue
        looked += 1
        try:
            model = FleetSnapshot.model_validate(told)
        except ValidationError as error:
            raise AssertionError(told) from error
        assert plain(fleet) == plain(model)
    assert looked > 100
