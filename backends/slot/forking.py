"""A branch of one's own: made on the forge from the trunk, bound, built and run; it publishes nothing."""

from __future__ import annotations

from typing import Any

from backends.model.errors import HeroError
from backends.model.manifest import Binding
from backends.model.slot_calls import ForkParams, SwitchParams
from backends.model.text import safe_line
from backends.slot.context import SlotContext
from backends.slot.operations import Progress
from backends.slot.switching import run_binding


def fork_asked(slot: SlotContext, params: ForkParams) -> Binding:
    """The binding that a fork asks for. Raises HeroError for a name that cannot be, or the trunk's own."""
    branch = params.branch or f"{slot.trunk}_{slot.suffix or slot.user}"
    if branch == slot.trunk:
        raise HeroError(
            "usage",
            f"{safe_line(branch, 200)} is the trunk itself.",
            hint=f"Name another branch, or none: then it is {slot.trunk}_{slot.suffix or slot.user}.",
        )
    asked = SwitchParams(service=params.service, branch=branch, source="build")
    return slot.asked_binding(asked, {"publish": False, "auto_rebuild": False})


async def fork(slot: SlotContext, binding: Binding, progress: Progress) -> dict[str, Any]:
    """Make the branch of `binding` on the forge, or take the one that is there; then build and run it.

    Raises HeroError: denied without the right to push, not_found for a repository without the trunk.
    """
    slot.require_good_manifest()
    repo = slot.repo_of(binding)
    progress.tell("branch")
    made = await _make_branch(slot, repo, binding)
    progress.tell("fetch")
    await slot.worktrees.fetch(repo)
    result = await run_binding(slot, binding, None, progress)
    worktree = slot.worktrees.path(binding.service, binding.branch)
    return {**result, "branch_made": made, "worktree": str(worktree)}


async def _make_branch(slot: SlotContext, repo: str, binding: Binding) -> bool:
    """Whether the branch had to be made."""
    name = binding.branch
    if await _is_there(slot, repo, name):
        return False
    try:
        await slot.forge.create_branch(repo, name, slot.trunk)
    except HeroError as error:
        if error.code == "conflict" and await _is_there(slot, repo, name):
            return False
        if error.code != "denied":
            raise
        raise HeroError(
            "denied",
            f"You may not make the branch {safe_line(name, 200)!r} in {repo}: {error.message}",
            hint=f"Ask for the right to push, or fork {repo} on the forge and bind your copy: "
            f"`hero_dev bind {binding.service} --repo YOU/NAME --branch {slot.trunk} --from build`.",
        ) from error
    return True


async def _is_there(slot: SlotContext, repo: str, name: str) -> bool:
    """Whether the forge has the branch. Raises HeroError also for a repository that is not there."""
    try:
        await slot.forge.branch(repo, name)
    except HeroError as error:
        if error.code != "not_found":
            raise
        return False
    return True
