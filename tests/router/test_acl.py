"""Who may connect where, with real accounts: the router to public sockets, whatever their umask; nobody else."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.router.caddy import SECONDS

OWNER, OTHER, ROUTER = "games", "nobody", "caddy"
"""Accounts that a Debian machine has; they own nothing else here."""

SERVE = """
import os, socket, sys
os.umask(int(sys.argv[1], 8))
held = []
for path in sys.argv[2:]:
    one = socket.socket(socket.AF_UNIX); one.bind(path); one.listen(); held.append(one)
print("up", flush=True)
sys.stdin.read()
"""
CONNECT = """
import socket, sys
for path in sys.argv[1:]:
    with socket.socket(socket.AF_UNIX) as one:
        print("yes" if one.connect_ex(path) == 0 else "no")
"""
LAY = """
import sys
from pathlib import Path
from backends.model.service import ServiceDescription
from backends.model.tomlfile import parse
from backends.slot.web_names import WebNames
text = 'schema = 1\\nname = "hero_x"\\n[run]\\ncommand = ["bin/x"]\\nsockets = ["web", "rpc"]\\n'
description = parse(ServiceDescription, text, "hero_service.toml")
names = WebNames(Path(sys.argv[1]))
names.keep({"hero_x": "x"}, ["hero_x"], lambda service: description)
names.admit("hero_x") if sys.argv[2] == "admit" else names.lay("hero_x", description)
"""


def _has(user: str) -> bool:
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False


pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as several users"),
    pytest.mark.skipif(not shutil.which("setfacl"), reason="there is no setfacl on this machine (package: acl)"),
    pytest.mark.skipif(
        not all(map(_has, (OWNER, OTHER, ROUTER))), reason=f"needs users {OWNER}, {OTHER}, {ROUTER}"
    ),
]


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A slot's folder of sockets, as the reconciler has systemd-tmpfiles make it."""
    parent = Path(tempfile.mkdtemp(prefix="h", dir="/run"))
    parent.chmod(0o755)
    folder = parent / "slot"
    folder.mkdir(mode=0o700)
    shutil.chown(folder, OWNER)
    entries = f"u:{ROUTER}:--x,d:u:{ROUTER}:rwx"
    try:
        subprocess.run(["setfacl", "-m", entries, str(folder)], check=True)
        yield folder
    finally:
        shutil.rmtree(parent)


def lay(folder: Path, what: str) -> None:
    subprocess.run([sys.executable, "-c", LAY, str(folder), what], check=True, timeout=SECONDS)
    _give(folder)


def _give(folder: Path) -> None:
    """What was made as root is the slot's user's: the interpreter of the tests may be root's alone."""
    for one in (folder, *folder.rglob("*")):
        shutil.chown(one, OWNER) if not one.is_symlink() else None


def may_connect(user: str, *paths: Path) -> list[str]:
    said = subprocess.run(
        ["/usr/bin/python3", "-c", CONNECT, *map(str, paths)],
        user=user,
        group=pwd.getpwnam(user).pw_gid,
        extra_groups=[],
        cwd="/",
        check=True,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return said.stdout.split()


@pytest.mark.parametrize("umask", ["077", "027", "022", "007", "000"])
def test_the_router_reaches_public_sockets_whatever_the_umask_and_nobody_reaches_any_other(
    sockets: Path, umask: str
) -> None:
    lay(sockets, "lay")
    own = sockets / "hero_slot"
    own.mkdir(mode=0o700)
    _give(sockets)
    public, short = sockets / ".web" / "hero_x" / "web.sock", sockets / ".web" / "x.sock"
    private, daemon = sockets / "hero_x" / "rpc.sock", own / "rpc.sock"
    server = subprocess.Popen(
        ["/usr/bin/python3", "-c", SERVE, umask, str(public), str(private), str(daemon)],
        user=OWNER,
        group=pwd.getpwnam(OWNER).pw_gid,
        extra_groups=[],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"up\n"
        lay(sockets, "admit")
        everything = (public, short, private, daemon, sockets / "hero_x" / "web.sock")
        assert may_connect(ROUTER, *everything) == ["yes", "yes", "no", "no", "no"]
        assert may_connect(OTHER, *everything) == ["no"] * 5
        assert may_connect(OWNER, *everything) == ["yes"] * 5
        daemon.chmod(0o666)
        assert may_connect(ROUTER, daemon) == ["no"]
    finally:
        server.kill()
        server.communicate()


def test_the_daemons_socket_is_closed_even_where_the_router_may_pass(sockets: Path) -> None:
    """Mode 0600 after the bind masks the router's entry: the second wall behind the folder's."""
    path = sockets / "rpc.sock"
    server = subprocess.Popen(
        ["/usr/bin/python3", "-c", SERVE, "000", str(path)],
        user=OWNER,
        group=pwd.getpwnam(OWNER).pw_gid,
        extra_groups=[],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"up\n"
        assert may_connect(ROUTER, path) == ["yes"]
        path.chmod(0o600)
        assert may_connect(ROUTER, path) == ["no"]
    finally:
        server.kill()
        server.communicate()
