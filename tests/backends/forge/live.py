"""The Forgejo or Gitea that HERO_TEST_FORGE_URL names, with empty organisations in it; made for the live tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from backends.forge.base import Forge
from backends.forge.forgejo import Forgejo
from tests.backends.forge.contract import DEADLINE, REPO
from tests.backends.forge.repositories import new_repository, run_git

URL = os.environ.get("HERO_TEST_FORGE_URL", "").rstrip("/")
TOKEN = os.environ.get("HERO_TEST_FORGE_TOKEN", "")
ADMIN = os.environ.get("HERO_TEST_FORGE_ADMIN_TOKEN", "")
ORGANISATIONS = ("lhumina_code", "alpha", "zeta")

needs_forge = [
    pytest.mark.skipif(not (URL and TOKEN and ADMIN), reason="needs HERO_TEST_FORGE_URL, _TOKEN and _ADMIN_TOKEN"),
    # The contract's organisations have fixed names, so its tests cannot run beside each other on one forge.
    pytest.mark.xdist_group("live_forge"),
]

Connect = Callable[[], Forgejo]


@pytest.fixture
async def admin() -> AsyncIterator[httpx.AsyncClient]:
    """The forge as its administrator sees it, with empty organisations that the token's account owns."""
    headers = {"Authorization": f"token {ADMIN}"}
    async with httpx.AsyncClient(base_url=f"{URL}/api/v1", headers=headers, trust_env=False) as client:
        who = await client.get("/user", headers={"Authorization": f"token {TOKEN}"})
        await _remove_organisations(client)
        for name in ORGANISATIONS:
            made = await client.post(f"/admin/users/{who.json()['login']}/orgs", json={"username": name})
            assert made.status_code == 201, made.text
        yield client
        await _remove_organisations(client)


async def _remove_organisations(client: httpx.AsyncClient) -> None:
    for name in ORGANISATIONS:
        while (listed := await client.get(f"/orgs/{name}/repos")).status_code == 200 and listed.json():
            for repo in listed.json():
                await client.delete(f"/repos/{repo['full_name']}")
        await client.delete(f"/orgs/{name}")


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "forge_token"
    path.touch(mode=0o600)
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
def connect(admin: httpx.AsyncClient, token_file: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Makes a Forgejo; plain git of the tests uses its credentials from then on."""

    def make() -> Forgejo:
        forge = Forgejo(URL, TOKEN, token_file=token_file, poll_seconds=0.2)
        for name, value in forge.git_environment().items():
            monkeypatch.setenv(name, value)
        return forge

    return make


async def pushed(forge: Forge, folder: Path) -> Path:
    """A worktree of REPO, which is made, with one pushed commit that the forge has taken note of."""
    await forge.create_repository(REPO)
    work = new_repository(folder)
    run_git(work, "remote", "add", "origin", await forge.clone_url(REPO))
    run_git(work, "push", "--quiet", "origin", "development")
    async with asyncio.timeout(DEADLINE):
        while not (await forge.branches(REPO)).items:
            await asyncio.sleep(0.05)
    return work
