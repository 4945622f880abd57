"""The units that are installed: what none of them may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy import setup

UNITS = Path(setup.__file__).resolve().parents[1] / "systemd"

NAMESPACED = (
    *("PrivateUsers", "PrivateTmp", "PrivateDevices", "PrivateNetwork", "PrivateIPC", "PrivateMounts"),
    *("ProtectSystem", "ProtectHome", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs"),
    *("ProtectControlGroups", "ProtectClock", "ProtectHostname", "ProtectProc", "ProcSubset", "MountAPIVFS"),
    *("ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "TemporaryFileSystem"),
    *("BindPaths", "BindReadOnlyPaths", "RootDirectory", "RootImage", "CapabilityBoundingSet"),
)
"""What a user's manager can do in a user namespace only, and from systemd 254 on makes one for unasked."""


def settings(unit: str) -> dict[str, str]:
    lines = [line.partition("=") for line in (UNITS / unit).read_text().splitlines() if not line.startswith("#")]
    return {name: value for name, sign, value in lines if sign}


def test_a_slots_daemon_is_in_no_user_namespace_where_it_would_not_see_its_users_processes() -> None:
    assert [name for name in settings("hero_slotd.service") if name in NAMESPACED] == []


@pytest.mark.parametrize("unit", ["hero_boxd", "hero_aibroker", "hero_router", "hero_webd"])
def test_the_boxes_own_daemons_get_nothing_that_they_do_not_need(unit: str) -> None:
    found = settings(f"{unit}.service")
    assert found["ProtectSystem"] == "strict"
    assert found["NoNewPrivileges"] == "yes"
