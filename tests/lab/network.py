"""The network of one lab: a switch in a namespace of its own, with the host, the way out and the machines on it.

    machine ── p-<machine> ┐                ┌ host ── the host's leg, .1
                           ├ switch (bridge)┤
    machine ── p-<machine> ┘                └ uplink ── slirp4netns: .2 the way out, .3 names

slirp4netns turns what machines send outside into ordinary connections of the host, so that no rule, route or
forwarding of the host is touched and no address of a lab is ever seen outside.
"""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.lab import host
from tests.lab.host import LabError

NETS = [f"198.{18 + number // 256}.{number % 256}" for number in range(128, 512)]
"""Half of what is reserved for benchmarks of networks and routed nowhere; the first is left to other tools."""

_NAMESPACES = Path("/run/netns")

# Beyond the way out is the host, which would lead on to other labs and to what clouds tell a machine about its
# account; and it would answer for a machine that is dead.
_FIREWALL = """
table bridge hero_lab {{
    chain forward {{
        type filter hook forward priority 0;
        oifname "uplink" ip daddr {net}.2-{net}.3 accept
        oifname "uplink" ip daddr {{ 198.18.0.0/15, 169.254.0.0/16 }} drop
    }}
}}
"""


@dataclass(frozen=True)
class Switch:
    """The network `net` (its first three numbers) of the lab in `folder`."""

    net: str
    folder: Path

    @property
    def host_address(self) -> str:
        """Where machines reach a server that a test runs on the host."""
        return f"{self.net}.1"

    @property
    def namespace(self) -> str:
        return f"hero-lab-{self.net}"

    @property
    def leg(self) -> str:
        """The host's interface; the kernel allows 15 letters."""
        return "hero" + self.net.removeprefix("198.")

    def namespace_of(self, machine: str) -> str:
        """The network namespace of a machine."""
        return f"{self.namespace}-{machine}"

    def claim(self) -> bool:
        """Take the network, if nobody on this host has it; the kernel lets only one have the namespace."""
        used = f"{self.net}." in host.run("ip", "-4", "route", "show", "table", "all")
        return not used and host.works("ip", "netns", "add", self.namespace)

    def up(self) -> None:
        """Make the switch of a claimed network. Raises LabError where it cannot be made."""
        inside = ("ip", "-n", self.namespace)
        host.run(*inside, "link", "set", "lo", "up")
        host.run(*inside, "link", "add", "switch", "type", "bridge", "stp_state", "0", "forward_delay", "0")
        host.run(*inside, "link", "set", "switch", "up")
        firewall = _FIREWALL.format(net=self.net)
        host.run("ip", "netns", "exec", self.namespace, "nft", "-f", "-", text=firewall)
        host.run("ip", "link", "add", self.leg, "type", "veth", "peer", "name", "host", "netns", self.namespace)
        host.run(*inside, "link", "set", "host", "master", "switch", "up")
        host.run("ip", "addr", "add", f"{self.host_address}/24", "dev", self.leg)
        host.run("ip", "link", "set", self.leg, "up")
        self._start_uplink()
        host.run(*inside, "link", "set", "uplink", "master", "switch", "up")

    def _start_uplink(self) -> None:
        log = self.folder / "uplink.log"
        ready, told = os.pipe()
        # To lock itself in, slirp4netns unmounts all that it sees, and mounts of the host are shared with it.
        argv = ["unshare", "--mount", "--propagation", "slave"]
        argv += ["slirp4netns", "--enable-sandbox", "--disable-host-loopback", "--mtu=1500"]
        argv += [f"--cidr={self.net}.0/24", f"--ready-fd={told}"]
        argv += ["--netns-type=path", str(_NAMESPACES / self.namespace), "uplink"]
        with os.fdopen(ready) as answer:
            try:
                host.start(argv, self.folder, log, {}, keep=[told])
            finally:
                os.close(told)
            if answer.read(1) != "1":
                raise LabError(f"slirp4netns does not start: {host.without_hosts(log.read_text()).strip()}")

    def down(self) -> None:
        """Take it away, with the machines' namespaces, whatever is left of it."""
        for one in host.marked(self.folder):
            host.end(one, signal.SIGTERM) or host.end(one)
        host.works("ip", "link", "del", self.leg)
        for path in _NAMESPACES.glob(f"{self.namespace}*"):
            if path.name == self.namespace or path.name.startswith(f"{self.namespace}-"):
                _remove_namespace(path.name)

    def plug(self, machine: str, address: str) -> None:
        """Give a machine its namespace with eth0 on the switch, in place of what it had before."""
        self.unplug(machine)
        own, port = self.namespace_of(machine), f"p-{machine}"
        # A machine keeps its hardware address from boot to boot, or its neighbours would talk to the old one.
        hardware = "02:00:" + ":".join(f"{int(number):02x}" for number in address.split("."))
        host.run("ip", "netns", "add", own)
        inside = ("ip", "-n", own)
        host.run(*inside, "link", "set", "lo", "up")
        pair = ("type", "veth", "peer", "name", port, "netns", self.namespace)
        host.run("ip", "link", "add", "eth0", "address", hardware, "netns", own, *pair)
        host.run(*inside, "addr", "add", f"{address}/24", "dev", "eth0")
        host.run(*inside, "link", "set", "eth0", "up")
        host.run(*inside, "route", "add", "default", "via", f"{self.net}.2")
        host.run("ip", "-n", self.namespace, "link", "set", port, "master", "switch", "up")

    def unplug(self, machine: str) -> None:
        """Take a machine's namespace away; one that has none is fine."""
        host.works("ip", "-n", self.namespace, "link", "del", f"p-{machine}")
        _remove_namespace(self.namespace_of(machine))

    def processes_of(self, machine: str) -> list[host.Process]:
        """All processes in a machine's namespace, which its PID 1 is one of."""
        path = _NAMESPACES / self.namespace_of(machine)
        if not path.exists():
            return []
        pids = host.run("ip", "netns", "pids", self.namespace_of(machine)).split()
        return [found for pid in pids if (found := host.process(int(pid)))]

    def resolv_conf(self) -> str:
        """The machines' own: that of the host, unless it leads to the host itself."""
        text = Path("/etc/resolv.conf").read_text()
        servers = re.findall(r"^nameserver\s+(\S+)", text, re.M)
        loopback = any(server.startswith(("127.", "::1")) for server in servers)
        return f"nameserver {self.net}.3\n" if loopback or not servers else text


def _remove_namespace(name: str) -> None:
    if (_NAMESPACES / name).exists() and not host.works("ip", "netns", "del", name):
        (_NAMESPACES / name).unlink(missing_ok=True)  # a file that a dead host left has no namespace behind it
