"""Which commit of the team repo is in force: forward only, signed and protected where the box asks for that."""

from __future__ import annotations

from dataclasses import dataclass

from backends.forge.base import Forge
from backends.model.boxfile import TeamSync
from backends.model.errors import HeroError
from backends.team.git_source import Clone
from backends.team.state import State


@dataclass(frozen=True)
class Followed:
    """`commit` is in force ("": none ever was), `candidate` the newest head that was seen on `branch`.

    `stopped` says why nothing at all may be applied, `trouble` what went wrong without stopping anything.
    """

    commit: str
    branch: str = ""
    candidate: str = ""
    stopped: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Guard:
    """What a commit of `repo` has to pass before it is in force."""

    forge: Forge
    repo: str
    settings: TeamSync

    async def follow(self, clone: Clone, state: State) -> Followed:
        """Fetch, and go forward to the branch's head if that may be. Changes nothing but objects in `clone`."""
        branch = self.settings.branch or state.branch
        try:
            branch = branch or await clone.head_branch()
            head = await clone.fetch(branch)
        except HeroError as error:
            trouble = f"The team repo {self.repo} cannot be fetched: {error.message}"
            stopped = "" if state.reviewed else trouble
            return Followed(state.reviewed, branch, state.candidate, stopped, trouble)
        if head == state.reviewed:
            return Followed(head, branch, head)
        if state.reviewed and not await clone.is_ancestor(state.reviewed, head):
            return Followed(state.reviewed, branch, head, self._rewritten(state.reviewed, head, branch))
        stopped = await self.objection(clone, head, branch)
        return Followed(state.reviewed if stopped else head, branch, head, stopped)

    async def objection(self, clone: Clone, commit: str, branch: str) -> str:
        """Why `commit` must not be in force; "" where nothing speaks against it."""
        try:
            return await self._signature(clone, commit) or await self._protection(branch)
        except HeroError as error:
            return f"The team repo {self.repo} cannot be checked, so {commit[:8]} is not followed: {error.message}"

    async def _signature(self, clone: Clone, commit: str) -> str:
        if not self.settings.signers:
            return ""
        why = await clone.verify(commit, self.settings.signers)
        if not why:
            return ""
        return (
            f"The commit {commit[:8]} of {self.repo} is not signed by anybody in {self.settings.signers} ({why}). "
            "Nothing is applied until a signed commit follows."
        )

    async def _protection(self, branch: str) -> str:
        if not self.settings.require_protection:
            return ""
        from backends.forge.forgejo import Forgejo

        if not isinstance(self.forge, Forgejo):
            return (
                f"The forge of {self.repo} protects no branches, and box.toml asks for that. Nothing is applied."
            )
        weak = await self.forge.branch_weaknesses(self.repo, branch)
        return f"{' '.join(weak)} box.toml asks for protection, so nothing is applied." if weak else ""

    def _rewritten(self, old: str, new: str, branch: str) -> str:
        return (
            f"The history of {self.repo} was rewritten: {branch} is at {new[:8]}, which does not come after the "
            f"reviewed {old[:8]}. Nothing is applied. If that is wanted: `hero_dev team accept {new}`, as root."
        )
