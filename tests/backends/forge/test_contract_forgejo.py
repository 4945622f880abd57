"""The contract of a forge, by the HTTP client on our own server, as a Forgejo and as a Gitea."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from backends.forge.base import Forge
from backends.forge.forgejo import Forgejo
from backends.model.release import parse_sha256sums
from backends.slot.publishing import Upload, publish
from tests.backends.forge.contract import REPO, a_file, draft, read, sha256
from tests.backends.forge.http_contract import CreateRepository, HttpForgeContract
from tests.backends.forge.repositories import run_git
from tests.forgejo_server.server import ForgejoServer, running_server
from tests.forgejo_server.state import Flavour

FLAVOURS: tuple[Flavour, ...] = ("forgejo", "gitea")


@pytest.fixture(scope="module", params=FLAVOURS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForgejoServer]:
    with running_server(tmp_path_factory.mktemp("forge"), request.param) as server:
        yield server


@pytest.fixture
def server(running: ForgejoServer) -> ForgejoServer:
    """The server, empty again."""
    running.world.repositories.clear()
    running.world.organisations |= {"lhumina_code", "alpha", "zeta"}
    running.faults.clear()
    return running


class TestForgejo(HttpForgeContract):
    @pytest.fixture
    async def forge(
        self, server: ForgejoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[Forge]:
        """A forge whose token git knows too, in this process and the tests' own git."""
        token_file = tmp_path / "forge_token"
        token_file.touch(mode=0o600)
        token = server.world.account("mik")
        token_file.write_text(token)
        forge = Forgejo(server.url, token, token_file=token_file, poll_seconds=0.2)
        for name, value in forge.git_environment().items():
            monkeypatch.setenv(name, value)
        yield forge
        await forge.aclose()

    @pytest.fixture
    def create_repository(self, forge: Forge, server: ForgejoServer, tmp_path: Path) -> CreateRepository:
        async def create(name: str) -> object:
            server.world.folder = tmp_path
            return await forge.create_repository(name)

        return create

    async def test_two_slots_publish_two_platforms_of_one_commit_as_one_release(
        self, forge: Forge, server: ForgejoServer, work: Path, tmp_path: Path
    ) -> None:
        at = run_git(work, "rev-parse", "HEAD")
        tag = f"development-{at[:8]}"
        first = await draft(forge, tag, at)
        arm = a_file(tmp_path, b"for arm", "hero_router-linux-musl-aarch64.tar.gz")
        await forge.upload_asset(REPO, first.id, arm)
        other = Forgejo(server.url, server.world.account("alice"))
        intel = a_file(tmp_path, b"for intel")
        upload = Upload(intel, intel.name, sha256(b"for intel"))
        made = await publish(
            other, REPO, "development", at, [upload], title="t", author="alice", tell=lambda *_: None
        )
        assert sorted(asset.name for asset in made.assets) == ["SHA256SUMS", arm.name, intel.name]
        sums = (await read(other.open_asset(REPO, tag, "SHA256SUMS"))).decode()
        assert parse_sha256sums(sums) == {arm.name: sha256(b"for arm"), intel.name: sha256(b"for intel")}
        await other.aclose()
