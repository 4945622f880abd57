"""Word of an agent on its issue: that it began, how it ended, what it committed; never the agent's trouble."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

from backends.forge.git import git
from backends.forge.issue_links import read_link
from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.model.names import check_branch
from backends.model.text import safe_line, safe_text
from backends.slot.agents.issue import prepare
from backends.slot.agents.log import read_log
from backends.slot.agents.places import Place
from backends.slot.agents.ports import IssueWork
from backends.slot.context import SlotContext

log = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
"""After which a comment that the forge did not take is tried once more."""

_SAID = 3_000
"""Characters of an agent's last message that are told on the issue."""
_COMMITS = 20
_SECONDS = 60.0
"""How long one comment may take."""
_CLOSE_SECONDS = 2.0

_LOOKED_AT = 200
"""Entries of a session's log among which its last answer is."""

Sleep = Callable[[float], Awaitable[object]]
What = Literal["start", "done", "end"]


class AgentIssues:
    """The forge's issues as sessions know them (ports.Issues); what is told on one is told in the background.

    A session has at most three comments: that it began, that its first work is done, and that it ended, unless
    nothing happened since. What the forge does not take is in the audit log as failed, and tried once more.
    """

    def __init__(self, context: SlotContext, sleep: Sleep = asyncio.sleep):
        self._context = context
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: dict[tuple[str, str], int] = {}

    async def begin(self, url: str, prompt: str) -> IssueWork:
        """As `prepare`, for a session that is about to start. Raises HeroError."""
        work = await prepare(self._context, url, prompt)
        place = Place(work.worktree, work.folder, work.repo, work.branch)
        return IssueWork(place, work.prompt, safe_line(f"#{work.issue.number} {work.issue.title}", 100))

    def changed(self, agent: Agent) -> None:
        """Tell what there is to tell of `agent`, each thing once."""
        if not agent.issue or agent.state == "starting":
            return
        self._once(agent, "start")
        if agent.ended_at is not None:
            if self._told.get((agent.session, "done")) != agent.turns:
                self._once(agent, "end")
        elif agent.state == "idle" and not _loops(agent):
            self._once(agent, "done")

    async def close(self) -> None:
        """Give what is being told a moment; what waits to be tried again is given up."""
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _once(self, agent: Agent, what: What) -> None:
        if (agent.session, what) in self._told:
            return
        self._told[agent.session, what] = agent.turns
        task = asyncio.create_task(self._tell(agent, what), name=f"issue-{what}-{agent.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, agent: Agent, what: What) -> None:
        # The session's own name is not to be seen in it: nobody can take the next one's place on the issue.
        key = hashlib.sha256(f"{agent.session} {what}".encode()).hexdigest()[:32]
        text = started_text(agent) if what == "start" else await self._result(agent)
        if not await self._comment(agent, what, key, text):
            await self._sleep(RETRY_SECONDS)
            await self._comment(agent, what, key, text)

    async def _result(self, agent: Agent) -> str:
        lines = await asyncio.to_thread(read_log, self._context.paths.var / "agents" / agent.id, 0, _LOOKED_AT)
        said = next((line.text for line in reversed(lines) if line.kind == "answer"), agent.last_line)
        try:
            commits = await commits_of(Path(agent.worktree), agent.branch)
        except (HeroError, OSError) as error:
            commits = [f"(they cannot be listed: {safe_line(str(error), 200)})"]
        return result_text(agent, said, commits)

    async def _comment(self, agent: Agent, what: What, key: str, text: str) -> bool:
        """Whether the forge has it."""
        problem = ""
        try:
            link = read_link(agent.issue)
            async with asyncio.timeout(_SECONDS):
                await self._context.forge.comment(link.repo, link.number, text, key=key)
        except HeroError as error:
            problem = error.message
        except TimeoutError:
            problem = f"The forge did not answer within {_SECONDS:g} seconds."
        if problem:
            log.warning("the %s of agent %s is not told on its issue: %s", what, agent.id, problem)
        issue = safe_line(agent.issue.strip(), 200)
        told = {"actor": agent.slot, "agent": agent.name, "title": f"tell the {what} of {agent.name} on {issue}"}
        outcome = "failed" if problem else "succeeded"
        self._context.record("audit.agent.comment", issue, {**told, "outcome": outcome, "error": problem})
        return not problem


def _loops(agent: Agent) -> bool:
    """Whether a loop goes on after the turn that has just ended."""
    return bool(agent.iterations) and agent.iterations[-1].outcome in ("running", "again")


def started_text(agent: Agent) -> str:
    """Who began which agent, and where it works."""
    how = ", ".join(word for word in (agent.model and f"model {agent.model}", f"effort {agent.effort}") if word)
    return (
        f"{_code(agent.slot)} started an agent on this issue: {_code(agent.name)} ({safe_line(how, 200)}), "
        f"on the branch {_code(agent.branch)}."
    )


def result_text(agent: Agent, said: str, commits: Sequence[str]) -> str:
    """How it stands. What the agent wrote stands as it is, so that it names nobody and closes nothing."""
    detail = f" ({safe_line(agent.detail, 300)})" if agent.detail else ""
    parts = [f"The agent {_code(agent.name)} of {_code(agent.slot)}: {_code(agent.says)}{detail}."]
    if commits:
        more = [f"… and {len(commits) - _COMMITS} more"] if len(commits) > _COMMITS else []
        parts += [f"Commits on {_code(agent.branch)}:", _block("\n".join([*commits[:_COMMITS], *more]))]
    else:
        parts.append(f"It made no commits on {_code(agent.branch)}.")
    if said.strip():
        parts += ["Its last message:", _block(_shortened(said))]
    return "\n\n".join(parts)


async def commits_of(worktree: Path, branch: str) -> list[str]:
    """The commits that only `branch` has, newest first, a line each; those that the forge has not are marked so.

    Raises HeroError.
    """
    form = "--format=tformat:%H%x00%s"
    mine = f"--exclude=refs/remotes/origin/{check_branch(branch)}"
    rest = ("--not", mine, "--glob=refs/remotes/origin/*", "--")
    listed = await git(
        "log", "--no-mailmap", f"-n{_COMMITS * 5}", form, f"refs/heads/{branch}", *rest, cwd=worktree
    )
    known = await git("rev-list", f"refs/heads/{branch}", "--not", "--remotes=origin", "--", cwd=worktree)
    unpushed = set(known.stdout.split())
    found = []
    for line in listed.stdout.splitlines():
        commit, _, subject = line.partition("\0")
        found.append(f"{commit[:8]} {safe_line(subject, 120)}{' (not pushed)' if commit in unpushed else ''}")
    return found


def _code(text: str) -> str:
    """`text` as code in a line, whatever it holds."""
    shown = safe_line(text, 200)
    ticks = "`" * (_longest_run(shown) + 1)
    return f"{ticks} {shown} {ticks}" if "`" in shown else f"`{shown}`"


def _block(text: str) -> str:
    """`text` as a block that nothing in it ends."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _shortened(said: str) -> str:
    text = safe_text(said.strip()[: _SAID * 4])
    return text if len(text) <= _SAID else f"{text[: _SAID - 1]}…"
