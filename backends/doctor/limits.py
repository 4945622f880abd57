"""Limits that somebody set and nobody keeps: a service's memory, and what all of a user's processes may take."""

from __future__ import annotations

import pwd
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from backends.doctor.asking import ask, in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, listed, passed_over, well
from backends.doctor.systemctl import manager_environment, parse_show
from backends.model.paths import SlotPaths
from backends.model.team_files import Limits, TeamConfig

_WHY = "A service that leaks takes the memory of everybody's."
_FILE_LIMIT = 128 * 1024
_PROPERTIES = {"memory": "MemoryMax", "cpu": "CPUQuotaPerSecUSec", "tasks": "TasksMax"}


def services_with_limits(slot: SlotPaths) -> list[str]:
    """The services whose running version asks for `memory_max`."""
    return [link.name for link in sorted(slot.bin.glob("*")) if _asks_for_memory(link / "hero_service.toml")]


def _asks_for_memory(file: Path) -> bool:
    try:
        with file.open("rb") as content:
            run = tomllib.loads(content.read(_FILE_LIMIT).decode()).get("run", {})
    except (OSError, ValueError):
        return False
    return isinstance(run, dict) and "memory_max" in run


def not_in_force(limits: Limits, slice_: Mapping[str, str]) -> list[str]:
    """Which of `limits` the properties of the user's slice do not have, by their names in the team repo."""
    wanted = {"memory": limits.memory, "cpu": limits.cpu, "tasks": limits.tasks}
    return [name for name, value in wanted.items() if value is not None and not _holds(name, value, slice_)]


def _holds(name: str, value: int | str, slice_: Mapping[str, str]) -> bool:
    told = slice_.get(_PROPERTIES[name], "")
    if name == "cpu":
        return told not in ("", "infinity")
    return told == str(value)


async def _services(context: Context) -> Sequence[Found]:
    asking = await in_thread(lambda: services_with_limits(context.slot))
    if not asking:
        return [passed_over("no service of this slot asks for a limit of memory")]
    why = await _why_not(context)
    if not why:
        return [well(f"{listed(asking)}: the limit of memory is kept.")]
    what = f"{listed(asking)}: the limit of memory is not kept: {why}."
    return [
        Found("warn", what, _WHY, "a machine with cgroup v2 alone keeps it (systemd.unified_cgroup_hierarchy=1)")
    ]


async def _why_not(context: Context) -> str:
    if not context.system:
        return "a rootless box has no rights over control groups"
    from backends.supervisors.systemd_memory import why_no_memory_limit

    answer = await ask("systemctl", "--user", "show", "--property=ControlGroup", env=manager_environment(context))
    told = next(iter(parse_show(answer.out)), {})
    return why_no_memory_limit(told.get("ControlGroup", ""), context.machine.cgroups)


async def _users(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over("all slots of a rootless box are one user's")]
    wanted = await in_thread(lambda: _wanted(context))
    if not wanted:
        return [passed_over("the team repo limits nobody")]
    slices = [f"user-{uid}.slice" for uid in wanted]
    names = f"--property=Id,{','.join(_PROPERTIES.values())}"
    answer = await ask("systemctl", "show", names, "--", *slices, env=context.environment)
    shown = {block.get("Id", ""): block for block in parse_show(answer.out)}
    found = []
    for uid, (user, limits) in wanted.items():
        missing = not_in_force(limits, shown.get(f"user-{uid}.slice", {}))
        if missing:
            what = f"{user}'s limits of {listed(missing)} are not in force."
            found.append(Found("bad", what, _WHY, f"{context.as_root}hero_dev team apply"))
    if not found and not _kernel_can(context.machine.cgroups):
        return [
            Found("warn", "This kernel does not count memory by user.", _WHY, "boot it with cgroup_enable=memory")
        ]
    return found or [well(f"The limits of {len(wanted)} users are in force.")]


def _wanted(context: Context) -> dict[int, tuple[str, Limits]]:
    """The limits of each user that is here, by uid."""
    general = context.team.team.limits if isinstance(context.team.team, TeamConfig) else Limits()
    uids = {one.pw_name: one.pw_uid for one in pwd.getpwall()}
    users = [(name, user.limits.over(general)) for name, user in context.team.users.items() if user.enabled]
    return {uids[name]: (name, limits) for name, limits in users if name in uids and limits != Limits()}


def _kernel_can(cgroups: Path) -> bool:
    try:
        return "memory" in (cgroups / "cgroup.controllers").read_text().split()
    except OSError:
        return (cgroups / "memory").is_dir()


CHECKS = (
    Check("limits.services", "limits of services", _services, scope="slot"),
    Check("limits.users", "limits of users", _users),
)
