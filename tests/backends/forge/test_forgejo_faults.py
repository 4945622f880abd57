"""A forge that fails, on real sockets: what people are told, and that nothing is lost, doubled or half done."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from backends.archives.cache import ArchiveCache
from backends.forge.forgejo import Forgejo
from backends.model.errors import HeroError
from backends.model.release import release_tag
from backends.slot.publishing import Upload, publish
from backends.slot.sources import Sources
from tests.backends.forge.contract import a_file
from tests.backends.forge.repositories import commit, new_repository, run_git
from tests.forgejo_server.faults import Fault
from tests.forgejo_server.server import ForgejoServer, running_server

REPO = "lhumina_code/hero_router"
NAME = "hero_router-linux-any.tar.gz"
BRANCH = "development"
CONTENT = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Scene:
    """A forge with one pushed commit, clients of it, and the cache of a box."""

    server: ForgejoServer
    token: str
    forge: Forgejo
    work: Path
    cache: ArchiveCache

    @property
    def head(self) -> str:
        return run_git(self.work, "rev-parse", "HEAD")

    @property
    def tag(self) -> str:
        return release_tag(BRANCH, self.head)

    async def publish(self, forge: Forgejo | None = None, content: bytes = CONTENT) -> None:
        archive = a_file(self.work.parent, content, NAME)
        upload = Upload(archive, NAME, hashlib.sha256(content).hexdigest())
        await publish(
            forge or self.forge, REPO, BRANCH, self.head, [upload], title="t", author="mik", tell=lambda *_: None
        )

    async def fetch(self) -> bytes:
        """As a slot does it: find the archive of the newest release, verify it into the cache."""
        target = await Sources(self.forge).newest("hero_router", REPO, BRANCH)
        assert target.archive is not None
        opened = partial(self.open, target.tag)
        path = await self.cache.add_stream(opened, target.sha256, target.archive.size)
        return path.read_bytes()

    def open(self, tag: str, offset: int) -> AsyncIterator[bytes]:
        return self.forge.open_asset(REPO, tag, NAME, offset=offset)

    def assets(self) -> list[str]:
        """What the server itself holds of the release."""
        release = self.server.world.repositories[REPO].release_of(self.tag)
        return sorted(asset.name for asset in release.assets) if release else []


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForgejoServer]:
    with running_server(tmp_path / "forge") as running:
        yield running


@pytest.fixture
async def scene(server: ForgejoServer, tmp_path: Path) -> AsyncIterator[Scene]:
    token = server.world.account("mik")
    repository = server.world.create(REPO)
    work = new_repository(tmp_path / "work")
    run_git(work, "push", "--quiet", str(repository.git_dir), BRANCH)
    forge = Forgejo(server.url, token, sleep=no_sleep)
    yield Scene(server, token, forge, work, ArchiveCache(tmp_path / "cache"))
    await forge.aclose()


PAGE = b"<html><body><h1>413 Request Entity Too Large</h1></body></html>"
REFUSALS = [
    (401, b'{"message": "access token does not exist [sha: %TOKEN%]"}', "denied", "token"),
    (403, b'{"message": "token does not have at least one of required scope(s): [write:repository]"}', "denied",
     "write:repository"),
    (404, b'{"message": "The target couldn\'t be found."}', "not_found", "no"),
    (413, PAGE, "failed", "large"),
    (422, b'{"message": "[TagName]: Required"}', "usage", ""),
    (423, b'{"message": "Repo is archived"}', "denied", "archived"),
    (429, b"slow down", "unreachable", ""),
    (500, b'{"message": ""}', "unreachable", ""),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "code", "word"), REFUSALS, ids=[str(one[0]) for one in REFUSALS])
async def test_a_refused_draft_is_a_sentence_and_leaves_nothing(
    scene: Scene, status: int, body: bytes, code: str, word: str
) -> None:
    said = body.replace(b"%TOKEN%", scene.token.encode())
    scene.server.faults.add("POST", r"/releases$", Fault(status, said), times=20)
    with pytest.raises(HeroError) as caught:
        await scene.publish()
    assert caught.value.code == code
    told = f"{caught.value.message} {caught.value.hint}"
    assert word in told
    assert scene.token not in told
    assert scene.assets() == []


async def test_a_missing_scope_is_named_with_where_to_get_it(scene: Scene) -> None:
    reader = Forgejo(scene.server.url, scene.server.world.account("eve", "read:repository", "read:user"))
    with pytest.raises(HeroError) as caught:
        await scene.publish(reader)
    assert caught.value.code == "denied"
    assert "write:repository" in str(caught.value)
    assert f"{scene.server.url}/user/settings/applications" in str(caught.value)
    await reader.aclose()


async def test_a_forge_that_is_down_is_unreachable(scene: Scene) -> None:
    scene.server.stop()
    with pytest.raises(HeroError) as caught:
        await scene.fetch()
    assert caught.value.code == "unreachable"


async def test_a_forge_that_closes_connections_is_asked_again(scene: Scene) -> None:
    await scene.publish()
    scene.server.faults.add("GET", ".", Fault(close=True), times=2)
    assert await scene.fetch() == CONTENT


async def test_a_busy_forge_is_waited_for(scene: Scene) -> None:
    await scene.publish()
    scene.server.faults.add("GET", ".", Fault(429, b"later", (("Retry-After", "1"),)), times=2)
    assert await scene.fetch() == CONTENT


async def test_a_slow_answer_is_an_answer(scene: Scene) -> None:
    await scene.publish()
    scene.server.faults.add("GET", r"attachments|download", Fault(drip=400_000), times=2)
    assert await scene.fetch() == CONTENT


async def test_an_upload_that_is_cut_leaves_a_draft_that_the_next_publisher_completes(scene: Scene) -> None:
    scene.server.faults.add("POST", r"/assets$", Fault(cut_upload=100_000), times=4)
    with pytest.raises(HeroError) as caught:
        await scene.publish()
    assert caught.value.code == "unreachable"
    assert await scene.forge.latest_release(REPO, BRANCH) is None
    scene.server.faults.clear()
    await scene.publish()
    assert scene.assets() == ["SHA256SUMS", NAME]
    assert await scene.fetch() == CONTENT


async def test_a_download_that_is_cut_goes_on_where_it_stopped(scene: Scene) -> None:
    await scene.publish()
    release = await scene.forge.release(REPO, scene.tag)
    size = next(asset.size for asset in release.assets if asset.name == NAME)
    opened = partial(scene.open, scene.tag)
    scene.server.faults.add("GET", r"attachments|download", Fault(cut_download=300_000), times=4)
    with pytest.raises(HeroError) as caught:
        await scene.cache.add_stream(opened, DIGEST, size)
    assert caught.value.code == "unreachable"
    scene.server.faults.clear()
    (await scene.cache.add_stream(opened, DIGEST, size)).read_bytes()
    asked = [one.headers.get("range", "") for one in scene.server.faults.requests if "attachments" in one.path]
    assert asked[-1].startswith("bytes=")
    assert asked[-1] != "bytes=0-"


@pytest.mark.parametrize("fault", [Fault(short=7), Fault(corrupt=True)], ids=["too short", "other bytes"])
async def test_what_does_not_match_its_digest_is_never_kept(scene: Scene, fault: Fault) -> None:
    await scene.publish()
    target = await Sources(scene.forge).newest("hero_router", REPO, BRANCH)
    assert target.archive is not None
    scene.server.faults.add("GET", r"attachments|download", fault, times=10)
    with pytest.raises(HeroError) as caught:
        await scene.cache.add_stream(partial(scene.open, target.tag), target.sha256, target.archive.size)
    assert caught.value.code in ("verification", "unreachable")
    assert await scene.cache.get(target.sha256) is None


async def test_many_slots_that_want_one_archive_download_it_once(scene: Scene) -> None:
    await scene.publish()
    before = scene.server.faults.count("GET", r"attachments|download")
    found = await asyncio.gather(*(scene.fetch() for _ in range(5)))
    assert set(found) == {CONTENT}
    sums = 5
    assert scene.server.faults.count("GET", r"attachments|download") - before == sums + 1


async def test_two_publishers_of_one_commit_end_with_one_release(scene: Scene) -> None:
    other = Forgejo(scene.server.url, scene.server.world.account("alice"), sleep=no_sleep)
    await asyncio.gather(scene.publish(), scene.publish(other))
    assert scene.assets() == ["SHA256SUMS", NAME]
    assert len([one for one in scene.server.world.repositories[REPO].releases if not one.hidden]) == 1
    assert await scene.fetch() == CONTENT
    await other.aclose()


async def test_a_tag_pushed_by_hand_over_our_draft_is_completed_or_refused(scene: Scene) -> None:
    bare = scene.server.world.repositories[REPO]

    def push_the_tag() -> None:
        run_git(scene.work, "push", "--quiet", str(bare.git_dir), f"{scene.head}:refs/tags/{scene.tag}")
        release = bare.release_of(scene.tag)
        assert release is not None
        release.draft = False

    scene.server.faults.add("POST", r"/assets$", act=push_the_tag)
    await scene.publish()
    assert scene.assets() == ["SHA256SUMS", NAME]
    assert await scene.fetch() == CONTENT


async def test_a_tag_of_that_name_on_another_commit_is_a_conflict(scene: Scene) -> None:
    tag, bare = scene.tag, scene.server.world.repositories[REPO]
    run_git(scene.work, "push", "--quiet", str(bare.git_dir), f"{scene.head}:refs/tags/elsewhere")
    other = commit(scene.work, "another")
    run_git(scene.work, "push", "--quiet", str(bare.git_dir), f"HEAD:{BRANCH}", f"{other}:refs/tags/{tag}")
    run_git(scene.work, "reset", "--quiet", "--hard", "HEAD~1")
    with pytest.raises(HeroError) as caught:
        await scene.publish()
    assert caught.value.code == "conflict"
    assert await scene.forge.latest_release(REPO, BRANCH) is None


async def test_a_release_that_is_deleted_while_it_is_fetched_is_told_so(scene: Scene) -> None:
    await scene.publish()

    def delete() -> None:
        release = scene.server.world.repositories[REPO].release_of(scene.tag)
        assert release is not None
        release.assets, release.hidden = [], True

    scene.server.faults.add("GET", r"attachments|download.*tar\.gz", Fault(cut_download=200_000), times=2)
    with pytest.raises(HeroError):
        await scene.fetch()
    delete()
    with pytest.raises(HeroError) as caught:
        await scene.cache.add_stream(partial(scene.open, scene.tag), DIGEST, len(CONTENT))
    assert caught.value.code == "not_found"
    assert await scene.cache.get(DIGEST) is None


@pytest.mark.parametrize("branch", ["development-12345678", "feature/ünï cödé'\"$(id);#%", "a/b/c-deadbeef"])
async def test_a_branch_with_an_odd_name_has_its_own_releases(scene: Scene, branch: str) -> None:
    bare, at = scene.server.world.repositories[REPO], scene.head
    name = branch.replace(" ", "_")
    run_git(scene.work, "push", "--quiet", str(bare.git_dir), f"HEAD:refs/heads/{name}")
    archive = a_file(scene.work.parent, CONTENT, NAME)
    made = await publish(
        scene.forge, REPO, name, at, [Upload(archive, NAME, DIGEST)], title="t", author="mik", tell=lambda *_: None
    )
    assert made.tag == release_tag(name, at)
    assert await scene.forge.latest_release(REPO, BRANCH) is None
    found = await scene.forge.latest_release(REPO, name)
    assert found is not None
    assert found.tag == made.tag


async def test_no_line_of_a_whole_run_holds_the_token(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await scene.publish()
        await scene.fetch()
        scene.server.faults.add("GET", ".", Fault(500, scene.token.encode()), times=10)
        with pytest.raises(HeroError) as caught:
            await scene.forge.branches(REPO)
    assert scene.token not in caplog.text + str(caught.value) + repr(scene.forge)
