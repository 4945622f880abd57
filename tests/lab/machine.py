"""One machine: its disk over an image, switched on and off, and what is done in it."""

from __future__ import annotations

import io
import shlex
import signal
import subprocess
import tarfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.lab import booting, cgroups, host, images
from tests.lab.host import LabError
from tests.lab.images import Image
from tests.lab.network import Switch

T = TypeVar("T")
SECONDS = 60.0
"""After which what was started in a machine is ended, unless told otherwise."""

_SSH = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "LogLevel=ERROR"]
_WRITE = 'umask 077; mkdir -p -m 755 "${2%/*}" && cat >"$2" && chmod "$1" "$2"'
# Beside the target and then renamed, so that it is there whole or not at all.
_PUT = """
umask 022; mkdir -p "${1%/*}"; beside=$(mktemp -d "$1.XXXXXX")
tar --no-same-owner -C "$beside" -xf - && mv -T "$beside/it" "$1" && rmdir "$beside"
"""
_GET = 'cd "$(dirname "$1")" && exec tar -cf - "$(basename "$1")"'


@dataclass(frozen=True)
class Machine:
    """The machine `name` at address `ip` of the lab whose switch it is on; all else is in its folder."""

    name: str
    ip: str
    switch: Switch
    image: Image
    binds: tuple[tuple[Path, str], ...] = ()

    @classmethod
    def found(cls, folder: Path) -> Machine:
        """The machine that `record` wrote about."""
        known = host.read_json(folder / "machine.json")
        lab = folder.parent.parent
        image = Image(known["image"], tuple(Path(layer) for layer in known["layers"]))
        return cls(folder.name, known["ip"], Switch(lab.name, lab), image, tuple(map(_bind, known["binds"])))

    def record(self) -> None:
        """Write down what another process needs to know of it."""
        binds = [[str(source), target] for source, target in self.binds]
        layers = [str(layer) for layer in self.image.layers]
        known = {"ip": self.ip, "image": self.image.name, "layers": layers, "binds": binds}
        host.write_json(self.folder / "machine.json", known)

    @property
    def folder(self) -> Path:
        return self.switch.folder / "machines" / self.name

    @property
    def disk(self) -> Path:
        """What differs from its image."""
        return self.folder / "disk"

    @property
    def console(self) -> str:
        """What the last boot printed."""
        return (self.folder / "console.log").read_text(errors="replace")

    @property
    def running(self) -> bool:
        return host.alive(booting.leader(self.folder))

    def personalise(self, key: str) -> None:
        """Give a new disk what makes it a machine of its own: name, id, host key; root lets in `key`."""
        names = f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n::1 localhost\n"
        images.write(self.disk, "/etc/hostname", f"{self.name}\n")
        images.write(self.disk, "/etc/hosts", names)
        images.write(self.disk, "/etc/machine-id", f"{uuid.uuid4().hex}\n", 0o444)
        images.write(self.disk, "/etc/resolv.conf", self.switch.resolv_conf())
        images.write(self.disk, "/root/.ssh/authorized_keys", key, 0o600)
        for private in ("root", "root/.ssh"):
            (self.disk / private).chmod(0o700)
        images.write(self.disk, "/etc/ssh/ssh_host_ed25519_key.pub", "")
        host_key = self.disk / "etc/ssh/ssh_host_ed25519_key"
        host_key.with_suffix(".pub").unlink()
        host.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", host_key)
        public = host_key.with_suffix(".pub").read_text()
        (self.folder / "known_hosts").write_text(f"{self.ip} {public}")

    def boot(self, *, timeout: float = SECONDS) -> None:
        """Switch it on, on the disk that it has. Raises LabError with its console where it does not come up."""
        if self.running:
            raise LabError(f"{self.name} runs already")
        self.kill()
        self.switch.plug(self.name, self.ip)
        try:
            booting.boot(self.folder, self.name, self.switch, self.image, self.binds, timeout)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Cut its power: every process ends at once, and the disk keeps what was written. Off already is fine."""
        for one in self.switch.processes_of(self.name):
            host.end(one)
        for one in host.marked(self.folder):
            host.gone(one, 5) or host.end(one)
        self.switch.unplug(self.name)
        cgroups.remove(booting.groups(self.folder))

    def stop(self) -> None:
        """Shut it down in order; its disk stays."""
        host.end(booting.leader(self.folder), signal.SIGRTMIN + 3, 30)  # systemd(1): halt
        self.kill()

    def remove(self) -> None:
        """Destroy it with its disk."""
        self.kill()
        host.remove(self.folder)

    def run(
        self,
        argv: Sequence[str],
        *,
        user: str | None = None,
        input: str | None = None,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        timeout: float = SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the machine, as root or in a login session of `user`, in their home.

        Raises LabError where it fails and `check` is wanted; TimeoutExpired after `timeout` seconds, when the
        program and all that it started have been killed. One that a signal ends has 255 as its return code.
        """
        sent = None if input is None else input.encode()
        done = self._run(argv, user=user, sent=sent, env=env or {}, timeout=timeout)
        told = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        return _checked(subprocess.CompletedProcess(list(argv), done.returncode, *told), self.name, check)

    def _run(
        self, argv: Sequence[str], *, user: str | None, sent: bytes | None, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        inside, unit = booting.entering(self.folder, self.name), f"lab-run-{uuid.uuid4().hex}.service"
        # The machine's own systemd starts it, so it is where that puts it, and may no more than that allows.
        words = [*inside, "systemd-run", "--quiet", "--wait", "--pipe", "--collect", f"--unit={unit}"]
        words += ["-p", f"User={user or 'root'}"]
        words += ["-p", "PAMName=login"] if user else ["-p", "EnvironmentFile=-/etc/environment"]
        words += [f"--setenv={name}={value}" for name, value in env.items()]
        # Not by WorkingDirectory=~, which cannot enter a home of mode 0700 where PAM opens the session.
        at_home = ["sh", "-c", 'cd && exec "$@"', "sh", *argv]
        words += ["--", *(word.replace("$", "$$") for word in at_home)]  # systemd would put variables there
        try:
            quiet = subprocess.DEVNULL if sent is None else None
            return subprocess.run(
                words, stdin=quiet, input=sent, capture_output=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            host.works(*inside, "systemctl", "kill", "--signal=KILL", unit)
            raise

    def ssh(
        self,
        user: str,
        key: Path,
        argv: Sequence[str],
        *,
        options: Sequence[str] = (),
        input: str = "",
        check: bool = True,
        timeout: float = SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Log in over the network with a private key and run `argv`; with none, the login shell reads `input`."""
        words = self.ssh_command(user, key, argv, options=options)
        done = subprocess.run(words, input=input, capture_output=True, text=True, timeout=timeout, check=False)
        return _checked(done, self.name, check)

    def ssh_command(self, user: str, key: Path, argv: Sequence[str], *, options: Sequence[str] = ()) -> list[str]:
        """What `ssh` starts, for those who want a terminal of their own around it."""
        words = ["ssh", "-F", "none", "-i", str(key), "-o", "IdentitiesOnly=yes", *_SSH]
        words += ["-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}", *options]
        return [*words, f"{user}@{self.ip}", *([shlex.join(argv)] if argv else [])]

    def write(self, path: str, text: str, mode: int = 0o644, *, user: str | None = None) -> None:
        """A file in the machine, written by root or by `user`."""
        self.run(["sh", "-c", _WRITE, "sh", f"{mode:o}", path], user=user, input=text)

    def put(self, source: Path, target: str, *, user: str | None = None) -> None:
        """Copy a file or folder of the host to `target`, which must not be a folder with something in it."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(source, "it")
        done = self._run(
            ["sh", "-euc", _PUT, "sh", target], user=user, sent=packed.getvalue(), env={}, timeout=SECONDS
        )
        _succeeded(done, f"{source} cannot be put to {target} in {self.name}")

    def get(self, source: str, target: Path) -> None:
        """Copy a file or folder of the machine to `target`, which is not there yet."""
        done = self._run(["sh", "-euc", _GET, "sh", source], user=None, sent=None, env={}, timeout=SECONDS)
        _succeeded(done, f"{source} cannot be got from {self.name}")
        beside = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(beside, filter="data")
        next(beside.iterdir()).rename(target)
        beside.rmdir()

    def wait(self, condition: Callable[[], T], what: str, *, timeout: float = 30.0) -> T:
        """What `condition` gives once it is true of it. Raises LabError that names `what` was waited for."""
        deadline = time.monotonic() + timeout
        while not (seen := condition()):
            if time.monotonic() > deadline:
                raise LabError(f"{self.name}: {what} did not come within {timeout:.0f} s; last seen: {seen!r}")
            time.sleep(0.05)
        return seen


def _bind(pair: list[str]) -> tuple[Path, str]:
    return Path(pair[0]), pair[1]


def _checked(done: subprocess.CompletedProcess[str], name: str, check: bool) -> subprocess.CompletedProcess[str]:
    if check and done.returncode:
        line = shlex.join(done.args)
        raise LabError(f"{name}: `{line}` ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def _succeeded(done: subprocess.CompletedProcess[bytes], otherwise: str) -> None:
    if done.returncode:
        raise LabError(f"{otherwise}: {done.stderr.decode(errors='replace').strip()}")
