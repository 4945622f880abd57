"""Where a new session works: the worktree that was named, the one that somebody stands in, or the only one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from backends.model.agent_calls import AgentStartParams
from backends.model.errors import HeroError, unknown_name
from backends.slot import worktree_files
from backends.slot.context import SlotContext
from backends.slot.files import disk_error


@dataclass(frozen=True)
class Place:
    """A folder to work in; without `service` it is no worktree of a service."""

    path: Path
    service: str = ""
    repo: str = ""
    branch: str = ""


async def choose(slot: SlotContext, asked: AgentStartParams) -> Place:
    """The place that `asked` means; a worktree that is missing is made.

    Raises HeroError: not_found, usage (several would do, or the path is none of the slot's), and what git says.
    """
    if asked.worktree:
        return _named_by_path(slot, Path(asked.worktree))
    if asked.service:
        return await _of_service(slot, asked.service, asked.branch)
    there = worktrees(slot)
    if asked.branch:
        return await _of_branch(slot, asked.branch, there)
    if len(there) == 1:
        return there[0]
    if there:
        raise _several(there)
    bindings = [one.service for one in slot.bindings() if slot.repo_of(one)]
    if len(bindings) == 1:
        return await _of_service(slot, bindings[0], "")
    return _scratch(slot)


def worktrees(slot: SlotContext) -> list[Place]:
    """The worktrees that the slot has, by service and branch."""
    found = []
    for path in sorted(slot.paths.src.glob("*/*")):
        if not path.parent.name.startswith(".") and worktree_files.git_dir(path):
            found.append(_place(slot, path))
    return found


def _place(slot: SlotContext, path: Path) -> Place:
    service, branch = path.parent.name, unquote(path.name)
    binding = slot.binding(service)
    repo = slot.repo_of(binding) if binding else slot.repos.get(service, "")
    return Place(path, service, repo, branch)


def _named_by_path(slot: SlotContext, named: Path) -> Place:
    """The worktree that `named` is, or is in; any other folder of the slot's own as it is."""
    if not named.is_absolute():
        raise HeroError("usage", f"{named} is no whole path.", hint="A branch is named with --worktree BRANCH.")
    path, root = Path(os.path.realpath(named)), Path(os.path.realpath(slot.paths.root))
    if not path.is_relative_to(root):
        raise HeroError("denied", f"{path} is not in this slot.", hint=f"An agent works below {root}.")
    if not path.is_dir():
        raise HeroError("not_found", f"{path} is no folder.")
    inside = path.relative_to(root).parts
    tree = slot.paths.src.joinpath(*inside[1:3])
    if len(inside) >= 3 and inside[0] == "src" and worktree_files.git_dir(tree):
        return _place(slot, tree)
    return Place(path)


async def _of_service(slot: SlotContext, service: str, branch: str) -> Place:
    bound = slot.binding(service)
    repo = slot.repo_of(bound) if bound else slot.repos.get(service, "")
    if not repo:
        raise unknown_name("service", service, {*slot.repos, *slot.board.services()})
    wanted = branch or (bound.branch if bound else slot.trunk)
    tree = await slot.worktrees.ensure(service, repo, wanted)
    return Place(tree.path, service, repo, wanted)


async def _of_branch(slot: SlotContext, branch: str, there: list[Place]) -> Place:
    found = [one for one in there if one.branch == branch]
    if len(found) == 1:
        return found[0]
    if found:
        raise _several(found)
    bound = [one.service for one in slot.bindings() if slot.repo_of(one)]
    if len(bound) == 1:
        return await _of_service(slot, bound[0], branch)
    named = [one.service for one in slot.bindings() if one.branch == branch]
    if len(named) == 1:
        return await _of_service(slot, named[0], branch)
    raise HeroError(
        "usage",
        f"Which service's branch {branch!r}? No worktree is on it yet.",
        hint=f"Name it with --service: {', '.join(bound[:12])}." if bound else "`hero_dev bind` binds a service.",
    )


def _several(there: list[Place]) -> HeroError:
    names = [f"--service {one.service} --worktree {one.branch}" for one in there[:12]]
    return HeroError(
        "usage",
        f"Which worktree? This slot has {len(there)}.",
        hint="Stand in one of them, or name it:\n    " + "\n    ".join(names),
        data={"worktrees": [str(one.path) for one in there]},
    )


def _scratch(slot: SlotContext) -> Place:
    """A slot without any worktree has a folder to try things in."""
    path = slot.paths.root / "scratch"
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise disk_error(path, error) from error
    return Place(path)
