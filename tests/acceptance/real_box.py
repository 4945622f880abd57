"""A system box in the lab, made by the bootstrap from a forge's team repo, and who tries what on it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.small_box import SERVICES, TEAM_REPO
from tests.acceptance.team_forge import TeamForge
from tests.lab.labs import Lab
from tests.lab.machine import Machine

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ("alice", "bob", "carol")
BOOTSTRAP_SECONDS = 300.0


def make_keys(folder: Path, *names: str) -> dict[str, str]:
    """A private key a name in `folder`; the public ones."""
    keys = {}
    for name in names:
        path = folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
        keys[name] = path.with_suffix(".pub").read_text().strip()
    return keys


def team_files(keys: dict[str, str], forge: str) -> dict[str, str]:
    """The text of each file of the team repo: three people and the integration slot."""
    services = "".join(
        f'[[service]]\nname = "{one.name}"\nrepo = "{one.repo}"\nshort = "{one.short}"\ncore = true\n'
        for one in SERVICES
    )
    return {
        "team.toml": f"""schema = 1
name = "Hero"
trunk = "development"
box = "box"
allowed_groups = ["hero-team"]
admins = ["carol"]
[forge]
kind = "forgejo"
url = "{forge}"
""",
        "services.toml": f"schema = 1\n{services}",
        "manifest_templates/developer.toml": template("release"),
        "manifest_templates/integration.toml": template("build"),
        "users/integration.toml": user("Integration", role="integration"),
        **{f"users/{name}.toml": user(name.title(), keys[name]) for name in PEOPLE},
    }


def template(source: str) -> str:
    """A role's bindings: of releases that are pulled, or of builds that are published."""
    extra = "publish = true\n" if source == "build" else "auto_rebuild = true\n"
    bindings = [
        f'[[bind]]\nservice = "{one.name}"\nbranch = "development"\nfrom = "{source}"\n{extra}' for one in SERVICES
    ]
    return "schema = 1\n" + "".join(bindings)


def user(full_name: str, key: str = "", *, role: str = "developer", pays: str = "") -> str:
    """The text of a person's file; `pays` is the name of the org key that their agents may use."""
    keys = f'ssh_keys = ["{key}"]\n' if key else ""
    granted = f'[claude_org_key]\nenabled = true\nkey_secret_name = "{pays}"\n' if pays else ""
    return f'schema = 1\nfull_name = "{full_name}"\nrole = "{role}"\n{keys}{granted}'


@dataclass(frozen=True)
class RealBox:
    """The box on `machine`; `keys` is the folder with everybody's private key."""

    machine: Machine
    forge: TeamForge
    keys: Path

    @property
    def team(self) -> str:
        """The address of the team repo."""
        return f"{self.forge.url}/{TEAM_REPO}.git"

    def get(self, path: str) -> str:
        """What the router answers to `path`, as it is written: the status, then the page."""
        words = [
            "curl",
            "-s",
            "--path-as-is",
            "--max-time",
            "10",
            "-w",
            "\n%{http_code}",
            f"http://localhost{path}",
        ]
        body, _, status = self.machine.run(words, check=False).stdout.rpartition("\n")
        return f"{status} {body}"

    def bootstrap(self, *arguments: str) -> str:
        """Run the bootstrap; what it printed."""
        words = ["/srv/hero/deploy/bootstrap.sh", "--team", self.team]
        words += ["--forge-token-fd", "0", "--claude", "none", *arguments]
        done = self.machine.run(words, input=self.forge.token, check=False, timeout=BOOTSTRAP_SECONDS)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{self.journal()}"
        return done.stdout

    def journal(self) -> str:
        """The last words of the daemons."""
        units = ("hero_boxd", "hero_team_sync", "hero_router", "hero_aibroker", "hero_webd")
        of_box = [word for unit in units for word in ("-u", unit)]
        asked = ["journalctl", "-q", "--no-pager", "-n", "60"]
        of_slots = "_SYSTEMD_USER_UNIT=hero_slotd.service"
        return "".join(self.machine.run([*asked, *of], check=False).stdout for of in (of_box, [of_slots]))

    def dev(self, user: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`hero_dev` as `user`, in a login session."""
        return self.machine.run(["hero_dev", *words], user=user, check=check)

    def boot_id(self) -> str:
        """Which boot of the machine this is, as its programs see it."""
        return self.machine.run(["cat", "/proc/sys/kernel/random/boot_id"]).stdout.strip()

    def cells(self, user: str) -> dict[str, dict[str, Any]]:
        """The services of a slot as its owner sees them."""
        told = json.loads(self.dev(user, "status", "--json").stdout)
        return {cell["service"]: cell for cell in told["services"]}

    def healthy(self, user: str) -> bool:
        """Whether everything that `user`'s slot is bound to runs well."""
        done = self.dev(user, "status", "--json", check=False)
        if done.returncode:
            return False
        cells = json.loads(done.stdout)["services"]
        return len(cells) == len(SERVICES) and all(cell["health"] == "healthy" for cell in cells)

    def builds(self) -> list[dict[str, Any]]:
        """What the queue knows of all slots, the newest hundred."""
        asked = ("builds", "--all-slots", "--limit", "100", "--json")
        told: list[dict[str, Any]] = json.loads(self.dev("alice", *asked).stdout)["builds"]
        return told

    def trouble(self) -> str:
        """The builds, for which everybody else waits, and what became of each."""
        parts = ("slot", "service", "state", "reason", "commit", "queued_at", "finished_at", "waits_for", "error")
        return "\n".join(" ".join(str(one.get(part) or "-") for part in parts) for one in self.builds())

    def wait(self, condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
        """What `condition` gives once it is true of it; the daemons' last words where it does not come."""
        try:
            return self.machine.wait(condition, what, timeout=seconds)
        except Exception as error:
            told = f"{self.trouble()}\n{self.integration()}\n{self.journal()}"
            raise AssertionError(f"{error}\n{told}") from error

    def integration(self) -> str:
        """How the services of the integration slot are, and what its daemon said last."""
        status = self.dev("integration", "status", check=False)
        said = self.machine.run(["journalctl", "-q", "--no-pager", "-n", "60", "_UID=" + self.uid("integration")])
        return f"{status.stdout}{status.stderr}\n{said.stdout}"

    def uid(self, user: str) -> str:
        """The account's number."""
        return self.machine.run(["id", "-u", user]).stdout.strip()


def real_box(lab: Lab, forge: TeamForge, keys: Path, name: str = "box", *, claude: Path | None = None) -> RealBox:
    """A machine with what the bootstrap installs of the distribution, and this checkout; not bootstrapped yet.

    `claude` is the program of the host that is shown in it.
    """
    shown = [(claude, "/usr/local/bin/claude")] if claude else []
    machine = lab.machine(name, binds=[(ROOT, "/srv/hero"), *shown])
    return RealBox(machine, forge, keys)
