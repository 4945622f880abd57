"""`box.toml`: what a rootless box is called and where its team repo is."""

from __future__ import annotations

from datetime import datetime

from backends.model.field_types import Moment, RepoName
from backends.model.tomlfile import TomlFile


class BoxFile(TomlFile):
    """The box's own file. `team_repo` is the `<organisation>/<name>` of the team repo in the box's forge."""

    name: str
    created: Moment
    team_repo: RepoName = "lhumina_code/hero_team"


def render_boxfile(name: str, created: datetime, team_repo: str) -> str:
    """The text of a new box's `box.toml`."""
    moment = created.replace(microsecond=0).isoformat()
    return f'schema = 1\nname = "{name}"\ncreated = {moment}\nteam_repo = "{team_repo}"\n'
