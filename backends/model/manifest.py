"""`dev_manifest.toml`: what one slot runs, and what the slot last installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from backends.model.field_types import (
    BranchName,
    Commit,
    CommitPrefix,
    Moment,
    RepoName,
    ServiceName,
    Sha256,
    TagName,
)
from backends.model.names import BadValue, check_branch, check_service
from backends.model.state import Source
from backends.model.tomlfile import Strict, TomlFile

__all__ = [
    "Binding",
    "ClaudeChoice",
    "InstalledState",
    "Manifest",
    "Source",
    "check_branch",
    "check_service",
]


class Binding(Strict):
    """One `[[bind]]`: what the slot runs for a service. `repo` None: the catalogue's repository.

    `source` is the file's `from`; `hash` (7 to 40 hex digits) goes with `from = "hash"` and only with it.
    """

    service: ServiceName
    repo: RepoName | None = None
    branch: BranchName
    source: Source = Field(alias="from")
    hash: CommitPrefix | None = Field(default=None, validate_default=True)
    auto_rebuild: bool = False
    publish: bool = False
    enabled: bool = True

    @field_validator("hash")
    @classmethod
    def _hash_goes_with_from(cls, value: str | None, info: ValidationInfo) -> str | None:
        source = info.data.get("source")
        if source == "hash" and value is None:
            raise BadValue(None, 'a commit hash, because of `from = "hash"`')
        if source in ("release", "build") and value is not None:
            raise BadValue(value, f'no hash with `from = "{source}"`')
        return value


class InstalledState(Strict):
    """One `[state.<service>]`: what is installed, and in `previous…` what `switch --back` returns to.

    `last_good` is the newest version before this one that was not broken when it was replaced.
    `sha256` is that of the installed archive or payload; `tag` is None for a build that is not published.
    """

    hash: Commit
    tag: TagName | None = None
    source: Source
    sha256: Sha256
    installed_at: Moment
    previous: Commit | None = None
    previous_branch: BranchName | None = None
    previous_source: Source | None = None
    previous_tag: TagName | None = None
    previous_sha256: Sha256 | None = None
    last_good: Commit | None = None


class ClaudeChoice(Strict):
    """`[claude]`: which credential the user prefers."""

    preference: Literal["auto", "personal", "org"] = "auto"


class Manifest(TomlFile):
    """The whole manifest. That a service is bound once is a rule of the file: `parse` looks at it."""

    unique: ClassVar[Mapping[str, tuple[str, ...]]] = {"bind": ("service",)}

    claude: ClaudeChoice = ClaudeChoice()
    bind: list[Binding] = Field(default_factory=list)
    state: dict[ServiceName, InstalledState] = Field(default_factory=dict)

    def binding(self, service: str) -> Binding | None:
        """The binding of `service`, if there is one."""
        return next((one for one in self.bind if one.service == service), None)
