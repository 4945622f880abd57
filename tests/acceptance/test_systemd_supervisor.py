"""The supervisor port's contract on a real `systemd --user`: its tests, run by an ordinary user in a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.fixtures import lab
from tests.lab.labs import Lab
from tests.lab.machine import Machine

__all__ = ["lab"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "dev.lock"
TESTS = ["tests/backends/supervisors/test_systemd.py", "tests/backends/supervisors/test_systemd_restart.py"]
# The checkout is read-only in there, and tests write beside themselves. What root's Python compiled beside the
# sources with a tight umask is not alice's to read, and she compiles her own.
RUN = r"""
set -euo pipefail
mkdir ~/checkout; cd /srv/hero
tar -c --exclude=__pycache__ \
    backends hero_tui screens styles deploy tests benchmarks pyproject.toml .importlinter | tar -x -C ~/checkout
cd ~/checkout
exec /opt/venv/bin/python -m pytest -q -p no:cacheprovider --timeout 120 -rs "$@"
"""
MAY_RESTART = "alice ALL=(root) NOPASSWD: /usr/bin/systemctl restart user@{uid}.service\n"


def with_pytest(machine: Machine) -> None:
    """Everything that our tests import, from the image's own wheels."""
    machine.write("/tmp/dev.lock", LOCK.read_text())
    machine.run(["python3", "-m", "venv", "/opt/venv"])
    machine.run(["/opt/venv/bin/pip", "install", "-q", "--require-hashes", "-r", "/tmp/dev.lock"], timeout=300)
    machine.run(["rm", "/tmp/dev.lock"])


def test_the_supervisors_contract_holds_on_systemd(lab: Lab) -> None:
    lab.keep("pytest", [LOCK.read_text()], with_pytest)
    machine = lab.machine("systemd", "pytest", binds=[(ROOT, "/srv/hero")])
    machine.run(["useradd", "--create-home", "--shell", "/bin/bash", "alice"])
    uid = machine.run(["id", "-u", "alice"]).stdout.strip()
    if not machine.run(["which", "sudo"], check=False).returncode:
        machine.write("/etc/sudoers.d/hero", MAY_RESTART.format(uid=uid), 0o440)
    machine.run(["loginctl", "enable-linger", "alice"])
    machine.wait(
        lambda: machine.run(["systemctl", "is-active", f"user@{uid}.service"], check=False).stdout == "active\n",
        "alice's systemd",
    )
    env = {"PYTHONDONTWRITEBYTECODE": "1"}
    done = machine.run(["bash", "-c", RUN, "bash", *TESTS], user="alice", env=env, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
