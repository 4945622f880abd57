"""The verbs that leave the versions as they are: start, stop, restart, unbind, sync."""

from __future__ import annotations

import asyncio
from typing import Any

from backends.model.errors import HeroError
from backends.model.manifest_edit import remove_binding, remove_state
from backends.model.service import start_order
from backends.slot.context import SlotContext
from backends.slot.failures import raise_failures
from backends.slot.files import remove_file
from backends.slot.operations import Progress
from backends.slot.switching import find_target, run_binding

Result = dict[str, Any]
Failures = list[tuple[str, HeroError]]


async def start(slot: SlotContext, names: tuple[str, ...], progress: Progress, *, again: bool = False) -> Result:
    """Start services in the order of `depends_on`, installing what is missing; `again` restarts what runs."""
    chosen = [slot.bound(name) for name in names] or [one for one in slot.bindings() if one.enabled]
    slot.operations.hold([one.service for one in chosen], progress.id)
    failed: Failures = []
    ready: list[str] = []
    for number, binding in enumerate(chosen):
        try:
            if slot.installs.current(binding.service) is None:
                progress.tell(f"install {binding.service}", number, len(chosen))
                await run_binding(slot, binding, await find_target(slot, binding), progress, start=False)
            ready.append(binding.service)
        except HeroError as error:
            failed.append((binding.service, error))
    progress.tell("start", 0, len(ready))
    started = await _start_in_order(slot, ready, failed, progress, again=again)
    raise_failures("started", failed, len(chosen))
    return {"started": started, "nothing_to_do": not started}


async def stop(slot: SlotContext, names: tuple[str, ...], progress: Progress) -> Result:
    """Stop services, each before those that it depends on."""
    chosen = [slot.bound(name).service for name in names] or [one.service for one in slot.bindings()]
    slot.operations.hold(chosen, progress.id)
    order = list(reversed(start_order({name: slot.depends_on(name) for name in chosen})))
    stopped = []
    for number, name in enumerate(order):
        progress.tell(f"stop {name}", number, len(order))
        if await slot.services.running(name):
            await slot.services.stop(name)
            stopped.append(name)
    return {"stopped": stopped, "nothing_to_do": not stopped}


async def unbind(slot: SlotContext, service: str, progress: Progress) -> Result:
    """Stop the service and drop its binding and state; its worktrees and its data stay."""
    slot.bound(service)
    slot.require_good_manifest()
    progress.tell("stop")
    await slot.services.remove(service)
    progress.commit()
    manifest = await slot.manifest.edit(
        lambda text: remove_state(text, service), lambda text: remove_binding(text, service)
    )
    remove_file(slot.paths.current(service))
    slot.reload(manifest)
    return {"service": service}


async def sync(slot: SlotContext, progress: Progress) -> Result:
    """Fetch the repositories of all bindings and make sure that worktrees of builds exist; touches no work."""
    bindings = slot.bindings()
    repos = sorted({slot.repo_of(one) for one in bindings} - {""})
    failed: Failures = []
    for number, repo in enumerate(repos):
        progress.tell(f"fetch {repo}", number, len(repos))
        try:
            await slot.worktrees.fetch(repo)
        except HeroError as error:
            failed.append((repo, error))
    made = []
    for binding in (one for one in bindings if one.source == "build"):
        try:
            tree = await slot.worktrees.ensure(binding.service, slot.repo_of(binding), binding.branch)
            made.append(str(tree.path))
        except HeroError as error:
            failed.append((binding.service, error))
    slot.refresher.soon()
    raise_failures("synced", failed, len(bindings))
    return {"fetched": repos, "worktrees": made}


async def _start_in_order(
    slot: SlotContext, names: list[str], failed: Failures, progress: Progress, *, again: bool
) -> list[str]:
    """Start all at once, each after what it depends on is healthy; names what was started."""
    needs = {name: slot.depends_on(name) for name in names}
    order = start_order(needs)
    done = {name: asyncio.Event() for name in order}
    started: list[str] = []

    async def one(name: str) -> None:
        try:
            for needed in needs[name]:
                if needed in done:
                    await done[needed].wait()
                if any(needed == bad for bad, _ in failed):
                    raise HeroError("failed", f"{name} needs {needed}, which did not start.")
            if await _start_one(slot, name, again=again):
                started.append(name)
        except HeroError as error:
            failed.append((name, error))
        finally:
            done[name].set()
            slot.operations.release(name, progress.id)
            progress.tell("start", sum(event.is_set() for event in done.values()), len(done))

    async with asyncio.TaskGroup() as group:
        for name in order:
            group.create_task(one(name), name=f"start-{name}")
    return started


async def _start_one(slot: SlotContext, name: str, *, again: bool) -> bool:
    if not again and await slot.services.running(name):
        return False
    await slot.services.start(name)
    checked = await slot.services.healthy(name)
    if checked.ok:
        return True
    raise HeroError(
        "unhealthy",
        f"{name} did not get healthy: {checked.detail}.",
        hint=f"`hero_dev logs {name}` shows what it said.",
    )
