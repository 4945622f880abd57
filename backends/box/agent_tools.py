"""What the team repo grants to the agents of a user: their tools, and which actions wait for a person."""

from __future__ import annotations

from backends.box.eventlog import EventLog
from backends.box.team import Team
from backends.model.agent_calls import AgentTools, AgentToolsParams, HeldAction
from backends.model.agent_tools import TOOLS, with_those_along
from backends.model.errors import unknown_name
from backends.model.policy import Policy, Rule, radius_of, tools_of
from backends.rpc.dispatcher import Call

ACTOR = "agent"


async def agent_tools(team: Team, log: EventLog, _: Call, params: AgentToolsParams) -> AgentTools:
    """What holds at this moment. Raises HeroError `not_found` for somebody who is not on the team."""
    people = team.people
    if params.user not in people:
        raise unknown_name("user", params.user, people)
    role = people[params.user].role
    tools = with_those_along(tools_of(team.policy, role))
    actions = tuple(_held(team.policy, action) for name, action in TOOLS.items() if action and name in tools)
    return AgentTools(user=params.user, role=role, tools=tools, actions=actions, seq=log.latest_seq())


def rule_for_agents(team: Team, action: str) -> Rule:
    """What policy says at this moment of an agent that takes `action`."""
    return radius_of(team.policy, action, ACTOR)


def _held(policy: Policy, action: str) -> HeldAction:
    rule = radius_of(policy, action, ACTOR)
    return HeldAction(action=action, radius=rule.radius, rule=rule.action, approvers=rule.approvers)
