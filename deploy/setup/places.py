"""Where everything of a system box lies (docs/operations.md)."""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
"""The checkout that the bootstrap runs from."""

OPT = Path("/opt/hero-team-box")
CURRENT = OPT / "current"
PYTHON = CURRENT / ".venv" / "bin" / "python"
ROOT = Path("/var/lib/hero")
LOG = Path("/var/log/hero")
BROKER = Path("/var/lib/hero-broker")
WEB = Path("/var/lib/hero-web")
RUN = Path("/run/hero")
SYSTEMD = Path("/etc/systemd/system")
PROGRAMS = ("hero_tui", "hero_dev", "hero_builder", "a")
