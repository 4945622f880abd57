"""The blast radius of actions."""

from __future__ import annotations

import pytest

from backends.model.agent_tools import TOOLS
from backends.model.policy import DEFAULT_RULE, Policy, radius_of, tools_of
from backends.model.tomlfile import InvalidFile, parse

TEXT = """
schema = 1
[[rule]]
action = "slot.*"
actor  = "owner"
radius = "low"
hold   = "10m"
approvers = ["@admins"]
[[rule]]
action = "slot.switch"
radius = "medium"
hold = "5m"
[[rule]]
action = "*"
actor = "webhook"
radius = "low"
"""


@pytest.mark.parametrize(
    ("action", "actor", "radius"),
    [
        ("slot.switch", "owner", "low"),
        ("slot.switch", "agent", "medium"),
        ("slot.start", "agent", "high"),
        ("slot.start", "webhook", "low"),
        ("slotx", "owner", "high"),
        ("", "owner", "high"),
    ],
)
def test_the_first_rule_that_matches_decides_and_what_none_names_is_high(
    action: str, actor: str, radius: str
) -> None:
    assert radius_of(parse(Policy, TEXT, "policy.toml"), action, actor).radius == radius


def test_without_a_policy_everything_waits_for_the_admins() -> None:
    assert radius_of(Policy(), "slot.status", "owner") == DEFAULT_RULE
    assert DEFAULT_RULE.approvers == ("@admins",)


def test_hold_is_in_seconds() -> None:
    assert parse(Policy, TEXT, "policy.toml").rules[1].hold == 300


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ('action = "a"\nradius = "medium"', "rule[0].hold"),
        ('action = "a"\nradius = "hgih"', "rule[0].radius"),
        ('action = "a"\nradius = "low"\nactor = "me"', "rule[0].actor"),
        ('action = ""\nradius = "low"', "rule[0].action"),
        ('action = "a"\nradius = "low"\napprovers = ["@all"]', "rule[0].approvers[0]"),
    ],
)
def test_a_bad_rule_is_reported_at_its_key(body: str, key: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parse(Policy, f"schema = 1\n[[rule]]\n{body}\n", "policy.toml")
    assert [problem.key for problem in caught.value.problems] == [key]


GRANTS = """
schema = 1
[[agent_tools]]
role = "developer"
tools = ["tell", "status"]
[[agent_tools]]
role = "visitor"
tools = []
"""


def test_a_roles_agents_have_the_tools_that_are_named_and_else_all() -> None:
    policy = parse(Policy, GRANTS, "policy.toml")
    assert tools_of(policy, "developer") == ("status", "tell")
    assert tools_of(policy, "visitor") == ()
    assert tools_of(policy, "admin") == tuple(TOOLS)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('role = "a"\ntools = ["status", "swich"]', "did you mean `switch`?"),
        ('role = "a"\ntools = ["x"]', "expected one of status, peek"),
        ('role = "A"\ntools = []', "expected a role"),
        ('role = "a"', "required"),
        ('role = "a"\ntools = []\n[[agent_tools]]\nrole = "a"\ntools = []', "a second time"),
    ],
)
def test_a_bad_grant_is_reported(body: str, words: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parse(Policy, f"schema = 1\n[[agent_tools]]\n{body}\n", "policy.toml")
    assert words in str(caught.value)
