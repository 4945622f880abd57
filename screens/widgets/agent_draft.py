"""What a person has put into the form of a new agent, checked before it is sent; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from backends.model.agent_calls import AgentStartParams, ClaudeStatus
from backends.model.agents import EFFORTS, Agent, Mode
from screens.widgets.agent_model import is_live
from screens.widgets.celltext import clean

PROMPT_LIMIT = 2_000_000
_ISSUE = re.compile(r"https?://[^\s/]+/[^\s/]+/[^\s/]+/issues/\d+/?")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\[\]-]{0,99}")


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields as they were typed. `branch` may be the path of a worktree."""

    prompt: str = ""
    service: str = ""
    branch: str = ""
    effort: int = 2
    model: str = ""
    mode: Mode = "default"
    issue: str = ""
    loop: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Which field is wrong, and the sentence that says how."""

    field: str
    sentence: str


def flaw_of(draft: Draft) -> Flaw | None:
    """The first thing that has to be mended before it can be sent."""
    loop = draft.loop.strip()
    if loop and not (loop.isascii() and loop.isdecimal() and int(loop) <= 1000):
        return Flaw("loop", "The loop is a number of runs, from 0 to 1000.")
    if draft.until.strip() and not _runs(draft):
        return Flaw("loop", "The stop condition belongs to a loop: say how often it may run.")
    if _runs(draft) and not draft.prompt.strip() and not draft.issue.strip():
        return Flaw("prompt", "A loop runs a prompt again: write one.")
    if draft.issue.strip() and not _ISSUE.fullmatch(draft.issue.strip()):
        return Flaw("issue", "An issue is named by its address, like https://forge.example/owner/repo/issues/7.")
    if draft.model.strip() and not _MODEL.fullmatch(draft.model.strip()):
        return Flaw("model", "A model is one word: opus, sonnet, haiku, or a full name.")
    if len(draft.prompt) > PROMPT_LIMIT:
        return Flaw("prompt", f"A prompt has {PROMPT_LIMIT:,} characters at most.")
    return None


def _runs(draft: Draft) -> int:
    return int(draft.loop) if draft.loop.strip() else 0


def start_params(draft: Draft) -> AgentStartParams:
    """The call for a draft without a flaw."""
    branch = draft.branch.strip()
    path = branch.startswith(("/", "~"))
    return AgentStartParams(
        prompt=draft.prompt.strip(),
        effort=EFFORTS[draft.effort - 1],
        model=draft.model.strip(),
        mode=draft.mode,
        service="" if path else draft.service,
        branch="" if path else branch,
        worktree=branch if path else "",
        issue=draft.issue.strip(),
        loop=_runs(draft),
        until=draft.until.strip(),
    )


def neighbours(draft: Draft, agents: Iterable[Agent]) -> str:
    """The warning where another agent works in the same worktree already."""
    branch = draft.branch.strip()
    if not branch or draft.issue.strip():
        return ""
    there = [
        agent.name
        for agent in agents
        if is_live(agent) and branch in (agent.worktree, agent.branch) and draft.service in ("", agent.service)
    ]
    if not there:
        return ""
    works = "works" if len(there) == 1 else "work"
    return f"{', '.join(map(clean, there))} {works} in that worktree already."


def credential_sentence(status: ClaudeStatus) -> tuple[str, bool]:
    """On what it would run and why, and whether it would run at all."""
    if not status.program.path:
        return clean(f"There is no `claude` here. {status.program.hint}".strip()), False
    resolution = status.resolution
    if resolution.credential.kind == "none":
        return clean(f"{resolution.problem} {resolution.hint}".strip()) or "No credential can be used.", False
    taken = next((step for step in resolution.steps if step.taken), None)
    why = f" · {taken.question} {taken.answer}" if taken else ""
    return clean(f"runs on {resolution.credential.name}{why}"), True
