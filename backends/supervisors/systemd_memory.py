"""Whether a user's systemd can keep memory limits here, and if not, why, for the person who set one."""

from __future__ import annotations

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def why_no_memory_limit(control_group: str, cgroups: Path = CGROUPS) -> str:
    """Empty if `MemoryMax` is enforced for units of the manager in `control_group` (its D-Bus property).

    On a machine with cgroup v2 alone the controller must have been delegated to the manager; where v1 carries
    the memory controller, the manager's folder in it must be the user's to write.
    """
    if not control_group.startswith("/") or ".." in control_group.split("/"):
        return "the user manager does not tell its control group"
    own = control_group.strip("/")
    if (cgroups / "cgroup.controllers").exists():
        return _on_v2(cgroups / own)
    first_version = cgroups / "memory" / own
    if first_version.is_dir() and os.access(first_version, os.W_OK):
        return ""
    return "this machine has the memory controller in cgroup v1, which systemd hands to no user"


def _on_v2(group: Path) -> str:
    try:
        controllers = (group / "cgroup.controllers").read_text().split()
    except OSError:
        return f"the control group {group} cannot be read"
    if "memory" in controllers:
        return ""
    return "the memory controller is not delegated to the user manager (`Delegate=memory` of user@.service)"
