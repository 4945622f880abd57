"""The calls about agents: which part answers which, and what of it gets into the audit log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import BaseModel

from backends.model import agent_calls as calls
from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.model.method import Empty
from backends.model.text import safe_line
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import Call
from backends.slot.agents import hooks, loop
from backends.slot.agents.desk import AgentDesk
from backends.slot.agents.lines import Entry, bounded
from backends.slot.agents.record import Queued
from backends.slot.agents.session import Session

SHOWN_PROMPT = 200
"""Characters of a prompt in the audit log."""

Audit = Callable[[Connection, str, str, Mapping[str, Any]], None]
"""Takes who calls, what was done, to which agent, and the details."""

COMMANDS = {"compact": "/compact", "clear": "/clear"}


class AgentCalls:
    """Answers the `agent.*` calls of one slot."""

    def __init__(self, desk: AgentDesk, audit: Audit):
        self._desk = desk
        self._agents = desk.agents
        self._audit = audit

    def table(self) -> dict[str, Callable[[Call, Any], Awaitable[BaseModel]]]:
        return {
            "agent.start": self.start,
            "agent.list": self.list,
            "agent.get": self.get,
            "agent.send": self.send,
            "agent.answer": self.answer,
            "agent.command": self.command,
            "agent.stop": self.stop,
            "agent.resume": self.resume,
            "agent.attach": self.attach,
            "agent.log": self.log,
            "agent.deliver": self.deliver,
            "agent.act": self.act,
            "agent.decide": self.decide,
            "agent.hook": self.hook,
            "agent.launch": self.launch,
        }

    async def start(self, call: Call, params: calls.AgentStartParams) -> calls.AgentStarted:
        agent, warnings = await self._agents.start(params)
        asked = params.model_dump(mode="json", exclude_defaults=True)
        self._say(call, "start", agent, {**asked, "prompt": _short(params.prompt)}, credential=agent.credential)
        return calls.AgentStarted(agent=agent, warnings=warnings)

    async def list(self, _: Call, params: calls.AgentListParams) -> calls.AgentListResult:
        return calls.AgentListResult(agents=self._agents.all(ended=params.ended))

    async def get(self, _: Call, params: calls.AgentParams) -> Agent:
        return self._agents.session(params.agent).agent

    async def send(self, call: Call, params: calls.AgentSendParams) -> calls.AgentSent:
        session = self._living(params.agent)
        if not params.text.strip():
            raise HeroError("usage", "There is nothing to be said.")
        rests = session.situation.rests
        session.deaf = False
        session.put(Queued(text=params.text, kind="prompt"))
        await session.save()
        self._agents.speak(session)
        self._say(call, "send", session.agent, {"text": _short(params.text)})
        return calls.AgentSent(state="sent" if rests else "queued", pending=session.agent.pending)

    async def answer(self, call: Call, params: calls.AgentAnswerParams) -> Empty:
        session = self._living(params.agent)
        self._agents.look(session)
        waiting = session.dialogs.answer(params)
        words = (params.choice, str(params.option or ""), bounded(params.text))
        session.write(Entry("message", " ".join(["answered:", *filter(None, words)])))
        asked = {"choice": params.choice, "option": params.option, "text": _short(params.text)}
        self._say(call, "answer", session.agent, {**asked, "dialog": _short(waiting.text)})
        return Empty()

    async def command(self, call: Call, params: calls.AgentCommandParams) -> Empty:
        session, windows = self._living(params.agent), self._agents.windows
        window = session.agent.window
        if params.command == "interrupt":
            loop.end(session, "stopped", "interrupted")
            done = await windows.key(window, "Escape")
        elif not session.situation.rests:
            raise HeroError(
                "conflict",
                f"Agent {session.agent.name} is not at rest: {session.agent.says}.",
                hint="Wait for the end of its turn, or interrupt it first.",
            )
        else:
            done = await windows.key(window, "C-u") and await windows.type(window, COMMANDS[params.command])
        if not done:
            raise HeroError("failed", f"The window of agent {session.agent.name} does not answer.")
        self._say(call, "command", session.agent, {"command": params.command})
        return Empty()

    async def stop(self, call: Call, params: calls.AgentParams) -> Agent:
        agent = await self._agents.stop(self._agents.session(params.agent))
        self._say(call, "stop", agent, {})
        return agent

    async def resume(self, call: Call, params: calls.AgentParams) -> Agent:
        agent = await self._agents.resume(self._agents.session(params.agent))
        self._say(call, "resume", agent, {}, credential=agent.credential)
        return agent

    async def attach(self, _: Call, params: calls.AgentParams) -> calls.AgentAttach:
        session = self._living(params.agent)
        windows = self._agents.windows
        if await windows.pane(session.agent.window) is None:
            raise HeroError("conflict", f"Agent {session.agent.name} has no window (any more).")
        return calls.AgentAttach(socket=str(windows.socket), session=windows.session, window=session.agent.window)

    async def log(self, call: Call, params: calls.AgentLogParams) -> calls.AgentLogResult:
        return await self._desk.logs.read(self._agents.session(params.agent), params, call.connection)

    async def deliver(self, _: Call, params: calls.AgentDeliverParams) -> Empty:
        session = self._living(params.agent)
        pairs = zip(params.messages, params.ids, strict=False)
        await self._desk.deliver(session, [Queued(text=text, id=id) for text, id in pairs])
        return Empty()

    async def act(self, _: Call, params: calls.AgentActParams) -> calls.AgentActed:
        return await self._desk.acting.act(self._living(params.agent).agent, params)

    async def decide(self, _: Call, params: calls.AgentDecideParams) -> Empty:
        await self._desk.acting.decide(params)
        return Empty()

    async def hook(self, call: Call, params: calls.AgentHookParams) -> calls.AgentHookResult:
        session = self._agents.session(params.agent)
        self._agents.look(session)
        with self._desk.held.holding(call.connection):
            said = await hooks.heard(session, params.event, params.payload, call.connection, self._desk.inbox)
        self._agents.look(session)
        return calls.AgentHookResult(output=said)

    async def launch(self, call: Call, params: calls.AgentLaunchParams) -> calls.AgentLaunch:
        session = self._agents.session(params.agent)
        return await self._agents.opening.launch(session, params.pid, call.peer.pid)

    def _living(self, name: str) -> Session:
        session = self._agents.session(name)
        session.refuse_ended()
        return session

    def _say(self, call: Call, what: str, agent: Agent, asked: Mapping[str, Any], **more: str) -> None:
        told = {"agent": agent.name, "asked": asked, "outcome": "succeeded", **more}
        self._audit(call.connection, f"audit.agent.{what}", agent.name, told)


def _short(text: str) -> str:
    return safe_line(text, SHOWN_PROMPT)
