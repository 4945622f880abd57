"""Fresh machines with systemd as PID 1, real users and an address of their own, for tests."""

from __future__ import annotations

from tests.lab.host import LabError
from tests.lab.labs import Lab, open_lab
from tests.lab.machine import Machine

__all__ = ["Lab", "LabError", "Machine", "open_lab"]
