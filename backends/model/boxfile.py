"""`box.toml`: what a box is called, of which kind it is, where its forge and team repo are, what it may use."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from backends.model.field_types import Moment, RepoName
from backends.model.team_files import ForgeAddress
from backends.model.tomlfile import Strict, TomlFile


class Edge(Strict):
    """`[edge]`: the box's HTTP side. `listen` is a loopback address besides the socket, like `127.0.0.1:8787`;
    `url` is what the forge is told to call, as it is seen from there."""

    listen: str = ""
    url: str = ""


class Builds(Strict):
    """`[builds]`. `at_once`: builds at the same time at most; 0 lets cores and memory decide."""

    at_once: int = Field(default=0, ge=0, le=64)


class BoxFile(TomlFile):
    """The box's own file. `kind`: a "rootless" box is one folder of one user, on a "system" box every slot is a
    Linux account. `team_repo` is the `<organisation>/<name>` of the team repo in the box's forge."""

    name: str
    created: Moment
    kind: Literal["rootless", "system"] = "rootless"
    team_repo: RepoName = "lhumina_code/hero_team"
    forge: ForgeAddress = ForgeAddress(kind="folder")
    edge: Edge = Edge()
    builds: Builds = Builds()


def render_boxfile(name: str, created: datetime, team_repo: str) -> str:
    """The text of a new box's `box.toml`."""
    moment = created.replace(microsecond=0).isoformat()
    return f'schema = 1\nname = "{name}"\ncreated = {moment}\nteam_repo = "{team_repo}"\n'
