"""The texts that the reconciler writes into a machine: keys, a user's tmpfiles, a user's limits."""

from __future__ import annotations

import hashlib
import json

from backends.model.ssh_keys import parse_ssh_key
from backends.model.team_files import Limits
from backends.system_box import ROUTER_GROUP, SLOTS_RUN

_HEADER = "# Written by hero_team_sync; it is written again when somebody changes it.\n"


def render_keys(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Public keys as lines of authorized_keys: type, key and comment, without anything else."""
    parsed = [parse_ssh_key(line) for line in lines]
    return tuple(f"{key.line} {key.comment}".strip() for key in parsed)


def keys_digest(lines: tuple[str, ...], strict: bool) -> str:
    """What tells one block of keys, and the policy about others, from another; "" for no keys and no policy."""
    if not lines and not strict:
        return ""
    return hashlib.sha256(json.dumps([lines, strict]).encode()).hexdigest()


def render_sockets(login: str, router: bool) -> str:
    """The tmpfiles.d text of the user's folder for sockets, which the `router` may enter and nobody else."""
    folder = SLOTS_RUN / login
    # 0710: a `d` line sets the mode again at each boot, and 0700 would empty the mask of the entries below.
    text = f"{_HEADER}d {folder} 0710 {login} {login} -\n"
    if router:
        # Entries by name, which new sockets inherit: they outlive what the user does with chmod and umask.
        text += f"a+ {folder} - - - - u:{ROUTER_GROUP}:--x,d:u:{ROUTER_GROUP}:rwx\n"
    return text


def slice_settings(limits: Limits) -> dict[str, str]:
    """The properties of user-UID.slice that `limits` set; empty for none."""
    settings = {}
    if limits.memory is not None:
        settings["MemoryMax"] = str(limits.memory)
    if limits.cpu is not None:
        settings["CPUQuota"] = limits.cpu
    if limits.tasks is not None:
        settings["TasksMax"] = str(limits.tasks)
    return settings


def render_limits(limits: Limits) -> str:
    """The drop-in of user-UID.slice; "" where nothing is limited."""
    settings = slice_settings(limits)
    if not settings:
        return ""
    return _HEADER + "[Slice]\n" + "".join(f"{name}={value}\n" for name, value in settings.items())
