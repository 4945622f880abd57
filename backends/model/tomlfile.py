"""Read a TOML file into its model, or say everything that is wrong with it and where."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from backends.model.errors import nearest
from backends.model.names import BadValue
from backends.model.problems import UNKNOWN_KEY, Finding, InvalidFile, Problem, describe, located
from backends.model.text import safe_line
from backends.model.toml_layout import KeyPath, Layout, lay_out

__all__ = [
    "Finding",
    "InvalidFile",
    "Problem",
    "Strict",
    "TomlFile",
    "lay_out",
    "parse",
    "parse_plain",
    "problems_of",
]

SIZE_LIMIT = 128 * 1024
"""Longest file in characters; the ones that people write are a hundredth of it."""

_DOT_LIMIT = 100
_SYNTAX_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_EXPECTED = {
    "string_type": "a string in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "an array",
    "tuple_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "datetime_type": "a date and time like 2026-11-20T10:00:00Z",
    "timezone_aware": "a date and time with its time zone, like 2026-11-20T10:00:00Z",
    "missing": "a value: this key is required",
}


class Strict(BaseModel):
    """Base of everything read from a file: frozen, no unknown keys, no silent conversion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class TomlFile(Strict):
    """Base of a whole file; each begins with `schema = 1`."""

    schema_version: Literal[1] = Field(default=1, alias="schema")

    unique: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Keys that no two tables of an array may share, by the array's name (only `parse` looks at it)."""


T = TypeVar("T", bound=TomlFile)
S = TypeVar("S", bound=Strict)


def parse(model: type[T], text: str, file: str) -> T:
    """`text` as a `model`; `file` is the name that messages give it. Raises InvalidFile with all problems."""
    file = safe_line(file)
    data, layout = _load(text, file)
    if problems := _schema_problems(data, layout, file):
        newer = type(data.get("schema")) is int and data["schema"] > 1
        # What a newer schema allows is unknown, so nothing else is judged.
        if newer:
            raise InvalidFile(problems)
    problems += [located(finding, layout, file) for finding in _repeated(model.unique, data, layout)]
    body = {key: value for key, value in data.items() if key != "schema"}
    try:
        result = model.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        problems += problems_of(error, model, layout, file)
    if problems:
        raise InvalidFile(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    return result


def parse_plain(model: type[S], text: str, file: str) -> S:
    """As `parse`, for a file of one person's own, which has no `schema`. Raises InvalidFile with all problems."""
    file = safe_line(file)
    data, layout = _load(text, file)
    try:
        return model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = problems_of(error, model, layout, file)
    raise InvalidFile(sorted(problems, key=lambda problem: (problem.line, problem.column)))


def problems_of(error: ValidationError, model: type[BaseModel], layout: Layout | None, file: str) -> list[Problem]:
    """pydantic's errors as problems; without a layout (JSON) they have no line."""
    return [located(_finding(details, model), layout, file) for details in error.errors()]


def _load(text: str, file: str) -> tuple[dict[str, Any], Layout]:
    """The raw document and its layout; InvalidFile for one that is no TOML."""
    if len(text) > SIZE_LIMIT:
        raise _no_toml(file, 0, 0, f"{len(text)} characters", f"at most {SIZE_LIMIT}")
    for number, line in enumerate(text.split("\n"), start=1):
        # The parser takes quadratic time over dotted keys: a hostile one would stall the daemon.
        if line.count(".") > _DOT_LIMIT and not line.lstrip().startswith("#"):
            raise _no_toml(file, number, 1, f"a line of {line.count('.')} dots", f"at most {_DOT_LIMIT}")
    try:
        return tomllib.loads(text), lay_out(text)
    except RecursionError:
        raise _no_toml(file, 0, 0, "values nested too deeply", "a plain file") from None
    except ValueError as error:
        raise _syntax_error(file, text, str(error)) from None


def _syntax_error(file: str, text: str, message: str) -> InvalidFile:
    """The parser's message as a problem; it says the place at its end, or means the document's end."""
    place = _SYNTAX_PLACE.search(message)
    line, column = _end_of(text)
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    said = message[: place.start()] if place else message
    return _no_toml(file, line, column, f"a syntax error ({safe_line(said)})", "TOML")


def _no_toml(file: str, line: int, column: int, found: str, expected: str) -> InvalidFile:
    return InvalidFile([Problem(file, line, column, "", found, expected)])


def _end_of(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def _schema_problems(data: Mapping[str, Any], layout: Layout, file: str) -> list[Problem]:
    if "schema" not in data:
        return [located(Finding(("schema",), "nothing", "`schema = 1` at the top"), layout, file)]
    value = data["schema"]
    if type(value) is int and value == 1:
        return []
    expected = "`schema = 1`"
    if type(value) is int and value > 1:
        expected += " (the file is newer than this program: update it)"
    return [located(Finding(("schema",), describe(value), expected), layout, file)]


def _repeated(unique: Mapping[str, tuple[str, ...]], data: Mapping[str, Any], layout: Layout) -> Iterator[Finding]:
    """Each value that an array's tables must not share and do, with the line of the first one."""
    for array, keys in unique.items():
        tables = data.get(array)
        if not isinstance(tables, list):
            continue
        for key in keys:
            yield from _repeated_key(array, key, tables, layout)


def _repeated_key(array: str, key: str, tables: Iterable[object], layout: Layout) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, table in enumerate(tables):
        value = table.get(key) if isinstance(table, dict) else None
        if not isinstance(value, str):
            continue
        before = first.setdefault(value, index)
        if before != index:
            line = layout.place((array, before, key)).line
            found = f"{describe(value)} a second time"
            yield Finding((array, index, key), found, f"each `{key}` once (it is on line {line} already)")


def _finding(details: ErrorDetails, model: type[BaseModel]) -> Finding:
    path = tuple(step for step in details["loc"] if step != "[key]")
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    found = "nothing" if kind == "missing" else describe(value)
    if kind == "extra_forbidden":
        known = [name for name in _names_at(model, path[:-1]) if name != "schema"]
        listed = ", ".join(f"`{name}`" for name in known)
        close = nearest(str(path[-1]), known, limit=1)
        return Finding(path, UNKNOWN_KEY, f"one of {listed}" if listed else "no key", *close)
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        close = nearest(value, choices, limit=1) if isinstance(value, str) else []
        return Finding(path, found, " or ".join(f'"{choice}"' for choice in choices), *close)
    if kind == "value_error":
        return _own_finding(path, value, context["error"])
    return Finding(path, found, _EXPECTED.get(kind, details["msg"]))


def _own_finding(path: KeyPath, value: object, error: object) -> Finding:
    """What one of our own rules said; it names the part of a table or array that broke it."""
    if not isinstance(error, BadValue):
        return Finding(path, describe(value), str(error))
    return Finding(path, describe(error.found), error.expected)


def _names_at(annotation: Any, path: KeyPath) -> list[str]:
    """The keys that the table at `path` may have."""
    for step in path:
        annotation = _step_into(annotation, step)
    plain = _plain(annotation)
    if not _is_model(plain):
        return []
    return [field.alias or name for name, field in plain.model_fields.items()]


def _step_into(annotation: Any, step: str | int) -> Any:
    plain = _plain(annotation)
    if _is_model(plain):
        named = {field.alias or name: field.annotation for name, field in plain.model_fields.items()}
        return named.get(str(step))
    arguments = get_args(plain)
    if not arguments:
        return None
    return arguments[1] if get_origin(plain) is dict else arguments[0]


def _plain(annotation: Any) -> Any:
    """`annotation` without Annotated and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    choices = [choice for choice in get_args(annotation) if choice is not type(None)]
    if type(None) in get_args(annotation) and len(choices) == 1:
        return _plain(choices[0])
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
