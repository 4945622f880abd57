"""`provenance.json`: which commit an archive was built from, by what, and the SHA-256 of each file in it."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from backends.model.field_types import BranchName, Commit, Label, Moment, RelativePath, RepoName, Sha256
from backends.model.problems import Finding, located
from backends.model.release import check_platform
from backends.model.tomlfile import InvalidFile, Strict, problems_of

FILE_NAME = "provenance.json"

_SAID_ALWAYS = {"schema_version": "schema", "dirty": "dirty"}
"""What has a default in code and must stand in the file all the same, with its key there."""


class Provenance(Strict):
    """Where an archive comes from. `dirty` is always false: what git does not have is never published.

    `builder` is the builder's name and version, `command` the build command, `started` and `finished`
    are in UTC, `files` maps each path in the archive (without this file) to its SHA-256.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    repo: RepoName
    branch: BranchName
    commit: Commit
    dirty: Literal[False] = False
    builder: Label
    platform: Annotated[str, AfterValidator(check_platform)]
    command: str
    started: Moment
    finished: Moment
    files: dict[RelativePath, Sha256]


def to_json(provenance: Provenance) -> str:
    """The file's text; equal values give equal bytes."""
    data = provenance.model_dump(mode="json", by_alias=True)
    return json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def from_json(text: str, file: str = FILE_NAME) -> Provenance:
    """The provenance that `text` holds; InvalidFile with everything wrong with it."""
    try:
        provenance = Provenance.model_validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidFile(problems_of(error, Provenance, None, file)) from None
    missing = [key for field, key in _SAID_ALWAYS.items() if field not in provenance.model_fields_set]
    if missing:
        raise InvalidFile([located(Finding((key,), "nothing", "this key"), None, file) for key in missing])
    return provenance
