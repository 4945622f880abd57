"""What an action would do, told before it is done; nothing is changed here."""

from __future__ import annotations

from backends.model.manifest import Binding
from backends.model.plan import Plan, PlanStep
from backends.model.service import start_order
from backends.model.slot_calls import BindParams, PlanParams, SwitchParams
from backends.slot.context import SlotContext
from backends.slot.sources import Target
from backends.slot.switching import bind_asked, find_target, resolve


async def plan(slot: SlotContext, params: PlanParams) -> Plan:
    """The plan of a switch, bind, unbind, rebuild, pull, start, stop or restart. Raises HeroError as it would."""
    match params.action:
        case "switch":
            asked = SwitchParams.model_validate(params.model_dump(include=set(SwitchParams.model_fields)))
            return await plan_of_version(slot, params, *await resolve(slot, asked))
        case "bind":
            asked_bind = BindParams(
                service=params.service,
                branch=params.branch,
                source=params.source or "release",
                hash=params.hash,
            )
            binding = bind_asked(slot, asked_bind)
            return await plan_of_version(slot, params, binding, await find_target(slot, binding))
        case "rebuild":
            binding = slot.bound(params.service).model_copy(update={"source": "build", "hash": None})
            return await plan_of_version(slot, params, binding, None)
        case "pull":
            binding = slot.bound(params.service)
            return await plan_of_version(slot, params, binding, await find_target(slot, binding))
        case "unbind":
            return _of_unbind(slot, params.service)
        case _:
            return await _of_running(slot, params)


async def plan_of_version(slot: SlotContext, params: PlanParams, binding: Binding, target: Target | None) -> Plan:
    """What running `target` for `binding` would do; without one it is compiled. Raises HeroError."""
    service = binding.service
    there = slot.installs.find(service, sha256=target.sha256) if target else None
    runs = bool(target and slot.runs(target) and await slot.services.running(service))
    same_binding = slot.binding(service) == binding
    cached = there is not None or await _is_cached(slot, target)
    steps = _steps(slot, binding, target, installed=there is not None, cached=cached)
    if runs:
        steps = () if same_binding else (PlanStep(action="bind", subject=service, detail="the manifest only"),)
    if (params.publish or binding.publish) and target is None:
        steps += (PlanStep(action="publish", subject=f"{service} {binding.branch}"),)
    return Plan(
        action=params.action,
        service=service,
        branch=binding.branch,
        source=binding.source,
        commit=target.version if target else await _commit_to_build(slot, binding),
        tag=target.tag if target else "",
        sha256=target.sha256 if target else "",
        size=target.archive.size if target and target.archive else None,
        cached=cached,
        installed=there is not None,
        compiles=target is None,
        restarts=() if runs or not binding.enabled else (service,),
        warnings=await _warnings(slot, binding, target),
        steps=steps,
        nothing_to_do=runs and same_binding,
    )


def _steps(
    slot: SlotContext, binding: Binding, target: Target | None, *, installed: bool, cached: bool
) -> tuple[PlanStep, ...]:
    service = binding.service
    steps = []
    if target is None:
        worktree = slot.paths.worktree(service, binding.branch)
        steps.append(PlanStep(action="build", subject=f"{service} {binding.branch}", detail=str(worktree)))
    elif not cached and target.archive:
        detail = f"{target.archive.size} bytes"
        steps.append(PlanStep(action="download", subject=target.archive.name, detail=detail))
    if not installed:
        name = target.tag or target.version[:8] if target else "the build"
        steps.append(PlanStep(action="install", subject=name, detail="verified before it is unpacked"))
    current = slot.installs.current(service)
    before = f"instead of {current.tag or current.version[:8]}" if current else "nothing runs now"
    steps.append(PlanStep(action="swap", subject=service, detail=before))
    if binding.enabled:
        steps.append(PlanStep(action="restart", subject=service, detail="then its health check must pass"))
    return tuple(steps)


async def _is_cached(slot: SlotContext, target: Target | None) -> bool:
    return target is not None and await slot.installs.cached(target.sha256)


async def _commit_to_build(slot: SlotContext, binding: Binding) -> str:
    state = await slot.worktrees.state(binding.service, binding.branch)
    if state.exists and state.commit:
        return state.commit
    return (await slot.forge.branch(slot.repo_of(binding), binding.branch)).commit


async def _warnings(slot: SlotContext, binding: Binding, target: Target | None) -> tuple[str, ...]:
    found = []
    if problem := slot.manifest.load().problem:
        found.append(f"The manifest does not parse, so nothing can be changed: {problem.message}")
    if busy := slot.operations.running_on(binding.service):
        found.append(f"{busy.title} is running ({busy.phase}).")
    state = await slot.worktrees.state(binding.service, binding.branch)
    if target is None and state.exists and state.dirty:
        found.append("The worktree has uncommitted changes; they are built, and cannot be published.")
    if target is not None and state.exists and (state.dirty or state.ahead):
        found.append("Your worktree of this branch has work that the release does not have; it stays untouched.")
    return tuple(found)


def _of_unbind(slot: SlotContext, service: str) -> Plan:
    slot.bound(service)
    steps = (
        PlanStep(action="stop", subject=service),
        PlanStep(action="unbind", subject=service, detail="worktrees and data stay"),
    )
    needed = [name for name in slot.board.services() if service in slot.depends_on(name)]
    warnings = (f"{', '.join(needed)} depends on it.",) if needed else ()
    return Plan(action="unbind", service=service, steps=steps, warnings=warnings)


async def _of_running(slot: SlotContext, params: PlanParams) -> Plan:
    """start, stop, restart: one service, or with an empty name the whole slot."""
    chosen = [slot.bound(params.service)] if params.service else [one for one in slot.bindings() if one.enabled]
    order = start_order({one.service: slot.depends_on(one.service) for one in chosen})
    if params.action == "stop":
        order.reverse()
    steps: list[PlanStep] = []
    for name in order:
        running = await slot.services.running(name)
        if params.action == "stop" and running:
            steps.append(PlanStep(action="stop", subject=name))
        elif params.action != "stop" and (params.action == "restart" or not running):
            if slot.installs.current(name) is None:
                steps.append(PlanStep(action="install", subject=name))
            steps.append(PlanStep(action="restart", subject=name))
    return Plan(
        action=params.action,
        service=params.service,
        restarts=tuple(step.subject for step in steps if step.action == "restart"),
        steps=tuple(steps),
        nothing_to_do=not steps,
    )
