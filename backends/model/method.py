"""What a JSON-RPC method is: its name, its models, who answers it; the tables of methods are made of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from backends.model.frozen import Frozen

Server = Literal["slot", "box", "both", "team_sync", "broker"]


@dataclass(frozen=True)
class Method:
    """A call: its name, who answers it, its models, and whether it changes anything."""

    name: str
    server: Server
    params: type[BaseModel]
    result: type[BaseModel]
    summary: str
    mutates: bool = False


class Empty(Frozen):
    """No parameters, or nothing to say."""
