"""The webhooks on the forge: which are ours, whether they are as they should be, how their secrets change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

from backends.box.edge import hookrows
from backends.box.edge.hookrows import Made
from backends.box.edge.inbox import Inbox
from backends.box.edge.secrets import HookSecrets
from backends.database import Database
from backends.forge.base import Forge, Hook
from backends.model.errors import HeroError
from backends.model.forge import HookState
from backends.model.names import check_repo
from backends.model.text import safe_line

HOOKS_PATH = "/hooks/forge"

AT_ONCE = 4
"""Repositories that the forge is asked for at the same time."""

NEEDED = frozenset({"push", "release"})
"""Events without which a hook is of no use; those of branches only come sooner than the push."""

State = Literal["installed", "missing", "outdated", "inactive"]


@dataclass(frozen=True, slots=True)
class _Found:
    """Our hooks of one repository and what is to be said of them; `good` is the one that may stay."""

    ours: tuple[Hook, ...]
    good: Hook | None
    state: State
    detail: str = ""


class Hooks:
    """Our hooks on `forge`. What was made when is kept in `database`."""

    def __init__(
        self,
        forge: Forge,
        secrets: HookSecrets,
        database: Database,
        inbox: Inbox,
        *,
        now: Callable[[], float] = time.time,
    ):
        self._forge = forge
        self._secrets = secrets
        self._database = database
        self._database.add_schema(hookrows.create)
        self._inbox = inbox
        self._now = now
        self._installing = asyncio.Lock()

    async def status(self, repos: Iterable[str], url: str) -> tuple[HookState, ...]:
        """How the hook of each of `repos` stands that should call `url`; what fails for one is its `detail`."""
        return await self._each(repos, url, self._status)

    async def install(self, repos: Iterable[str], url: str, rotate: bool) -> tuple[HookState, ...]:
        """Have each of `repos` one hook that calls `url`; with `rotate`, one with a new secret. Where all is as it
        should be, nothing is changed. What fails for one is its `detail`."""
        async with self._installing:
            return await self._each(repos, url, partial(self._install, rotate=rotate))

    async def _each(
        self,
        repos: Iterable[str],
        url: str,
        work: Callable[[str, str, Sequence[Made]], Coroutine[Any, Any, HookState]],
    ) -> tuple[HookState, ...]:
        room = asyncio.Semaphore(AT_ONCE)
        made = await self._database.run(hookrows.select)
        seen = await self._inbox.last_seen()

        async def one(repo: str) -> HookState:
            async with room:
                state = await self._told(repo, url, partial(work, repo, url, made.get(repo, ())))
            return state.model_copy(update={"last_seen": _moment(seen.get(repo))})

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(repo), name=f"hooks {repo}") for repo in dict.fromkeys(repos)]
        return tuple(task.result() for task in tasks)

    async def _told(self, repo: str, url: str, work: Callable[[], Coroutine[Any, Any, HookState]]) -> HookState:
        try:
            check_repo(repo)
            return await work()
        except HeroError as error:
            detail = safe_line(f"{error.message} {error.hint}".strip(), 500)
            return HookState(repo=repo, state="error", url=url, detail=detail)

    async def _status(self, repo: str, url: str, made: Sequence[Made]) -> HookState:
        hooks = await self._hooks(repo)
        if hooks is None:
            return _not_needed(repo)
        found = self._judge(repo, check_hook_url(url), hooks, made)
        return self._state(repo, url, found.state, found.detail)

    async def _install(self, repo: str, url: str, made: Sequence[Made], *, rotate: bool) -> HookState:
        hooks = await self._hooks(repo)
        if hooks is None:
            return _not_needed(repo)
        found = self._judge(repo, check_hook_url(url), hooks, made)
        if found.state == "installed" and not rotate:
            return self._state(repo, url, "installed")
        stays = None if rotate else found.good
        if stays is None:
            await self._create(repo, url, rotate)
        # Only now, so that at no moment there is none.
        await self._remove(repo, [hook for hook in found.ours if hook != stays])
        return self._state(repo, url, "installed")

    async def _hooks(self, repo: str) -> tuple[Hook, ...] | None:
        """What the forge has; None where it knows no hooks."""
        try:
            return await self._forge.hooks(repo)
        except HeroError as error:
            if error.code == "usage":
                return None
            raise

    def _judge(self, repo: str, url: str, hooks: Sequence[Hook], made: Sequence[Made]) -> _Found:
        known = {each.hook_id: each for each in made}
        ours = tuple(hook for hook in hooks if _is_ours(hook, url, known.get(hook.id)))
        if not ours:
            return _Found((), None, "missing", "The forge has no webhook of this box.")
        faults = {hook.id: self._fault(repo, url, hook, known.get(hook.id)) for hook in ours}
        good = next((hook for hook in ours if faults[hook.id] is None), None)
        if good is None:
            state, detail = next(fault for fault in faults.values() if fault is not None)
            return _Found(ours, None, state, detail)
        if len(ours) > 1:
            return _Found(ours, good, "outdated", "An older webhook of this box is there besides.")
        return _Found(ours, good, "installed")

    def _fault(self, repo: str, url: str, hook: Hook, made: Made | None) -> tuple[State, str] | None:
        """What is wrong with a hook of ours; each of it is mended by a new one."""
        if not hook.active:
            return "inactive", "The forge does not call it."
        if hook.url != url:
            return "outdated", f"It calls {safe_line(hook.url, 200)}."
        if not set(hook.events) >= NEEDED:
            return "outdated", f"It does not tell of {' and '.join(sorted(NEEDED - set(hook.events)))}."
        if made is None or made.key_mark != self._secrets.mark:
            return "outdated", "Its secret is not known to this box."
        if made.generation != self._secrets.generation(repo).number:
            return "outdated", "Its secret was replaced."
        return None

    async def _create(self, repo: str, url: str, rotate: bool) -> None:
        standing = self._secrets.generation(repo)
        # One that was begun may be known to the forge already, so it is the one to go on with.
        renew = rotate or standing.pending
        number = await self._secrets.begin_rotation(repo) if renew else standing.number
        hook = await self._forge.create_hook(repo, url, self._secrets.secret(repo, number))
        if renew:
            await self._secrets.end_rotation(repo, self._now())
        made = Made(hook.id, hook.url, number, self._secrets.mark, self._now())
        await self._database.run(partial(hookrows.insert, repo=repo, made=made))

    async def _remove(self, repo: str, hooks: Sequence[Hook]) -> None:
        for hook in hooks:
            await self._forge.delete_hook(repo, hook.id)
            await self._database.run(partial(hookrows.delete, repo=repo, hook_id=hook.id))

    def _state(self, repo: str, url: str, state: State, detail: str = "") -> HookState:
        rotated = self._secrets.rotated_at(repo)
        return HookState(repo=repo, state=state, url=url, detail=detail, rotated_at=rotated)


def hook_url(address: str) -> str:
    """What the forge is told to call: `address`, with the path of the hooks where it has none."""
    parts = urlsplit(address)
    return address if parts.path not in ("", "/") or not address else f"{address.rstrip('/')}{HOOKS_PATH}"


def check_hook_url(url: str) -> str:
    """`url` if a forge can be told to call it. Raises HeroError `usage`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HeroError(
            "usage",
            "It is not known where the forge reaches this box.",
            hint="Set [edge].url of box.toml, or name it: `hero_dev hooks install --url https://…`.",
        )
    if parts.username is not None or parts.password is not None:
        raise HeroError("usage", "A webhook's address may hold no user or password.")
    return url


def _is_ours(hook: Hook, url: str, made: Made | None) -> bool:
    """One that calls us, or that we made for an address of before; not one that somebody gave another purpose."""
    if hook.url == url:
        return True
    return made is not None and (hook.url == made.url or urlsplit(hook.url).path == HOOKS_PATH)


def _not_needed(repo: str) -> HookState:
    return HookState(repo=repo, state="not_needed", detail="This forge tells the box of changes by itself.")


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
