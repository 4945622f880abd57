"""The base of every value that crosses a socket."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Frozen, no unknown keys, `from` spelled as in the files."""

    # Built when first used: a program uses a few of the hundred models that it imports.
    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True, defer_build=True
    )
