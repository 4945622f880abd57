"""The fixtures of the box's tests, for these too."""

from __future__ import annotations

from tests.backends.box.conftest import box as box
