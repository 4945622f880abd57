"""Fixtures for tests in machines: a module that imports `lab` and `machine` has both for all of its tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import requirements
from tests.lab.labs import Lab, open_lab
from tests.lab.machine import Machine


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """An empty lab; the module is left out, with the reason, where no machine can be booted."""
    if reason := requirements.why_not():
        pytest.skip(reason)
    with open_lab() as opened:
        yield opened


@pytest.fixture(scope="module")
def machine(lab: Lab) -> Machine:
    """One machine with what the bootstrap installs."""
    return lab.machine("box")
