"""What a model may give to a tool: strict, bounded, and told in a sentence where it is wrong."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from backends.model.errors import HeroError, nearest

Name = Annotated[str, Field(max_length=200)]
Branch = Annotated[str, Field(max_length=300)]
Source = Literal["release", "build", "hash"]

A = TypeVar("A", bound=BaseModel)


class _Plain(GenerateJsonSchema):
    """A schema without titles that say the fields' names again: every request to the model carries it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class Arguments(BaseModel):
    """Base of every tool's arguments: no key that is not known, nothing converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class WhatToRun(Arguments):
    """What a service should run; one of branch, hash and back, or another source of the same branch."""

    service: Name
    branch: Branch | None = None
    source: Source | None = Field(
        default=None, alias="from", description="Where the binary comes from; default: as it is bound."
    )
    hash: Name | None = Field(default=None, description="One published or installed commit, pinned.")
    back: bool = Field(default=False, description="What ran before the last switch.")

    def params(self) -> dict[str, Any]:
        """As the slot takes it."""
        return {
            "service": self.service,
            "branch": self.branch,
            "from": self.source,
            "hash": self.hash,
            "back": self.back,
        }


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """What a client is told of `model`."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_Plain)
    return {name: value for name, value in schema.items() if name not in ("title", "description")}


def parsed(model: type[A], tool: str, given: dict[str, Any] | None) -> A:
    """`given` as a `model`. Raises HeroError `usage` with everything that is wrong with it."""
    try:
        return model.model_validate(given or {}, by_alias=True, by_name=False)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    known = [info.alias or name for name, info in model.model_fields.items()]
    problems = "; ".join(_in_words(one["type"], one["loc"], one["msg"], known) for one in found[:10])
    takes = f"It takes {', '.join(known)}." if known else "It takes no arguments."
    raise HeroError("usage", f"{tool} was called wrongly: {problems}.", hint=takes)


def _in_words(kind: str, place: tuple[int | str, ...], message: str, known: list[str]) -> str:
    field = ".".join(str(step)[:100] for step in place)
    if kind == "missing":
        return f"`{field}` is missing"
    if kind == "extra_forbidden":
        close = nearest(field, known, 1)
        return f"`{field}` is not known" + (f" (did you mean `{close[0]}`?)" if close else "")
    return f"`{field}`: {message.removesuffix('.')}"
