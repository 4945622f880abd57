"""A forge's hooks as its API shows them: secrets go in and never come out, and calls fail as a test says."""

from __future__ import annotations

from dataclasses import replace

from backends.forge.base import Hook
from backends.model.errors import HeroError

EVENTS = ("create", "delete", "push", "release")


class HookForge:
    """`secrets` by hook id; `calls` is what changed anything; `failing` names calls of repositories that fail."""

    def __init__(self) -> None:
        self.found: dict[str, list[Hook]] = {}
        self.secrets: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.failing: dict[tuple[str, str], HeroError] = {}
        self._last = 0

    async def hooks(self, repo: str) -> tuple[Hook, ...]:
        self._may("hooks", repo)
        return tuple(self.found.get(repo, ()))

    async def create_hook(self, repo: str, url: str, secret: str) -> Hook:
        self._may("create", repo)
        self.calls.append(("create", repo))
        return self.add(repo, url, secret)

    async def delete_hook(self, repo: str, hook_id: str) -> None:
        self._may("delete", repo)
        self.calls.append(("delete", repo))
        self.found[repo] = [hook for hook in self.found[repo] if hook.id != hook_id]

    def add(self, repo: str, url: str, secret: str = "theirs") -> Hook:
        """A hook that somebody makes."""
        self._last += 1
        hook = Hook(str(self._last), url, EVENTS, True)
        self.found.setdefault(repo, []).append(hook)
        self.secrets[hook.id] = secret
        return hook

    def change(self, repo: str, *, active: bool = True, url: str = "", events: tuple[str, ...] = EVENTS) -> None:
        """Somebody edits the only hook of `repo`."""
        (hook,) = self.found[repo]
        self.found[repo] = [replace(hook, active=active, url=url or hook.url, events=events)]

    def _may(self, call: str, repo: str) -> None:
        if error := self.failing.get((call, repo)):
            raise error
