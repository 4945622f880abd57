"""The files of the team repo, one model each: the org, its services, its people, the roles' templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from backends.model.durations import Bytes
from backends.model.field_types import BranchName, Label, Login, RepoName, ServiceName
from backends.model.manifest import Binding
from backends.model.names import BadValue, check_branch, check_role
from backends.model.release import check_platform
from backends.model.ssh_keys import check_ssh_key
from backends.model.tomlfile import Strict, TomlFile

_HIDDEN = "(not shown)"
_GROUP = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_SHORT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")
_FORGE_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_KEY_SLOT = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_CPU = re.compile(r"[1-9][0-9]{0,5}%")
_LEAST_MEMORY = 64 << 20
_TASKS = range(64, 4_194_305)
_BOX = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")


def _check_group(name: str) -> str:
    if not _GROUP.fullmatch(name):
        raise BadValue(name, "a group: a small letter or `_`, then at most 30 of a-z, 0-9, `_`, `-`")
    return name


def _check_short(name: str) -> str:
    if not _SHORT.fullmatch(name):
        raise BadValue(name, "a name for addresses: at most 30 of a-z, 0-9 and `-` in between")
    return name


def _check_forge_user(name: str) -> str:
    if not _FORGE_USER.fullmatch(name):
        raise BadValue(name, "a user of the forge: letters, digits, `.`, `_`, `-`")
    return name


def _check_key_slot(name: str) -> str:
    if not _KEY_SLOT.fullmatch(name):
        # Whoever pastes the key itself here must not find it again in a log.
        raise BadValue(_HIDDEN, "the name of a key like ORG_CLAUDE_KEY_2 (never the key itself)")
    return name


def _check_box(name: str) -> str:
    if not _BOX.fullmatch(name):
        raise BadValue(name, "a box's name: a-z, 0-9, and `.` or `-` in between")
    return name


def _check_suffix(suffix: str) -> str:
    if "/" in suffix:
        raise BadValue(suffix, "the end of a branch name without `/`")
    check_branch(f"x_{suffix}")
    return suffix


def _check_memory(size: int) -> int:
    if size < _LEAST_MEMORY:
        raise BadValue(size, 'at least "64M": with less nobody could log in')
    return size


def _check_cpu(share: str) -> str:
    if not _CPU.fullmatch(share):
        raise BadValue(share, 'a share of one core like "400%": four of them')
    return share


def _check_tasks(number: int) -> int:
    if number not in _TASKS:
        raise BadValue(number, f"a number of processes and threads from {_TASKS[0]} to {_TASKS[-1]}")
    return number


Group = Annotated[str, AfterValidator(_check_group)]
KeySlot = Annotated[str, AfterValidator(_check_key_slot)]


class ForgeAddress(Strict):
    """`[forge]`: where the repositories are. A folder forge's `url` may be empty: the box knows its folder."""

    kind: Literal["forgejo", "folder"]
    url: str = Field(default="", validate_default=True)

    @field_validator("url")
    @classmethod
    def _reachable_without_password(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("kind") != "forgejo" or _is_plain_web_address(value):
            return value
        raise BadValue(_HIDDEN if "@" in value else value, "an http(s) address without user or password")


def _is_plain_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        return False
    clean = text.isprintable() and " " not in text and "@" not in parts.netloc
    return port_is_good and clean and parts.scheme in ("http", "https") and bool(parts.hostname)


class Limits(Strict):
    """`[limits]`: what all processes of one user may take together. None: as much as there is.

    `memory` in bytes, `cpu` as a share of one core ("400%": four), `tasks` processes and threads.
    """

    memory: Annotated[Bytes, AfterValidator(_check_memory)] | None = None
    cpu: Annotated[str, AfterValidator(_check_cpu)] | None = None
    tasks: Annotated[int, AfterValidator(_check_tasks)] | None = None

    def over(self, general: Limits) -> Limits:
        """These, and where they say nothing the `general` ones."""
        return Limits(
            memory=self.memory if self.memory is not None else general.memory,
            cpu=self.cpu if self.cpu is not None else general.cpu,
            tasks=self.tasks if self.tasks is not None else general.tasks,
        )


class AuthorizedKeys(Strict):
    """`[authorized_keys]`: whether keys that a user's file does not name may stay in their authorized_keys."""

    foreign_keys: Literal["keep", "refuse"] = "keep"


class TeamConfig(TomlFile):
    """`team.toml`. `allowed_groups` are the Linux groups that a user's file may name, `limits` everybody's."""

    name: Label
    trunk: BranchName = "development"
    box: Annotated[str, AfterValidator(_check_box)]
    forge: ForgeAddress
    allowed_groups: tuple[Group, ...] = Field(default=(), strict=False)
    admins: tuple[Login, ...] = Field(default=(), strict=False)
    limits: Limits = Limits()
    authorized_keys: AuthorizedKeys = AuthorizedKeys()


class CatalogueService(Strict):
    """One `[[service]]`: `short` is its name in addresses, `core` that every slot should have it, `platforms` for
    which each release of its trunk must have an archive (none: for that of the box)."""

    name: ServiceName
    repo: RepoName
    short: Annotated[str, AfterValidator(_check_short)]
    core: bool = False
    platforms: tuple[Annotated[str, AfterValidator(check_platform)], ...] = Field(default=(), strict=False)


class Catalogue(TomlFile):
    """`services.toml`: the services that a manifest may bind."""

    unique: ClassVar[Mapping[str, tuple[str, ...]]] = {"service": ("name", "short")}

    services: tuple[CatalogueService, ...] = Field(default=(), alias="service", strict=False)

    def service(self, name: str) -> CatalogueService | None:
        """The service called `name`, if there is one."""
        return next((one for one in self.services if one.name == name), None)


class OrgKey(Strict):
    """`[claude_org_key]`: which of the broker's keys this person may use."""

    enabled: bool = False
    key_secret_name: KeySlot | None = None
    key_secret_names: tuple[KeySlot, ...] = Field(default=(), strict=False, validate_default=True)

    @field_validator("key_secret_names")
    @classmethod
    def _one_spelling(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        single = info.data.get("key_secret_name")
        if single and value:
            raise BadValue(single, "either `key_secret_name` or `key_secret_names`")
        named_badly = "key_secret_name" not in info.data
        if info.data.get("enabled") and not (single or value or named_badly):
            raise BadValue(None, "the name of a key, because of `enabled = true`")
        return value

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all keys, whichever way they were written."""
        return (self.key_secret_name,) if self.key_secret_name else self.key_secret_names


class Peek(Strict):
    """`[peek]`: what teammates may see."""

    logs: Literal["team", "none"] = "team"
    agents: Literal["team", "none"] = "team"


class UserFile(TomlFile):
    """`users/<login>.toml`: one person. None for `branch_suffix` and `forge_user`: the login.

    `limits` go before those of team.toml, each for itself.
    """

    full_name: Label
    role: Annotated[str, AfterValidator(check_role)]
    enabled: bool = True
    ssh_keys: tuple[Annotated[str, AfterValidator(check_ssh_key)], ...] = Field(default=(), strict=False)
    groups: tuple[Group, ...] = Field(default=(), strict=False)
    branch_suffix: Annotated[str, AfterValidator(_check_suffix)] | None = None
    forge_user: Annotated[str, AfterValidator(_check_forge_user)] | None = None
    claude_org_key: OrgKey | None = None
    peek: Peek = Peek()
    limits: Limits = Limits()


class RoleTemplate(TomlFile):
    """`manifest_templates/<role>.toml`: what a new slot of the role starts with."""

    unique: ClassVar[Mapping[str, tuple[str, ...]]] = {"bind": ("service",)}

    bind: tuple[Binding, ...] = Field(default=(), strict=False)


def refused_groups(user: UserFile, team: TeamConfig) -> list[str]:
    """The groups that the user's file names and the team does not allow."""
    return [group for group in user.groups if group not in team.allowed_groups]
