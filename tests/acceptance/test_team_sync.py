"""The reconciler on a real machine: a team repo becomes accounts, and nobody gets past it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.real_box import make_keys
from tests.lab.fixtures import lab
from tests.lab.labs import Lab
from tests.lab.machine import Machine

__all__ = ["lab"]

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/opt/venv/bin/python"
FORGE = "/var/lib/hero/forge/lhumina_code/hero_team.git"
TEAM = """schema = 1
name = "L"
box = "box"
allowed_groups = ["docker"]
admins = ["alice"]
[forge]
kind = "folder"
"""
INSTALL = """
python3 -m venv /opt/venv
/opt/venv/bin/pip install -q --no-deps -r /srv/hero/requirements/run.lock
echo /srv/hero > "$(echo /opt/venv/lib/python3*/site-packages)/hero.pth"
groupadd --system hero-team
groupadd docker
useradd --system --user-group --no-create-home -G hero-team hero
mkdir -p /var/lib/hero/secrets /run/hero/box
ln -s /run/hero/box /var/lib/hero/run
printf 'schema = 1\\nname = "box"\\nkind = "system"\\ncreated = 2026-11-21T10:00:00Z\\n' > /var/lib/hero/box.toml
printf '[team_sync]\\ninterval = "1h"\\n' >> /var/lib/hero/box.toml
git init -q --bare -b main FORGE
git config --global --add safe.directory '*'
git config --global user.email mik@example.org
git config --global user.name Mik
git clone -q FORGE /srv/team 2>/dev/null
mkdir /srv/team/users /srv/team/manifest_templates
printf 'schema = 1\\n' | tee /srv/team/services.toml > /srv/team/manifest_templates/developer.toml
chown -R hero:hero /var/lib/hero/forge
""".replace("FORGE", FORGE)
UNIT = f"""[Service]
Type=notify
ExecStart={PYTHON} -m hero_tui.team_syncd
UMask=0077
Restart=always
"""


@dataclass(frozen=True)
class Synced:
    """A machine with the reconciler; `keys` is the folder of everybody's private key."""

    machine: Machine
    keys: Path

    def person(self, name: str, more: str = "") -> str:
        public = (self.keys / f"{name}.pub").read_text().strip()
        return f'schema = 1\nfull_name = "{name.title()}"\nrole = "developer"\nssh_keys = ["{public}"]\n{more}'

    def push(self, files: dict[str, str | None]) -> None:
        for name, text in files.items():
            if text is None:
                self.machine.run(["git", "-C", "/srv/team", "rm", "-q", name])
            else:
                self.machine.write(f"/srv/team/{name}", text)
        commit = "cd /srv/team && git add -A && git commit -q --allow-empty -m x && git push -q origin HEAD:main"
        self.machine.run(["sh", "-c", f"{commit} && chown -R hero:hero {FORGE}"])

    def dev(self, *words: str, user: str | None = None, check: bool = True) -> Any:
        """What `hero_dev team` answers."""
        done = self.machine.run([PYTHON, "-m", "hero_tui.cli", "team", *words, "--json"], user=user, check=check)
        return json.loads(done.stdout)

    def apply(self) -> list[str]:
        """The kinds of what was done, all of it well."""
        run = self.dev("apply")
        assert run["problems"] == []
        return [one["kind"] for one in run["actions"]]

    def ssh(self, user: str, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.machine.ssh(user, self.keys / user, argv, check=check)


@pytest.fixture(scope="module")
def box(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Synced:
    keys = tmp_path_factory.mktemp("keys")
    make_keys(keys, "alice", "bob", "sara")
    machine = lab.machine("box", binds=[(ROOT, "/srv/hero")])
    machine.run(["sh", "-euc", INSTALL], timeout=300)
    made = Synced(machine, keys)
    people = {f"users/{name}.toml": made.person(name) for name in ("alice", "bob")}
    made.push({"team.toml": TEAM, **people})
    machine.write("/etc/systemd/system/hero_team_sync.service", UNIT)
    machine.run(["systemctl", "start", "hero_team_sync"])
    machine.wait(lambda: made.dev("status")["last"], "the first run", timeout=60)
    return made


def test_everybody_can_log_in_with_their_key_and_has_a_slot(box: Synced) -> None:
    assert box.dev("plan")["actions"] == []
    for user in ("alice", "bob"):
        said = box.ssh(
            user,
            "sh",
            "-c",
            "id -u; readlink hero/var/sockets; ls -A hero/cfg; loginctl show-user $(id -un) -p Linger",
        )
        uid, sockets, manifest, linger = said.stdout.split()
        assert 20_000 <= int(uid) < 30_000
        assert (sockets, manifest, linger) == (f"/run/hero/slots/{user}", "dev_manifest.toml", "Linger=yes")
    acl = box.machine.run(["getfacl", "-p", "/run/hero/slots/alice"]).stdout
    assert "user:caddy:--x" in acl
    assert "default:user:caddy:rwx" in acl


def test_a_user_cannot_read_what_is_roots_nor_anothers(box: Synced) -> None:
    for path in ("/var/lib/hero/team_sync", "/home/alice", "/run/hero/slots/alice"):
        assert box.ssh("bob", "ls", path, check=False).returncode != 0
    assert box.ssh("bob", "cat", "/var/lib/hero/team/checkout/COMMIT").stdout.strip()
    assert (
        box.ssh("bob", "sh", "-c", "echo x > /var/lib/hero/team/checkout/team.toml", check=False).returncode != 0
    )
    assert box.ssh("bob", "tail", "-1", "/var/log/hero/team_sync.jsonl").stdout
    assert box.machine.run(["ls", "/run/hero/team_sync"], user="nobody", check=False).returncode != 0


def test_members_may_look_and_only_admins_restore(box: Synced) -> None:
    assert box.dev("status", user="bob")["users"]
    assert box.dev("plan", user="bob")["actions"] == []
    assert box.dev("restore", "alice", user="bob", check=False)["error"]["code"] == "denied"
    assert box.dev("restore", "bob", user="alice", check=False)["error"]["code"] == "nothing_to_do"


def test_a_new_file_is_a_new_slot_within_seconds(box: Synced) -> None:
    limits = '[limits]\nmemory = "256M"\ntasks = 100\n'
    box.push({"users/sara.toml": box.person("sara", f'groups = ["docker"]\n{limits}')})
    assert "create_account" in box.apply()
    assert "docker" in box.ssh("sara", "id", "-nG").stdout
    uid = box.ssh("sara", "id", "-u").stdout.strip()
    shown = box.machine.run(["systemctl", "show", f"user-{uid}.slice", "-p", "TasksMax", "-p", "MemoryMax"]).stdout
    assert set(shown.split()) == {"TasksMax=100", "MemoryMax=268435456"}
    box.push({"users/sara.toml": box.person("sara", "[limits]\ntasks = 200\n")})
    assert box.apply() == ["set_groups", "set_limits"]
    shown = box.machine.run(["systemctl", "show", f"user-{uid}.slice", "-p", "TasksMax", "-p", "MemoryMax"]).stdout
    assert set(shown.split()) == {"TasksMax=200", "MemoryMax=infinity"}
    assert box.apply() == []


def test_somebody_who_leaves_is_ended_archived_and_locked_and_comes_back(box: Synced) -> None:
    work = (
        "mkdir -p w; echo unpushed > w/x; setfacl -m u:alice:r w/x; truncate -s 1G sparse; mkfifo pipe; chmod 0 w"
    )
    box.ssh("bob", "sh", "-c", f"{work}; setsid sleep 1000 >/dev/null 2>&1 &")
    uid = box.ssh("bob", "id", "-u").stdout.strip()
    box.push({"users/bob.toml": None})
    assert box.apply() == ["lock_account", "end_sessions", "archive_home", "remove_home"]
    assert box.ssh("bob", "true", check=False).returncode == 255
    assert box.machine.run(["pgrep", "-u", uid], check=False).stdout == ""
    assert box.machine.run(["ls", "/home"]).stdout.split() == ["alice", "sara"]
    assert box.apply() == []
    run = box.dev("restore", "bob", user="alice")
    assert run["problems"] == []
    said = box.ssh("bob", "sh", "-c", "chmod 700 w; id -u; cat w/x; getfacl -c w/x").stdout
    assert said.startswith(f"{uid}\nunpushed\n")
    assert "user:alice:r--" in said
    assert box.apply() == []
    box.push({"users/bob.toml": box.person("bob")})
    assert box.apply() == []


def test_a_home_full_of_traps_changes_nothing_of_the_machine(box: Synced) -> None:
    shadow = box.machine.run(["sha256sum", "/etc/shadow"]).stdout
    traps = "rm -rf hero .ssh/authorized_keys; ln -s /etc hero; ln -s /etc/shadow .ssh/authorized_keys"
    box.ssh("bob", "sh", "-c", traps)
    run = box.dev("apply", check=False)
    assert {one["user"] for one in run["actions"] if not one["ok"]} == {"bob"}
    assert any("~/hero is a link" in problem for problem in run["problems"])
    assert box.machine.run(["sha256sum", "/etc/shadow"]).stdout == shadow
    assert box.machine.run(["ls", "/etc/cfg"], check=False).returncode != 0
    box.machine.run(["sh", "-c", "rm /home/bob/hero /home/bob/.ssh/authorized_keys"], user="bob")
    assert set(box.apply()) == {"make_home", "set_keys"}
    assert box.ssh("bob", "true").returncode == 0


def test_a_daemon_that_is_killed_is_back_and_knows_everything(box: Synced) -> None:
    before = box.dev("status")["users"]
    box.machine.run(["systemctl", "kill", "--signal=KILL", "hero_team_sync"])
    box.machine.wait(
        lambda: box.machine.run(["systemctl", "is-active", "hero_team_sync"], check=False).returncode == 0, "it"
    )
    assert box.dev("status")["users"] == before
    assert box.apply() == []


def test_after_a_power_failure_everybody_is_there(box: Synced) -> None:
    box.machine.kill()
    box.machine.boot()
    box.machine.run(["systemctl", "start", "hero_team_sync"])
    assert box.apply() == []
    assert box.machine.run(["stat", "-c", "%U", "/run/hero/slots/alice"]).stdout.strip() == "alice"
    assert box.ssh("alice", "true").returncode == 0


def test_a_rewritten_history_is_followed_only_once_an_admin_says_so(box: Synced) -> None:
    rewrite = (
        "cd /srv/team && git commit -q --amend -m y && git push -q --force origin HEAD:main && git rev-parse HEAD"
    )
    head = box.machine.run(["sh", "-c", f"{rewrite} && chown -R hero:hero {FORGE}"]).stdout.strip()
    stopped = box.dev("apply", check=False)
    assert "rewritten" in stopped["stopped"]
    assert box.dev("accept", head, user="bob", check=False)["error"]["code"] == "denied"
    assert box.dev("accept", head, user="alice")["commit"] == head
