"""The verbs that change what a slot runs: switch, rebuild, pull, install, bind (steps in docs/architecture.md)."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from backends.failpoints import failpoint
from backends.model.errors import HeroError
from backends.model.manifest import Binding
from backends.model.manifest_edit import set_binding
from backends.model.release import split_tag
from backends.model.slot_calls import BindParams, InstallParams, SwitchParams
from backends.model.state import Source
from backends.slot.context import SlotContext
from backends.slot.failures import raise_failures
from backends.slot.installs import Installed
from backends.slot.making import Made, make_build
from backends.slot.operations import Progress
from backends.slot.sources import Target

Result = dict[str, Any]


async def switch(slot: SlotContext, params: SwitchParams, progress: Progress) -> Result:
    """Change the binding and run the result."""
    failpoint("switch.1.accepted")
    progress.tell("resolve")
    binding, target = await resolve(slot, params)
    return await run_binding(slot, binding, target, progress)


async def resolve(slot: SlotContext, params: SwitchParams) -> tuple[Binding, Target | None]:
    """The binding that a switch asks for, and its archive; None where it has to be compiled. Raises HeroError."""
    if params.back:
        return await _resolve_back(slot, params.service)
    binding = slot.asked_binding(params)
    return binding, await find_target(slot, binding)


async def find_target(slot: SlotContext, binding: Binding) -> Target | None:
    """The archive that answers `binding`; None for one that is compiled here. Raises HeroError."""
    repo = slot.repo_of(binding)
    if binding.source == "build":
        return None
    if binding.source == "release":
        return await slot.sources.newest(binding.service, repo, binding.branch)
    if there := slot.installs.find(binding.service, version=binding.hash or ""):
        return _installed_target(binding.service, there, "hash")
    return await slot.sources.pinned(binding.service, repo, binding.branch, binding.hash or "")


async def rebuild(slot: SlotContext, service: str, publish: bool, progress: Progress) -> Result:
    """Build the worktree of the bound branch and run it; a binding on releases becomes one on builds."""
    old = slot.bound(service)
    binding = old.model_copy(update={"source": "build", "hash": None})
    result = await run_binding(slot, binding, None, progress, publish=publish)
    if old.source != "build":
        result["note"] = f"{service} now runs builds of {binding.branch}; before it ran its {old.source}."
    return result


async def pull(slot: SlotContext, service: str | None, progress: Progress) -> Result:
    """The newest release of one release binding, or of each that is behind."""
    named = [slot.bound(service)] if service else [one for one in slot.bindings() if one.source == "release"]
    if service and named[0].source != "release":
        raise HeroError(
            "usage",
            f"{service} is bound from {named[0].source}, so there is nothing to pull.",
            hint=f"`hero_dev switch {service} {named[0].branch} --from release` binds it to releases.",
        )
    slot.operations.hold([one.service for one in named], progress.id)
    pulled: list[str] = []
    failed: list[tuple[str, HeroError]] = []
    for number, binding in enumerate(named):
        progress.tell(f"pull {binding.service}", number, len(named))
        try:
            result = await run_binding(slot, binding, await find_target(slot, binding), progress)
        except HeroError as error:
            failed.append((binding.service, error))
            continue
        finally:
            slot.operations.release(binding.service, progress.id)
        if not result.get("nothing_to_do"):
            pulled.append(binding.service)
    raise_failures("pulled", failed, len(named))
    return {"pulled": pulled, "nothing_to_do": not pulled}


async def install(slot: SlotContext, params: InstallParams, progress: Progress) -> Result:
    """A published archive, bound and run; works without a manifest. `reset` unpacks it afresh."""
    known = slot.binding(params.service)
    parts = split_tag(params.tag) if params.tag else None
    branch = params.branch or (parts[0] if parts else None) or (known.branch if known else slot.trunk)
    asked = SwitchParams(service=params.service, branch=branch, source="release")
    progress.tell("resolve")
    if params.tag:
        repo = slot.repo_of(slot.asked_binding(asked))
        pinned = await slot.sources.tagged(params.service, repo, params.tag, "hash")
        asked = asked.model_copy(update={"source": "hash", "hash": pinned.version})
    binding, target = await resolve(slot, asked)
    return await run_binding(slot, binding, target, progress, again=params.reset)


async def bind(slot: SlotContext, params: BindParams, progress: Progress) -> Result:
    """Add or change a binding and run it; one that is not enabled is installed only."""
    binding = bind_asked(slot, params)
    progress.tell("resolve")
    return await run_binding(slot, binding, await find_target(slot, binding), progress)


def bind_asked(slot: SlotContext, params: BindParams) -> Binding:
    """The binding that a bind asks for. Raises HeroError."""
    changes = params.model_dump(include={"repo", "auto_rebuild", "publish", "enabled"}, exclude_none=True)
    asked = SwitchParams(service=params.service, branch=params.branch, source=params.source, hash=params.hash)
    return slot.asked_binding(asked, changes)


async def run_binding(
    slot: SlotContext,
    binding: Binding,
    target: Target | None,
    progress: Progress,
    *,
    publish: bool = False,
    again: bool = False,
    start: bool = True,
) -> Result:
    """Fetch or build, install, deploy. Without a target it is compiled.

    `again`: even if it runs already; `start`: restart it on the new version. Raises HeroError.
    """
    slot.require_good_manifest()
    failpoint("switch.2.resolved")
    if target and not again and await runs_already(slot, binding, target):
        return await _change_binding_only(slot, binding, target)
    if target is not None:
        return await _put_in_force(slot, binding, target, progress, None, again=again, start=start)
    made = await make_build(slot, binding, progress, publish=publish)
    return {**await run_made(slot, binding, made, progress, again=again, start=start), **made.result}


async def run_made(
    slot: SlotContext, binding: Binding, made: Made, progress: Progress, *, again: bool = False, start: bool = True
) -> Result:
    """Install what was built for `binding`, and deploy it. Raises HeroError."""
    return await _put_in_force(slot, binding, made.target, progress, made, again=again, start=start)


async def _put_in_force(
    slot: SlotContext,
    binding: Binding,
    target: Target,
    progress: Progress,
    made: Made | None,
    *,
    again: bool,
    start: bool,
) -> Result:
    failpoint("switch.3.fetched")
    with made.course.phase("install") if made else nullcontext():
        built = made.archive if made else None
        installed = await slot.installs.install(target, progress, built=built, again=again)
    failpoint("switch.4.unpacked")
    with made.course.phase("restart") if made else nullcontext():
        deployed = await slot.deployer.deploy(binding, installed, progress, start=start and binding.enabled)
    before = deployed.before
    slot.chores.after_switch(binding.service, installed, before)
    slot.refresher.soon(binding.service)
    return {
        **_told(binding, target),
        "before": before.version if before else "",
        "compiled": made is not None,
    }


async def runs_already(slot: SlotContext, binding: Binding, target: Target) -> bool:
    if not slot.runs(target):
        return False
    return not binding.enabled or await slot.services.running(binding.service)


async def _change_binding_only(slot: SlotContext, binding: Binding, target: Target) -> Result:
    """The very archive runs already: the manifest may change, no process does."""
    same = slot.binding(binding.service) == binding
    if not same:
        slot.reload(await slot.manifest.edit(lambda text: set_binding(text, binding)))
        slot.refresher.soon(binding.service)
    note = f"{target.tag or target.version[:8]} runs already."
    return {**_told(binding, target), "nothing_to_do": same, "note": note}


def _told(binding: Binding, target: Target) -> Result:
    return {
        "service": binding.service,
        "branch": binding.branch,
        "from": binding.source,
        "hash": target.version,
        "tag": target.tag,
    }


async def _resolve_back(slot: SlotContext, service: str) -> tuple[Binding, Target | None]:
    binding = slot.bound(service)
    facts = slot.board.facts(service)
    state = facts.installed if facts else None
    if state is None or not state.previous:
        raise HeroError(
            "not_found",
            f"{service} has no earlier version to go back to.",
            hint=f"`hero_dev releases {service}` lists what it can be switched to.",
        )
    source = state.previous_source or "hash"
    branch = state.previous_branch or binding.branch
    pinned = state.previous if source == "hash" else None
    back = binding.model_copy(update={"branch": branch, "source": source, "hash": pinned})
    if there := slot.installs.find(service, sha256=state.previous_sha256 or ""):
        return back, _installed_target(service, there, there.source)
    if state.previous_tag:
        return back, await slot.sources.tagged(service, slot.repo_of(back), state.previous_tag)
    raise HeroError(
        "not_found",
        f"The earlier version of {service}, {state.previous[:8]}, was a build that is no longer on disk.",
        hint=f"`hero_dev switch {service} {branch} --from build` makes it again.",
    )


def _installed_target(service: str, there: Installed, source: Source) -> Target:
    return Target(service, there.repo, there.branch, source, there.version, there.sha256, there.tag)
