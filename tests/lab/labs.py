"""A lab: machines on a network of their own, gone when whoever opened it is, by the next one at the latest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import host, images, recipes
from tests.lab.host import LabError, Process
from tests.lab.images import Image
from tests.lab.machine import Machine
from tests.lab.network import NETS, Switch

_NAME = re.compile(r"[a-z][a-z0-9-]{0,11}")
"""Also a host's name and, with `p-` before it, that of an interface."""
_FIRST, _LAST = 11, 250


@dataclass
class Lab:
    """Its switch, the machines that were made on it, and the images that were saved here."""

    switch: Switch
    machines: dict[str, Machine] = field(default_factory=dict)
    _saved: dict[str, Image] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The address where machines reach what listens on the host."""
        return self.switch.host_address

    @property
    def key(self) -> Path:
        """A private key that root of every machine lets in."""
        return self.switch.folder / "id_ed25519"

    def machine(self, name: str, image: str = "ready", *, binds: Sequence[tuple[Path, str]] = ()) -> Machine:
        """A new machine that has booted; `binds` are folders of the host that are shown in it, read only.

        `image` is "stock", "ready" or one that was saved here. Raises LabError where it does not come up.
        """
        if not _NAME.fullmatch(name) or (self.switch.folder / "machines" / name).exists():
            raise LabError(f"no machine can be called {name!r}: it is there, or not 1 to 12 of a-z 0-9 -")
        base = self._saved[image] if image in self._saved else _named(image)
        made = Machine(name, self._free_address(), self.switch, base, tuple(binds))
        images.folder(made.disk)
        made.record()
        made.personalise(self.key.with_suffix(".pub").read_text())
        self.machines[name] = made
        made.boot()
        return made

    def _free_address(self) -> str:
        used = {machine.ip for machine in self.machines.values() if machine.folder.exists()}
        free = (f"{self.switch.net}.{number}" for number in range(_FIRST, _LAST))
        return next(address for address in free if address not in used)

    def save(self, machine: Machine, image: str) -> None:
        """Shut the machine down and make its disk an image of this lab; the machine is gone."""
        if image in self._saved or image in images.NAMED:
            raise LabError(f"there is an image {image!r} already")
        layer = self.switch.folder / "images" / image
        layer.parent.mkdir(exist_ok=True)
        self._take_disk(machine, layer)
        self._saved[image] = Image(image, (layer, *machine.image.layers))

    def keep(
        self, image: str, made_from: Sequence[object], make: Callable[[Machine], None], base: str = "ready"
    ) -> None:
        """Have an image that outlives this lab: `base` after `make`, made anew only where `made_from` is new."""
        below = _named(base)
        names = [layer.name for layer in below.layers]

        def build(part: Path) -> None:
            machine = self.machine("made-here", base)
            make(machine)
            (part / "disk").rmdir()
            self._take_disk(machine, part / "disk")

        layer = images.kept(recipes.digest("made", names, image, list(made_from)), build)
        self._saved[image] = Image(image, (layer, *below.layers))

    def _take_disk(self, machine: Machine, target: Path) -> None:
        machine.stop()
        images.forget_identity(machine.disk)
        machine.disk.rename(target)
        machine.remove()
        del self.machines[machine.name]


def _named(image: str) -> Image:
    if image not in images.NAMED:
        raise LabError(
            f"there is no image {image!r}; there are {', '.join(images.NAMED)}, and those saved in this lab"
        )
    return images.NAMED[image]()


@contextmanager
def open_lab() -> Iterator[Lab]:
    """A lab of this process, whose machines are gone after the block."""
    lab = Lab(new_switch(host.this_process()))
    try:
        yield lab
    finally:
        destroy(lab.switch.folder)


def runs() -> Path:
    """Where each lab has its folder, by its network."""
    folder = host.root() / "runs"
    folder.mkdir(exist_ok=True)
    return folder


def new_switch(owner: Process | None) -> Switch:
    """A network for a lab that belongs to `owner`, or that stays; labs of the dead are cleaned up first."""
    with host.turn("runs"):
        for folder in runs().iterdir():
            if not belongs_to_the_living(folder):
                _take_down(folder)
                host.remove(folder)
        switch = _claimed()
        host.write_json(switch.folder / "lab.json", {"owner": owner and owner.as_json(), "boot": host.boot_id()})
    try:
        host.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", switch.folder / "id_ed25519")
        switch.up()
    except BaseException:
        destroy(switch.folder)
        raise
    return switch


def _claimed() -> Switch:
    for net in NETS:
        switch = Switch(net, runs() / net)
        if not switch.folder.exists() and switch.claim():
            switch.folder.mkdir()
            return switch
    raise LabError(f"no network is free between {NETS[0]}.0 and {NETS[-1]}.0")


def belongs_to_the_living(folder: Path) -> bool:
    """Whether the lab's owner runs; one without an owner stays until the host boots."""
    known = host.read_json(folder / "lab.json")
    owner = known.get("owner")
    return host.alive(Process(**owner)) if owner else known.get("boot") == host.boot_id()


def destroy(folder: Path) -> None:
    """Take away a lab with all its machines, whatever is left of it; not from within a turn of "runs"."""
    _take_down(folder)
    with host.turn("runs"):  # half gone it would look like a dead one's, and be taken away by two at once
        host.remove(folder)


def _take_down(folder: Path) -> None:
    """End what runs of a lab, whoever made it; its folder stays, and with it, that its network is taken."""
    if host.read_json(folder / "lab.json").get("boot") != host.boot_id():
        return  # of another boot nothing runs, and a lab with another folder may have that network now
    switch = Switch(folder.name, folder)
    for machine in sorted(folder.glob("machines/*")):
        Machine(machine.name, "", switch, Image("", ())).kill()
    switch.down()
