"""The lab keeps its word: machines are machines, and nothing of one is left when the run that made it is not."""

from __future__ import annotations

import functools
import http.server
import ipaddress
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from tests.lab import host, labs, recipes
from tests.lab.fixtures import lab, machine
from tests.lab.host import MARK, LabError
from tests.lab.labs import Lab, open_lab
from tests.lab.machine import Machine

__all__ = ["lab", "machine"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def alice(machine: Machine) -> str:
    machine.run(["useradd", "--create-home", "--shell", "/bin/bash", "alice"])
    return "alice"


@pytest.fixture
def key(machine: Machine, alice: str, tmp_path: Path) -> Path:
    """A private key that alice's account lets in."""
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    machine.write(f"/home/{alice}/.ssh/authorized_keys", path.with_suffix(".pub").read_text(), 0o600, user=alice)
    return path


def test_a_machine_boots_with_systemd_and_an_address_of_its_own(machine: Machine) -> None:
    assert machine.run(["cat", "/proc/1/comm"]).stdout == "systemd\n"
    assert machine.run(["systemctl", "is-system-running"]).stdout == "running\n"
    assert machine.run(["hostname"]).stdout == "box\n"
    assert f" {machine.ip}/24 " in machine.run(["ip", "-4", "address", "show", "eth0"]).stdout
    assert ipaddress.ip_address(machine.ip) in ipaddress.ip_network("198.18.0.0/15")


def test_a_command_runs_in_a_session_of_its_user(machine: Machine, alice: str) -> None:
    script = 'echo "$0" "$1" "$XDG_RUNTIME_DIR" "$WORD"; pwd; cat; systemctl --user is-system-running; exit 3'
    argv = ["sh", "-c", script, "$HOME", "%h ${HOME}"]
    done = machine.run(argv, user=alice, input="sent\n", env={"WORD": "a b"}, check=False)
    assert done.stdout == "$HOME %h ${HOME} /run/user/1000 a b\n/home/alice\nsent\nrunning\n"
    assert done.returncode == 3
    with pytest.raises(LabError, match="ended with 1"):
        machine.run(["false"])


def test_a_command_that_takes_too_long_is_killed_with_what_it_started(machine: Machine) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        machine.run(["sh", "-c", "sleep 1234 & sleep 1234"], timeout=0.5)
    machine.wait(lambda: machine.run(["pgrep", "sleep"], check=False).returncode == 1, "the end of sleep")


def test_a_key_opens_the_account_that_it_was_put_into_and_no_other(machine: Machine, key: Path) -> None:
    assert machine.ssh("alice", key, ["printf", "%s|", "a b", "$HOME"]).stdout == "a b|$HOME|"
    assert machine.ssh("root", key, ["true"], check=False).returncode == 255


def test_a_limit_that_a_user_sets_on_a_unit_holds(machine: Machine, alice: str) -> None:
    argv = ["systemd-run", "--user", "--quiet", "--wait", "--pipe", "-p", "TasksMax=3"]
    done = machine.run([*argv, "sh", "-c", "sleep 9 & sleep 9 & sleep 9 & sleep 9"], user=alice, check=False)
    assert done.returncode
    assert "Cannot fork" in done.stderr


def test_files_and_folders_go_in_and_out(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "program").write_bytes(b"\0\xff")
    (tmp_path / "tree" / "deep" / "program").chmod(0o755)
    machine.put(tmp_path / "tree", "/srv/there/copy")
    machine.get("/srv/there/copy", tmp_path / "back")
    assert (tmp_path / "back" / "deep" / "program").read_bytes() == b"\0\xff"
    assert machine.run(["stat", "-c", "%a %U", "/srv/there/copy/deep/program"]).stdout == "755 root\n"
    with pytest.raises(LabError, match="cannot be got"):
        machine.get("/srv/nothing", tmp_path / "nothing")


def test_a_disk_outlives_the_power(machine: Machine, alice: str) -> None:
    before = machine.ip, machine.run(["cat", "/etc/machine-id"]).stdout
    machine.write("/home/alice/letter", "kept", user=alice)
    machine.kill()
    assert not machine.running
    with pytest.raises(LabError, match="switched off"):
        machine.run(["true"])
    machine.boot()
    assert machine.run(["cat", "/home/alice/letter"], user=alice).stdout == "kept"
    assert (machine.ip, machine.run(["cat", "/etc/machine-id"]).stdout) == before


def test_machines_reach_each_other_and_what_listens_on_the_host(lab: Lab, machine: Machine) -> None:
    other = lab.machine("other", "stock")
    banner = ["bash", "-c", f"head -n 1 </dev/tcp/{machine.ip}/22"]
    assert other.run(banner).stdout.startswith("SSH-2.0")
    with serving(Path(__file__).parent, lab.host) as port:
        page = other.run(["curl", "-sS", "--max-time", "10", f"http://{lab.host}:{port}/stock.txt"]).stdout
    assert page == recipes.STOCK_PACKAGES.read_text()
    other.remove()


def test_what_is_locked_is_installed_without_any_index(machine: Machine) -> None:
    machine.write("/srv/run.lock", recipes.locks()["run.lock"])
    machine.run(["ip", "route", "delete", "default"])
    machine.run(["python3", "-m", "venv", "/srv/venv"])
    machine.run(["/srv/venv/bin/pip", "install", "-q", "--require-hashes", "-r", "/srv/run.lock"])
    machine.run(["/srv/venv/bin/python", "-c", "import textual, pydantic_core, dbus_fast"])


def test_a_saved_machine_is_an_image_whose_machines_are_not_the_same(lab: Lab) -> None:
    first = lab.machine("first", "stock")
    first.write("/srv/built", "once")
    identity = first.run(["cat", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout
    lab.save(first, "with-it")
    second = lab.machine("second", "with-it")
    assert second.run(["cat", "/srv/built"]).stdout == "once"
    assert second.run(["cat", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout != identity
    assert second.ssh("root", lab.key, ["hostname"]).stdout == "second\n"
    second.remove()


DOOMED = """
import sys, time
from tests.lab import open_lab
with open_lab() as lab:
    machine = lab.machine(sys.argv[1], "stock")
    print(lab.switch.folder, flush=True)
    time.sleep(1000)
"""


def test_what_a_killed_run_left_is_cleaned_up_by_the_next_and_what_a_living_one_has_is_not(lab: Lab) -> None:
    name = f"d{uuid.uuid4().hex[:8]}"  # another run of this very test may have the network by then
    with subprocess.Popen(
        [sys.executable, "-c", DOOMED, name], cwd=recipes.REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        folder = Path(run.stdout.readline().strip())
        run.send_signal(signal.SIGKILL)
    spared = lab.machine("spared", "stock")
    with open_lab() as next_one:
        assert next_one.switch.net != lab.switch.net
        assert not traces(folder, name)
    assert spared.run(["true"]).returncode == 0
    spared.remove()


def test_what_is_left_of_an_earlier_boot_is_forgotten_and_who_has_its_network_now_is_left_alone(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    left = labs.runs() / machine.switch.net
    (left / "machines" / machine.name).mkdir(parents=True)
    host.write_json(left / "lab.json", {"owner": None, "boot": "an earlier one"})
    with open_lab() as other:
        assert not left.exists()
        assert other.switch.net != machine.switch.net
    assert not other.switch.folder.exists()
    assert machine.run(["true"]).returncode == 0


def traces(folder: Path, machine: str) -> list[str]:
    """What there is on the host of `machine`, of the lab that had `folder`, which another one may have since."""
    name = f"hero-lab-{folder.name}-{machine}"
    found = [str(path) for path in folder.glob(f"machines/{machine}")]
    found += [
        str(path) for path in (Path("/run/netns") / name, *Path("/sys/fs/cgroup").rglob(name)) if path.exists()
    ]
    mark = f"{MARK}={folder}/machines/{machine}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [str(path)] if mark in path.read_bytes() else []
        except OSError:
            continue
    return found


class serving:
    """A web server of the host on `address`, for `folder`; its port as the value of the block."""

    def __init__(self, folder: Path, address: str):
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
        self._server = http.server.ThreadingHTTPServer((address, 0), handler)

    def __enter__(self) -> int:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return int(self._server.server_address[1])

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
