"""A real Gitea on a machine of its own in the lab, with a team's repositories on it."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from backends.forge.folder import FolderForge
from hero_tui.demo_box.histories import write_service
from tests.acceptance.small_box import SERVICES, TEAM_REPO
from tests.forgejo_server.gitea import binary
from tests.lab.labs import Lab
from tests.lab.machine import Machine

ORG = TEAM_REPO.partition("/")[0]
SECONDS = 60.0

_CONFIG = """\
RUN_USER = gitea
WORK_PATH = /var/lib/gitea
[server]
HTTP_PORT = 3000
ROOT_URL = http://{ip}:3000/
STATIC_ROOT_PATH = /opt/gitea
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = /var/lib/gitea/gitea.db
SQLITE_JOURNAL_MODE = WAL
[security]
INSTALL_LOCK = true
SECRET_KEY = only-for-tests
PASSWORD_HASH_ALGO = pbkdf2$2$8
[webhook]
ALLOWED_HOST_LIST = *
[service]
DISABLE_REGISTRATION = true
[indexer]
ISSUE_INDEXER_TYPE = db
[log]
LEVEL = Warn
"""

_UNIT = """\
[Unit]
Description=The team's forge
[Service]
User=gitea
ExecStart=/opt/gitea/gitea -c /etc/gitea.ini web
WorkingDirectory=/var/lib/gitea
[Install]
WantedBy=multi-user.target
"""

_ADMIN = ["admin", "user", "create", "--admin", "--username", "keeper", "--email", "keeper@hero.example"]
_TOKEN = ["--random-password", "--must-change-password=false", "--access-token", "--access-token-scopes", "all"]


@dataclass(frozen=True)
class TeamForge:
    """The forge at `url`; `token` may do everything there."""

    machine: Machine
    url: str
    token: str

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """A call of its API; what it answers."""
        headers = {"Authorization": f"token {self.token}"}
        url = f"{self.url}/api/v1{path}"
        answer = httpx.request(method, url, json=body, headers=headers, timeout=SECONDS, trust_env=False)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def commit(self, path: str, text: str | None, subject: str, repo: str = TEAM_REPO) -> str:
        """Write a file of a repository's trunk, or with None remove it; the new commit."""
        place = f"/repos/{repo}/contents/{path}"
        found = httpx.get(
            f"{self.url}/api/v1{place}",
            headers={"Authorization": f"token {self.token}"},
            timeout=SECONDS,
            trust_env=False,
        )
        body: dict[str, Any] = {"message": subject, "branch": "development"}
        if found.status_code == 200:
            body["sha"] = found.json()["sha"]
        if text is None:
            made = self.api("DELETE", place, body)
        else:
            body["content"] = base64.b64encode(text.encode()).decode()
            made = self.api("PUT" if "sha" in body else "POST", place, body)
        return str(made["commit"]["sha"])

    def person(self, name: str) -> None:
        """Somebody who can log in at the forge."""
        account = {"username": name, "email": f"{name}@hero.example", "password": f"not-a-secret-{name}"}
        self.api("POST", "/admin/users", {**account, "must_change_password": False})

    def make(self, repo: str, bare: Path, *, private: bool = False) -> None:
        """A repository with all that the bare one has."""
        name = repo.partition("/")[2]
        self.api("POST", f"/orgs/{ORG}/repos", {"name": name, "private": private, "default_branch": "development"})
        address = self.url.replace("http://", f"http://keeper:{self.token}@")
        push = ["git", "-C", str(bare), "push", "-q", f"{address}/{repo}.git", "refs/heads/*:refs/heads/*"]
        subprocess.run(push, check=True, capture_output=True)


def team_forge(lab: Lab, team: dict[str, str]) -> TeamForge:
    """A forge machine with the services' repositories, and a team repo of the files `team`."""
    machine = lab.machine("forge", binds=[(binary().static, "/opt/gitea")])
    machine.run(["useradd", "--system", "--create-home", "--home-dir", "/var/lib/gitea", "gitea"])
    machine.write("/etc/gitea.ini", _CONFIG.format(ip=machine.ip))
    machine.run(["chown", "gitea", "/etc/gitea.ini"])
    machine.write("/etc/systemd/system/gitea.service", _UNIT)
    machine.run(["systemctl", "enable", "--now", "gitea.service"])
    url = f"http://{machine.ip}:3000"
    _wait(url)
    told = machine.run(["/opt/gitea/gitea", "-c", "/etc/gitea.ini", *_ADMIN, *_TOKEN], user="gitea").stdout
    token = next(line.split()[-1] for line in told.splitlines() if "token" in line.lower())
    forge = TeamForge(machine, url, token)
    forge.api("POST", "/orgs", {"username": ORG})
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_fill(forge, Path(folder)))
    forge.api(
        "POST", f"/orgs/{ORG}/repos", {"name": "hero_team", "auto_init": True, "default_branch": "development"}
    )
    for path, text in team.items():
        forge.commit(path, text, f"Begin {path}")
    return forge


async def _fill(forge: TeamForge, folder: Path) -> None:
    local, now = FolderForge(folder), int(time.time())
    for service in SERVICES:
        bare = await local.create_repository(service.repo)
        await write_service(bare, service, now)
        await asyncio.to_thread(forge.make, service.repo, bare)
    await local.aclose()


def _wait(url: str) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/api/healthz", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"the forge at {url} does not answer")
