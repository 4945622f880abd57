"""The document says what the models say, once, and the same every time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, Field

from backends.model.calls import METHODS
from backends.model.method import Method
from backends.rpc.openrpc import document


class Shared(BaseModel):
    name: str = Field(description="A name.")


class AskParams(BaseModel):
    optional: int = 3
    who: Shared
    source: str = Field(alias="from")


class Answer(BaseModel):
    items: tuple[Shared, ...] = ()


ASK = Method("a.ask", "slot", AskParams, Answer, "Ask.", False)
TELL = Method("a.tell", "box", Shared, Answer, "Tell.", True)


def test_required_parameters_come_first_and_by_their_names_on_the_wire() -> None:
    (method,) = document("t", [ASK])["methods"]
    assert [(param["name"], param["required"]) for param in method["params"]] == [
        ("who", True),
        ("from", True),
        ("optional", False),
    ]
    assert method["params"][0]["schema"] == {"$ref": "#/components/schemas/Shared"}
    assert method["result"]["schema"] == {"$ref": "#/components/schemas/Answer"}
    assert (method["paramStructure"], method["summary"]) == ("by-name", "Ask.")


def test_schemas_are_shared_and_none_is_left_over() -> None:
    found = document("t", [ASK, TELL])
    assert set(found["components"]["schemas"]) == {"Answer", "Shared"}


def test_the_order_of_registration_changes_nothing() -> None:
    one, other = document("t", [ASK, TELL]), document("t", [TELL, ASK])
    assert json.dumps(one) == json.dumps(other)


def test_two_methods_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="name"):
        document("t", [ASK, ASK])


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own.union(*map(references, value.values()))


def test_every_reference_of_the_real_table_resolves() -> None:
    found = document("Hero Team Box", METHODS)
    assert len(found["methods"]) == len(METHODS)
    known = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert references(found) == known
