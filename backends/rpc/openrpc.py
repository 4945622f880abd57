"""The OpenRPC document of a table of methods, made from their pydantic models and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from backends.model.errors import CODES
from backends.model.method import Method

_Refs = dict[tuple[Any, JsonSchemaMode], dict[str, Any]]
_SCHEMAS = "#/components/schemas/"


def document(title: str, methods: Iterable[Method], *, version: str = "1") -> dict[str, Any]:
    """OpenRPC 1.3 of `methods`, the same for the same methods in any order.

    `version` is the interface's own, not the program's. Raises ValueError where two methods share a name.
    """
    table = sorted(methods, key=lambda method: method.name)
    names = [method.name for method in table]
    if len(set(names)) < len(names):
        raise ValueError("two methods share a name")
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for method in table:
        wanted += [(method.params, "validation"), (method.result, "serialization")]
    made, found = models_json_schema(wanted, ref_template=_SCHEMAS + "{model}")
    refs: _Refs = dict(made)
    schemas: dict[str, Any] = found.get("$defs", {})
    described = [_describe(method, _resolve(refs[method.params, "validation"], schemas), refs) for method in table]
    return {
        "openrpc": "1.3.2",
        "info": {"title": title, "version": version},
        "methods": described,
        "components": {
            "schemas": _reached(described, schemas),
            "errors": {name: {"code": code, "message": name} for name, code in sorted(CODES.items())},
        },
    }


def _describe(method: Method, params: dict[str, Any], refs: _Refs) -> dict[str, Any]:
    required = set(params.get("required", ()))
    properties: dict[str, Any] = params.get("properties", {})
    return {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "by-name",
        "params": [
            {"name": name, "required": name in required, "schema": schema}
            for name, schema in sorted(properties.items(), key=lambda item: item[0] not in required)
        ],
        "result": {"name": method.result.__name__, "schema": refs[method.result, "serialization"]},
        "x-server": method.server,
        "x-mutates": method.mutates,
    }


def _resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].removeprefix(_SCHEMAS)]
    return schema


def _reached(described: object, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas that `described` uses, by name; parameter models stand in their methods and are left out."""
    open_names = set(_references(described))
    reached: dict[str, Any] = {}
    while open_names:
        name = open_names.pop()
        reached[name] = schemas[name]
        open_names |= set(_references(schemas[name])) - reached.keys()
    return dict(sorted(reached.items()))


def _references(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    if not isinstance(value, dict):
        return
    target = value.get("$ref")
    if isinstance(target, str):
        yield target.removeprefix(_SCHEMAS)
    for item in value.values():
        yield from _references(item)
