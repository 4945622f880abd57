"""What a person can do to an agent on a screen: answer it, talk to it, interrupt, stop and resume it, attach."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from backends.model.agent_calls import (
    AgentAnswerParams,
    AgentCommandParams,
    AgentParams,
    AgentSendParams,
    AgentSent,
)
from backends.model.agents import Agent, Waiting
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import TEXT_LIMIT, TellParams
from backends.model.method import Empty
from screens.desk import Desk
from screens.question import Question
from screens.widgets.agent_model import is_live, iteration_text, task
from screens.widgets.celltext import clean, first_of

Command = Literal["interrupt", "compact", "clear"]
Choice = Literal["allow", "deny"] | int
"""How a dialog is answered: a permission by a word, a question by the number of an option, 0 for words alone."""

_UNTIL_SHOWN = frozenset({"submitted", "stopping", "resuming"})
"""What stays said until the agent itself is seen to have taken it up."""
BULK = frozenset({"stop", "clear", "compact", "resume", "interrupt", "copy"})
"""What can be done to several at once; the rest is of the one that a person looks at."""
_WORDS: dict[Command, str] = {"interrupt": "interrupting", "compact": "compacting", "clear": "clearing"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question before what ends or forgets a conversation: `tells` what becomes of it."""

    title: str
    button: str
    tells: str


_ASKED = {
    "stop": _Asked(
        "Stop {}?", "Stop", "What is in a worktree stays as it is, and {key} goes on with the session."
    ),
    "clear": _Asked(
        "A new session for {}?",
        "New session",
        "It begins anew and knows nothing of what was said. What is in a worktree stays as it is.",
    ),
    "compact": _Asked(
        "Compact {}?", "Compact", "What was said so far is summed up; it cannot be had back in full."
    ),
}


class Runner(Protocol):
    """How a screen runs what takes a while."""

    def __call__(self, work: Coroutine[Any, Any, object]) -> None: ...


class AgentActions:
    """The actions of one screen; `changed` is called when `pending` has become another."""

    def __init__(self, desk: Desk, run: Runner, changed: Callable[[], None]):
        self._desk = desk
        self._run = run
        self._changed = changed
        self._asked: dict[str, tuple[str, Agent]] = {}

    def pending(self, agents: Sequence[Agent]) -> dict[str, str]:
        """By name what was asked of an agent and it has not shown yet: `submitted`, `stopping`."""
        words = {}
        for agent in agents:
            word, then = self._asked.get(agent.name, ("", agent))
            if word and _look(then) == _look(agent):
                words[agent.name] = word
            else:
                self._asked.pop(agent.name, None)
        return words

    def enabled(self, action: str, agent: Agent | None) -> bool:
        """Whether `action` can be done, to `agent` where it needs one."""
        if action == "new":
            return bool(self._desk.me) and not self._desk.read_only
        if agent is None:
            return False
        mine, live = self._desk.may_change(agent.slot), is_live(agent)
        match action:
            case "open" | "copy":
                return True
            case "reply":
                return live and not self._desk.read_only
            case "resume":
                return mine and not live
            case "allow" | "deny":
                return mine and agent.waiting is not None and agent.why == "permission"
        return mine and live

    def do_all(self, action: str, agents: Sequence[Agent], done: Callable[[], None]) -> None:
        """Do it to all of `agents` for which it is offered; where it takes an agreement, after one question.

        `done` is called once it has begun with what changes them.
        """
        able = [agent for agent in agents if self.enabled(action, agent)]
        if not able:
            return
        if action == "copy":
            self._desk.copy_one(_joined([_copied(agent) for agent in able]))
        elif action in _ASKED:
            self._ask(action, able, done)
        else:
            for agent in able:
                self._begin(action, agent)
            done()

    def do(self, action: str, agent: Agent | None) -> None:
        """Do it, where it is offered."""
        if not self.enabled(action, agent):
            return
        if agent is None or action == "new":
            self._desk.ways.show_agent_form(agent.service if agent else "")
            return
        match action:
            case "open":
                self._desk.ways.show_agent(agent.slot, agent.id)
            case "attach":
                self._run(self._attach(agent))
            case "stop" | "clear" | "compact":
                self._ask(action, [agent])
            case "resume" | "interrupt":
                self._begin(action, agent)
            case "copy":
                self._desk.copy_one(_copied(agent))

    # -- that take an agreement -------------------------------------------------------------------

    def _ask(self, name: str, agents: Sequence[Agent], done: Callable[[], None] = lambda: None) -> None:
        """One question for all of `agents`, then it is done to each."""
        one = agents[0] if len(agents) == 1 else None
        what = one.name if one else f"{len(agents)} agents"
        asked = _ASKED[name]
        lines = (
            [task(one), *_stops(one, name)] if one else first_of([f"{each.name}  {task(each)}" for each in agents])
        )
        lines.append(asked.tells.format(key=self._desk.key("session.resume")))
        question = Question(asked.title.format(what), what, tuple(lines), asked.button)
        foreign = next((each.slot for each in agents if each.slot != self._desk.me), self._desk.me)

        def agreed() -> None:
            newest = [self._desk.fleet.agent(each.slot, each.id) for each in agents]
            able = [each for each in newest if each and self.enabled(name, each)]
            for each in able:
                self._begin(name, each)
            if len(able) < len(agents):
                self._desk.tell("What has ended meanwhile is left alone.")
            done()

        self._desk.confirm(f"session.{name}", question, agreed, user=foreign)

    def _begin(self, name: str, agent: Agent) -> None:
        match name:
            case "stop":
                self._run(self._change(agent, "stopping", "agent.stop", AgentParams(agent=agent.id), Agent))
            case "resume":
                self._run(self._change(agent, "resuming", "agent.resume", AgentParams(agent=agent.id), Agent))
            case "clear" | "compact" | "interrupt":
                self._run(self._command(agent, name))

    # -- that do not ------------------------------------------------------------------------------

    async def _command(self, agent: Agent, command: Command) -> None:
        params = AgentCommandParams(agent=agent.id, command=command)
        await self._change(agent, _WORDS[command], "agent.command", params, Empty)

    async def _attach(self, agent: Agent) -> None:
        try:
            await self._desk.attach(agent.id)
        except HeroError as error:
            self._fail(error)

    async def answer(self, agent: Agent, shown: Waiting, choice: Choice, text: str = "") -> bool:
        """Answer the dialog that the person has seen; another one that has come since is left alone.

        True if the answer was taken.
        """
        current = self._desk.fleet.agent(agent.slot, agent.id)
        if current is None or current.waiting is None or current.waiting.id != shown.id:
            self._desk.tell(f"{agent.name} does not wait for that any more; nothing was sent.", failed=True)
            return False
        if self.pending([current]):
            return False
        number = choice if isinstance(choice, int) else 0
        params = AgentAnswerParams(
            agent=agent.id,
            waiting=shown.id,
            choice="option" if isinstance(choice, int) else choice,
            option=number,
            text=text,
        )
        return await self._change(current, "submitted", "agent.answer", params, Empty)

    async def send(self, agent: Agent, text: str) -> bool:
        """Say something to it: into its session where it is mine, else as a message. True if it was taken."""
        try:
            if self._desk.may_change(agent.slot):
                params = AgentSendParams(agent=agent.id, text=text)
                sent = await self._desk.call(agent.slot, "agent.send", params, AgentSent)
                later = f"; it works, and gets it with its next turn ({sent.pending} wait)"
                self._desk.tell(
                    f"{agent.name} has it" if sent.state == "sent" else f"queued for {agent.name}{later}"
                )
            elif len(text) > TEXT_LIMIT:
                raise HeroError("usage", f"A message has {TEXT_LIMIT:,} characters at most.", hint="Shorten it.")
            else:
                told = TellParams(to=agent.name, text=text, user=self._desk.me)
                await self._desk.ask_box("message.send", told, InboxItem)
                self._desk.tell(f"a message to {agent.name} is on its way")
        except HeroError as error:
            self._fail(error)
            return False
        return True

    async def _change(
        self, agent: Agent, word: str, method: str, params: AgentParams, result: type[BaseModel]
    ) -> bool:
        self._asked[agent.name] = (word, agent)
        self._changed()
        try:
            await self._desk.call(agent.slot, method, params, result)
        except HeroError as error:
            self._asked.pop(agent.name, None)
            self._changed()
            self._fail(error)
            return False
        if word not in _UNTIL_SHOWN:
            self._asked.pop(agent.name, None)
            self._changed()
        return True

    def _fail(self, error: HeroError) -> None:
        self._desk.tell(f"{error.message} {error.hint}".strip(), failed=True)


def _stops(agent: Agent, name: str) -> list[str]:
    """What is cut off by stopping it."""
    if name != "stop":
        return []
    loop = [iteration_text(agent)] if agent.loop_limit else []
    return [f"{agent.says} · {clean(agent.branch)}", *loop]


def _copied(agent: Agent) -> dict[str, str]:
    return {
        "name": agent.name,
        "last line": agent.last_line,
        "branch": agent.branch,
        "worktree": agent.worktree,
        "issue": agent.issue,
        "session": agent.session,
        "log command": f"hero_dev agent-log {agent.name}",
    }


def _joined(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Of each field what all of them have, a line each."""
    return {key: "\n".join(one[key] for one in each if one[key]) for key in each[0]}


def _look(agent: Agent) -> tuple[object, ...]:
    """What of an agent shows that it has taken something up."""
    return agent.state, agent.why, agent.waiting.id if agent.waiting else "", agent.since, len(agent.iterations)
