"""What an agent's action would do to its slot, in words, and in facts by which an approval is bound to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from backends.model.errors import HeroError
from backends.model.manifest import Binding
from backends.model.plan import Plan
from backends.model.slot_calls import PlanParams, RebuildParams, SwitchParams
from backends.slot.context import SlotContext
from backends.slot.operations import Progress
from backends.slot.planning import plan_of_version
from backends.slot.sources import Target
from backends.slot.switching import rebuild, resolve, run_binding, switch
from backends.slot.worktree_content import uncommitted

Asked = SwitchParams | RebuildParams
Result = dict[str, Any]

_SHORT = 12
"""Characters of a digest that people are shown."""


@dataclass(frozen=True)
class Outlook:
    """What would be done now. Where one of `facts` (in words for people, by name) differs, it is another thing."""

    plan: Plan
    facts: Mapping[str, str]
    binding: Binding
    target: Target | None


def asked_of(action: str, given: Mapping[str, Any]) -> Asked:
    """The parameters of `action`. Raises HeroError `usage`."""
    try:
        if action == "slot.switch":
            return SwitchParams.model_validate(given)
        return RebuildParams(service=given.get("service", ""))
    except ValidationError as error:
        raise HeroError("usage", f"{action} does not take this: {error.errors()[0]['msg']}.") from error


def title_of(asked: Asked) -> str:
    """What is asked, in a line."""
    if isinstance(asked, RebuildParams):
        return f"rebuild {asked.service}"
    what = "--back" if asked.back else asked.branch or asked.hash or asked.source or ""
    return f"switch {asked.service} {what}".strip()


async def look(slot: SlotContext, asked: Asked) -> Outlook:
    """What `asked` would do at this moment. Raises HeroError as doing it would."""
    if isinstance(asked, RebuildParams):
        bound = slot.bound(asked.service)
        binding, target = bound.model_copy(update={"source": "build", "hash": None}), None
        params = PlanParams(action="rebuild", service=asked.service)
    else:
        binding, target = await resolve(slot, asked)
        params = PlanParams(action="switch", service=asked.service)
    plan = await plan_of_version(slot, params, binding, target)
    return Outlook(plan, await _facts(slot, plan, binding), binding, target)


async def do_at_once(slot: SlotContext, asked: Asked, progress: Progress) -> Result:
    """Do what is asked, whatever that is by now. Raises HeroError."""
    if isinstance(asked, RebuildParams):
        return await rebuild(slot, asked.service, False, progress)
    return await switch(slot, asked, progress)


async def do_exactly(slot: SlotContext, asked: Asked, facts: Mapping[str, str], progress: Progress) -> Result:
    """Do what `facts` were told of, and nothing else. Raises HeroError, `conflict` where it has changed."""
    progress.tell("resolve")
    outlook = await look(slot, asked)
    if outlook.facts != facts:
        changes = differences(facts, outlook.facts)
        raise HeroError(
            "conflict",
            f"What this would do has changed since it was proposed ({changes}). Nothing was done.",
            hint="Look at the plan again, and propose it anew if it is still wanted.",
        )
    if isinstance(asked, RebuildParams):
        return await rebuild(slot, asked.service, False, progress)
    return await run_binding(slot, outlook.binding, outlook.target, progress)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What differs, in a line."""
    names = [name for name in {**before, **after} if before.get(name, "") != after.get(name, "")]
    return "; ".join(f"{name}: {_shown(before, name)}, now {_shown(after, name)}" for name in names)


def in_words(title: str, outlook: Outlook) -> str:
    """The whole plan as whoever decides reads it; its first line says what it is."""
    plan, facts = outlook.plan, outlook.facts
    lines = [title, ""]
    lines += [f"{name}: {_shown(facts, name)}" for name in facts if facts[name]]
    lines.append("")
    for number, step in enumerate(plan.steps, 1):
        detail = f" ({step.detail})" if step.detail else ""
        lines.append(f"{number}. {step.action} {step.subject}{detail}")
    lines += [f"! {warning}" for warning in plan.warnings]
    return "\n".join(lines)


async def _facts(slot: SlotContext, plan: Plan, binding: Binding) -> dict[str, str]:
    known = slot.binding(binding.service)
    current = slot.installs.current(binding.service)
    work = await slot.worktrees.state(binding.service, binding.branch)
    return {
        "branch": binding.branch,
        "from": binding.source,
        "commit": plan.commit,
        "release": plan.tag,
        "sha256": plan.sha256,
        "uncommitted work": await uncommitted(work.path) if plan.compiles and work.exists else "",
        "bound now": f"{known.branch} from {known.source}" if known else "nothing",
        "runs now": (current.tag or current.version) if current else "nothing",
        "restarts": ", ".join(plan.restarts) or "nothing",
        "publishes": "yes" if any(step.action == "publish" for step in plan.steps) else "",
        "nothing to do": "yes" if plan.nothing_to_do else "",
    }


def _shown(facts: Mapping[str, str], name: str) -> str:
    value = facts.get(name, "") or "none"
    is_digest = name in ("commit", "sha256", "uncommitted work", "runs now") and len(value) in (40, 64)
    return value[:_SHORT] if is_digest else value
