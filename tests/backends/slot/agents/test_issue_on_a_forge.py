"""The whole way of an issue over HTTP: our server in both flavours, and a real Gitea where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from backends.forge.forgejo import Forgejo
from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.slot.agents.issue import prepare
from backends.slot.agents.issue_comments import AgentIssues
from backends.slot.context import SlotContext
from backends.slot.worktrees import Worktrees
from tests.backends.forge.repositories import IDENTITY, run_git
from tests.forgejo_server.sites import Ground, ground, site

__all__ = ["ground", "site"]

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)


class Slot:
    """What of alice's slot an issue needs, on the forge of `ground` with this token."""

    def __init__(self, ground: Ground, folder: Path, token: str):
        file = folder / "forge_token"
        file.touch(mode=0o600)
        file.write_text(token)
        self.forge = Forgejo(ground.site.url, token, token_file=file)
        self.told: list[Mapping[str, Any]] = []
        paths = SlotPaths(folder / "hero")
        parts = {"bindings": list, "repos": {"hero_x": ground.repo}, "repo_of": str, "trunk": "development"}
        self.context = cast(
            "SlotContext",
            SimpleNamespace(
                **parts,
                user="alice",
                suffix="alice",
                paths=paths,
                forge=self.forge,
                worktrees=Worktrees(paths, self.forge.clone_url, self.forge.git_environment),
                record=lambda kind, subject, data: self.told.append(data),
            ),
        )


@pytest.fixture
async def slot(ground: Ground, tmp_path: Path) -> AsyncIterator[Slot]:
    made = Slot(ground, tmp_path, ground.site.token)
    yield made
    await made.forge.aclose()


async def opened(ground: Ground) -> int:
    made = await ground.ask("POST", "/issues", 201, title="It is slow", body="Since yesterday.")
    await ground.ask("POST", f"/issues/{made['number']}/comments", 201, body="Here, too.")
    return int(made["number"])


async def test_an_issue_is_worked_on_and_hears_of_it(ground: Ground, slot: Slot) -> None:
    number = await opened(ground)
    link = f"{ground.site.url}/{ground.repo}/issues/{number}#issuecomment-1"
    work = await prepare(slot.context, link)
    assert (work.folder, work.branch) == ("hero_x", f"issue-{number}-alice")
    assert run_git(work.worktree, "rev-parse", "HEAD") == ground.head
    assert "> Since yesterday." in work.prompt
    assert "> Here, too." in work.prompt
    run_git(work.worktree, "commit", "-q", "--allow-empty", "-m", "Make it quick")
    place = {"branch": work.branch, "worktree": str(work.worktree), "issue": link}
    agent = Agent(id="1", slot="alice", session="s", state="working", since=NOW, started_at=NOW, **place)
    issues = AgentIssues(slot.context)
    issues.changed(agent)
    issues.changed(agent.model_copy(update={"state": "idle", "why": "done", "turns": 1, "last_line": "Done."}))
    while issues._tasks:
        await next(iter(issues._tasks))
    said = sorted((await slot.forge.comments(ground.repo, number))[1:], key=lambda one: "started" not in one.body)
    assert [bool(one.key) for one in said] == [True, True]
    assert "started an agent on this issue" in said[0].body
    assert "Make it quick (not pushed)" in said[1].body
    assert "Done." in said[1].body
    assert [one["outcome"] for one in slot.told] == ["succeeded", "succeeded"]
    again = await prepare(slot.context, f"{ground.repo}#{number}")
    assert "started an agent" not in again.prompt
    assert again.worktree == work.worktree


async def test_who_may_only_read_is_told_that_the_branch_cannot_be_made(ground: Ground, tmp_path: Path) -> None:
    number = await opened(ground)
    (tmp_path / "ann").mkdir()
    token = ground.site.account(f"ann{ground.repo[-6:]}")
    await ground.ask("PUT", f"/collaborators/ann{ground.repo[-6:]}", 204, permission="read")
    reader = Slot(ground, tmp_path / "ann", token)
    with pytest.raises(HeroError) as caught:
        await prepare(reader.context, f"{ground.repo}#{number}")
    assert caught.value.code == "denied"
    assert f"issue-{number}-alice" in caught.value.message
    assert not reader.context.paths.src.exists()
    await reader.forge.aclose()


async def test_a_pull_request_is_refused_and_nothing_is_made(ground: Ground, slot: Slot) -> None:
    await ground.ask("POST", "/branches", 201, new_branch_name="topic", old_ref_name="development")
    run_git(ground.work, "commit", "-q", "--allow-empty", "-m", "x")
    ground.push("HEAD:refs/heads/topic")
    made = await ground.ask("POST", "/pulls", 201, head="topic", base="development", title="t")
    with pytest.raises(HeroError, match="pull request"):
        await prepare(slot.context, f"{ground.repo}#{made['number']}")
    assert not slot.context.paths.src.exists()
