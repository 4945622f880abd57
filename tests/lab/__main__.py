"""`python -m tests.lab`: build the images, and machines for a person at the keyboard; they stay until `down`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.lab import host, images, labs, requirements
from tests.lab.host import LabError
from tests.lab.labs import Lab
from tests.lab.machine import Machine
from tests.lab.network import Switch


def main(words: list[str]) -> int:
    """What the program ends with."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build", help="install what the host lacks, and make the images")
    verbs.add_parser("list", help="the machines, their addresses and images")
    up = verbs.add_parser(
        "up", help="boot a fresh machine, or the one of this name that is off; prints its address"
    )
    up.add_argument("name")
    up.add_argument("--image", default="ready", choices=sorted(images.NAMED))
    up.add_argument(
        "--bind", action="append", default=[], metavar="SOURCE:TARGET", help="show a folder, read only"
    )
    for verb, what in (("ssh", "log in over the network, as root"), ("exec", "run a command in a login session")):
        one = verbs.add_parser(verb, help=what)
        one.add_argument("name")
        one.add_argument("--user", default="root")
        one.add_argument("command", nargs=argparse.REMAINDER)
    verbs.add_parser("down", help="destroy a machine, and the lab with the last one").add_argument("name")
    chosen = parser.parse_args(words)
    os.environ[requirements.WANTED] = requirements.BUILD
    try:
        if chosen.verb == "build":
            requirements.install()
        if reason := requirements.why_not():
            raise LabError(reason)
        return VERBS[chosen.verb](chosen)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def build(_: argparse.Namespace) -> int:
    for name, make in images.NAMED.items():
        began = time.monotonic()
        make()
        print(f"image {name}: {time.monotonic() - began:.0f} s")
    return 0


def up(chosen: argparse.Namespace) -> int:
    lab = kept_lab() or Lab(labs.new_switch(None))
    if chosen.name in lab.machines:
        lab.machines[chosen.name].boot()
    else:
        binds = [
            (Path(source).resolve(), target) for source, _, target in (it.partition(":") for it in chosen.bind)
        ]
        lab.machine(chosen.name, chosen.image, binds=binds)
    print(lab.machines[chosen.name].ip)
    return 0


def ssh(chosen: argparse.Namespace) -> int:
    lab, machine = found(chosen.name)
    return subprocess.run(machine.ssh_command(chosen.user, lab.key, chosen.command), check=False).returncode


def execute(chosen: argparse.Namespace) -> int:
    _, machine = found(chosen.name)
    done = machine.run(chosen.command, user=chosen.user, check=False)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


def down(chosen: argparse.Namespace) -> int:
    lab, machine = found(chosen.name)
    machine.remove()
    if len(lab.machines) == 1:
        labs.destroy(lab.switch.folder)
    return 0


def show(_: argparse.Namespace) -> int:
    lab = kept_lab()
    for machine in lab.machines.values() if lab else ():
        print(f"{machine.name}\t{machine.ip}\t{'up' if machine.running else 'off'}\t{machine.image.name}")
    return 0


def kept_lab() -> Lab | None:
    """The lab whose machines belong to no process."""
    for folder in labs.runs().iterdir():
        if labs.belongs_to_the_living(folder) and not host.read_json(folder / "lab.json")["owner"]:
            machines = [Machine.found(path) for path in sorted(folder.glob("machines/*"))]
            return Lab(Switch(folder.name, folder), {machine.name: machine for machine in machines})
    return None


def found(name: str) -> tuple[Lab, Machine]:
    lab = kept_lab()
    if lab is None or name not in lab.machines:
        raise LabError(f"there is no machine {name!r}; `python -m tests.lab up {name}` makes one")
    return lab, lab.machines[name]


VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "build": build,
    "list": show,
    "up": up,
    "ssh": ssh,
    "exec": execute,
    "down": down,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
