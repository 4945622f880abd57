"""The calls about agents and credentials that a slot answers, and those by which the box relays them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from backends.model.agents import Agent, AgentLine, Effort, Mode
from backends.model.claude import ClaudeProgram, Preference, Resolution
from backends.model.frozen import Frozen
from backends.model.inbox import InboxItem
from backends.model.method import Empty, Method

AgentAction = Literal["slot.switch", "slot.rebuild"]
"""The calls by which agents change their slot; the same as in agent_tools.TOOLS."""


class AgentStartParams(Frozen):
    """A new session. The worktree: `branch` of `service`, else `worktree` (a path in the slot), else the slot's
    only one. `loop`: run again at most so often; `until` is a command whose success ends it."""

    prompt: str = Field(default="", max_length=2_000_000)
    effort: Effort | None = None
    model: str = Field(default="", max_length=100)
    mode: Mode = "default"
    service: str = ""
    branch: str = ""
    worktree: str = ""
    issue: str = Field(default="", max_length=500)
    loop: int = Field(default=0, ge=0, le=1000)
    until: str = Field(default="", max_length=10_000)
    title: str = Field(default="", max_length=100)


class AgentStarted(Frozen):
    agent: Agent
    warnings: tuple[str, ...] = ()


class AgentParams(Frozen):
    agent: str = Field(max_length=100)


class AgentListParams(Frozen):
    ended: bool = Field(default=False, description="Those that are gone, too.")


class AgentListResult(Frozen):
    agents: tuple[Agent, ...] = ()


class AgentSendParams(AgentParams):
    text: str = Field(max_length=2_000_000)


class AgentSent(Frozen):
    state: Literal["sent", "queued"] = Field(description="`queued`: it works now and gets it at its next turn.")
    pending: int = 0


class AgentAnswerParams(AgentParams):
    """Answer the dialog `waiting` (its id) in the agent's terminal; refused where it is not open any more."""

    waiting: str
    choice: Literal["allow", "deny", "option"]
    option: int = Field(default=0, ge=0, le=20, description="Which option, from 1, of a question.")
    text: str = Field(default="", max_length=100_000)


class AgentCommandParams(AgentParams):
    command: Literal["interrupt", "compact", "clear"]


class AgentLogParams(AgentParams):
    after: int = Field(default=0, ge=0, description="Entries with a greater number only.")
    limit: int = Field(default=200, ge=1, le=5000, description="The newest so many.")
    follow: bool = False


class AgentLogResult(Frozen):
    lines: tuple[AgentLine, ...] = ()
    stream: str = Field(
        default="", description="With follow: `agent_log` notifications carry it, until logs.stop."
    )


class AgentHookParams(AgentParams):
    """What the program's hook said: `event` is its name, `payload` what it was given."""

    event: str = Field(max_length=100)
    payload: dict[str, Any] = Field(default_factory=dict)


class AgentHookResult(Frozen):
    output: str = Field(default="", description="What the hook prints.")


class AgentLaunchParams(AgentParams):
    pid: int


class AgentLaunch(Frozen):
    """What the launcher in the window becomes. `secret` goes into a pipe, whose descriptor `variable` names. In
    `unset`, a name that ends in `*` means all that begin so."""

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str] = Field(default_factory=dict)
    unset: tuple[str, ...] = ()
    secret: str = Field(default="", repr=False)
    variable: str = ""


class AgentAttach(Frozen):
    """Where the agent's window is: `socket` of the tmux server, `session` and `window` in it."""

    socket: str
    session: str
    window: str


class AgentDeliverParams(AgentParams):
    """The box has messages for an agent; they reach it together."""

    messages: tuple[str, ...]
    ids: tuple[str, ...]


class AgentActParams(AgentParams):
    """What an agent wants done in its slot: `action` is a call of the slot, `asked` its parameters."""

    action: AgentAction
    asked: dict[str, Any] = Field(default_factory=dict)


class AgentActed(Frozen):
    """Begun as `operation`, where policy lets agents do it; else it waits as `item` of the inbox."""

    operation: str = ""
    item: InboxItem | None = None


class AgentDecideParams(AgentParams):
    """The box hands over that `by` has allowed the proposal `waiting`, for which `item` stood in its inbox."""

    waiting: str = Field(max_length=200)
    item: str = Field(max_length=40)
    by: str = Field(max_length=100)


class ClaudeUseParams(Frozen):
    preference: Preference


class ClaudeStatus(Frozen):
    resolution: Resolution
    program: ClaudeProgram


class AgentToolsParams(Frozen):
    user: str = Field(max_length=100)


class HeldAction(Frozen):
    """What policy.toml says of an action that an agent takes: `rule` is the glob of the rule that decided."""

    action: str
    radius: Literal["low", "medium", "high"]
    rule: str
    approvers: tuple[str, ...] = ()


class AgentTools(Frozen):
    """The tools that the agents of `user` have, by the team repo; `actions` are those that change the slot."""

    user: str
    role: str
    tools: tuple[str, ...] = ()
    actions: tuple[HeldAction, ...] = ()
    seq: int = Field(default=0, description="The newest event's number.")


class PeekAgentLogParams(AgentLogParams):
    user: str


class PeekAgentsParams(Frozen):
    user: str


AGENT_METHODS: tuple[Method, ...] = (
    Method("agent.start", "slot", AgentStartParams, AgentStarted, "Start a Claude Code session.", True),
    Method("agent.list", "slot", AgentListParams, AgentListResult, "The slot's sessions."),
    Method("agent.get", "slot", AgentParams, Agent, "One session."),
    Method("agent.send", "slot", AgentSendParams, AgentSent, "Say something to a session.", True),
    Method("agent.answer", "slot", AgentAnswerParams, Empty, "Answer the dialog that a session waits in.", True),
    Method("agent.command", "slot", AgentCommandParams, Empty, "Interrupt, compact or clear a session.", True),
    Method("agent.stop", "slot", AgentParams, Agent, "End a session.", True),
    Method("agent.resume", "slot", AgentParams, Agent, "Go on with a session that has ended.", True),
    Method("agent.attach", "slot", AgentParams, AgentAttach, "Where a session's window is."),
    Method("agent.log", "slot", AgentLogParams, AgentLogResult, "What a session was asked, did and said."),
    Method("agent.deliver", "slot", AgentDeliverParams, Empty, "Messages of the box's inbox for a session.", True),
    Method("agent.act", "slot", AgentActParams, AgentActed, "An agent changes its slot, or proposes to.", True),
    Method("agent.decide", "slot", AgentDecideParams, Empty, "A proposal of an agent was allowed.", True),
    Method("agent.hook", "slot", AgentHookParams, AgentHookResult, "What a session's hook has to say.", True),
    Method("agent.launch", "slot", AgentLaunchParams, AgentLaunch, "What the launcher in a window becomes.", True),
    Method("claude.status", "slot", Empty, ClaudeStatus, "Which credential is used, and why."),
    Method("claude.use", "slot", ClaudeUseParams, ClaudeStatus, "Prefer a credential.", True),
    Method("agent.tools", "box", AgentToolsParams, AgentTools, "The tools that a user's agents are granted."),
    Method("peek.agent_log", "box", PeekAgentLogParams, AgentLogResult, "A teammate's agent's log, read-only."),
)
