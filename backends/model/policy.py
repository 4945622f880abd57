"""`policy.toml`: which actions run, wait or need approval, and which tools a role's agents are granted."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from backends.model.agent_tools import TOOLS
from backends.model.durations import Seconds
from backends.model.errors import nearest
from backends.model.names import BadValue, check_login, check_role
from backends.model.tomlfile import Strict, TomlFile

Radius = Literal["low", "medium", "high"]
Actor = Literal["owner", "teammate", "agent", "integrator", "webhook", "any"]


def _check_approver(name: str) -> str:
    return name if name == "@admins" else check_login(name)


class Rule(Strict):
    """One `[[rule]]`. `action` is a glob over action names; `hold` (seconds) is how long a medium one waits.

    `approvers` are logins, or `@admins` for those of team.toml.
    """

    action: str = Field(min_length=1, max_length=100)
    actor: Actor = "any"
    radius: Radius
    hold: Seconds = Field(default=0.0, validate_default=True)
    approvers: tuple[Annotated[str, AfterValidator(_check_approver)], ...] = Field(default=(), strict=False)

    @field_validator("hold")
    @classmethod
    def _medium_waits(cls, value: float, info: ValidationInfo) -> float:
        if info.data.get("radius") == "medium" and value == 0:
            raise BadValue(None, 'a time to wait, like "10m", because of `radius = "medium"`')
        return value


def _check_tool(name: str) -> str:
    if name in TOOLS:
        return name
    close = nearest(name, TOOLS, 1)
    raise BadValue(name, f"a tool (did you mean `{close[0]}`?)" if close else f"one of {', '.join(TOOLS)}")


class Grant(Strict):
    """One `[[agent_tools]]`: the tools that the agents of people with this role have, and no others."""

    role: Annotated[str, AfterValidator(check_role)]
    tools: tuple[Annotated[str, AfterValidator(_check_tool)], ...] = Field(strict=False)


class Policy(TomlFile):
    """The rules in their order: the first that matches decides. `agent_tools`: at most one a role."""

    unique: ClassVar[Mapping[str, tuple[str, ...]]] = {"agent_tools": ("role",)}

    rules: tuple[Rule, ...] = Field(default=(), alias="rule", strict=False)
    agent_tools: tuple[Grant, ...] = Field(default=(), strict=False)


DEFAULT_RULE = Rule(action="*", actor="any", radius="high", approvers=("@admins",))
"""What holds for an action that no rule names."""


def radius_of(policy: Policy, action: str, actor: str) -> Rule:
    """The rule for `actor` doing `action` (a name of rpc.md): the first that matches, else DEFAULT_RULE."""
    for rule in policy.rules:
        if rule.actor in ("any", actor) and fnmatchcase(action, rule.action):
            return rule
    return DEFAULT_RULE


def tools_of(policy: Policy, role: str) -> tuple[str, ...]:
    """The tools that agents of people with `role` are granted: all, where no entry names the role."""
    for grant in policy.agent_tools:
        if grant.role == role:
            return tuple(name for name in TOOLS if name in grant.tools)
    return tuple(TOOLS)
