"""What every Forge must do: subclass ForgeContract in a test module and give it the two fixtures."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from backends.forge.base import Branch, Forge, Page, Release
from backends.model.errors import HeroError
from backends.model.release import release_tag
from tests.backends.forge.repositories import commit, new_repository, run_git

REPO = "lhumina_code/hero_router"
ARCHIVE = "hero_router-linux-musl-x86_64.tar.gz"
DEADLINE = 20
"""Seconds after which something that must happen has not."""

CreateRepository = Callable[[str], Awaitable[object]]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def a_file(folder: Path, content: bytes, name: str = ARCHIVE) -> Path:
    """A file of `content` called `name`, in a folder of its own."""
    path = folder / sha256(content)[:12] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


async def read(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in stream])


async def all_releases(forge: Forge, repo: str, *, branch: str | None = None, limit: int = 30) -> list[Release]:
    """Every release, page after page."""
    found: list[Release] = []
    page: int | None = 1
    while page:
        answer: Page[Release] = await forge.releases(repo, branch=branch, page=page, limit=limit)
        found += answer.items
        page = answer.next_page
    return found


async def draft(forge: Forge, tag: str, at: str) -> Release:
    return await forge.create_draft(REPO, tag=tag, commit=at, title=f"Build of {tag}", body="notes", author="mik")


class ForgeContract:
    """The contract of `backends.forge.base.Forge`, proved on a real implementation."""

    @pytest.fixture
    async def forge(self, tmp_path: Path) -> AsyncIterator[Forge]:
        """A forge without repositories, closed at the end."""
        raise NotImplementedError
        yield  # noqa: PT022, implementations have a teardown

    @pytest.fixture
    def create_repository(self, forge: Forge) -> CreateRepository:
        """Makes an empty repository of the given name in `forge`."""
        raise NotImplementedError

    @pytest.fixture
    async def work(self, forge: Forge, create_repository: CreateRepository, tmp_path: Path) -> Path:
        """A worktree of REPO with one pushed commit on `development`."""
        await create_repository(REPO)
        work = new_repository(tmp_path / "work")
        run_git(work, "remote", "add", "origin", await forge.clone_url(REPO))
        run_git(work, "push", "--quiet", "origin", "development")
        return work

    @pytest.fixture
    def head(self, work: Path) -> str:
        return run_git(work, "rev-parse", "HEAD")

    async def publish(self, forge: Forge, work: Path, branch: str, content: bytes = b"archive") -> Release:
        """Commit, push `branch` and publish a release of it with one asset."""
        at = commit(work, f"for {branch}")
        run_git(work, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        made = await draft(forge, release_tag(branch, at), at)
        await forge.upload_asset(REPO, made.id, a_file(work.parent, content))
        return await forge.publish(REPO, made.id)

    # Branches, comparisons and statuses of our own

    async def test_a_branch_is_made_once_and_never_moved(self, forge: Forge, work: Path, head: str) -> None:
        made = await forge.create_branch(REPO, "development_mik", "development")
        assert (made.name, made.commit) == ("development_mik", head)
        assert await forge.create_branch(REPO, "development_mik", head) == made
        commit(work, "more")
        run_git(work, "push", "--quiet", "origin", "HEAD:development")
        with pytest.raises(HeroError) as caught:
            await forge.create_branch(REPO, "development_mik", "development")
        assert caught.value.code == "conflict"
        assert (await forge.branch(REPO, "development_mik")).commit == head

    async def test_a_branch_of_what_is_not_there_gets_the_nearest_names(self, forge: Forge, work: Path) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.create_branch(REPO, "mine", "developmnet")
        assert caught.value.code == "not_found"
        assert "development" in str(caught.value)

    @pytest.mark.parametrize("name", ["", "a..b", "-x", "a b", "x.lock", "a\x1b[2J"])
    async def test_a_branch_name_that_git_does_not_take_is_refused(
        self, forge: Forge, work: Path, name: str
    ) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.create_branch(REPO, name, "development")
        assert caught.value.code == "usage"
        assert "\x1b" not in str(caught.value)

    async def test_two_commits_are_compared_in_pages_newest_first(
        self, forge: Forge, work: Path, head: str
    ) -> None:
        made = [commit(work, f"step {number}", date=1_700_000_100 + number) for number in range(5)]
        run_git(work, "push", "--quiet", "origin", "HEAD:refs/heads/topic/x")
        first = await forge.compare(REPO, head, "topic/x", limit=3)
        assert [one.commit for one in first.items] == made[:1:-1]
        assert first.items[0].subject == "step 4"
        assert first.next_page == 2
        rest = await forge.compare(REPO, head, made[-1], page=2, limit=3)
        assert [one.commit for one in rest.items] == made[1::-1]
        assert rest.next_page is None
        assert (await forge.compare(REPO, "topic/x", "development")).items == ()

    async def test_two_releases_are_compared_by_their_tags(self, forge: Forge, work: Path) -> None:
        older = await self.publish(forge, work, "development")
        newer = await self.publish(forge, work, "development", b"another archive")
        found = await forge.compare(REPO, older.tag, newer.tag)
        assert [one.commit for one in found.items] == [newer.commit]

    async def test_what_cannot_be_compared_is_not_found(self, forge: Forge, work: Path) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.compare(REPO, "development", "developmnet")
        assert caught.value.code == "not_found"

    async def test_the_newest_status_of_a_context_counts(self, forge: Forge, work: Path, head: str) -> None:
        assert await forge.statuses(REPO, head) == ()
        await forge.set_status(REPO, head, "pending", context="hero/build", description="mik builds it")
        await forge.set_status(REPO, head, "success", context="other")
        await forge.set_status(REPO, head, "failure", context="hero/build", description="exit 1")
        found = await forge.statuses(REPO, head)
        assert [(one.context, one.state, one.description) for one in found] == [
            ("hero/build", "failure", "exit 1"),
            ("other", "success", ""),
        ]

    # Repositories and branches

    async def test_repositories_are_listed_sorted(self, forge: Forge, create_repository: CreateRepository) -> None:
        for name in ("zeta/one", "alpha/two", "alpha/one"):
            await create_repository(name)
        assert await forge.repositories() == ("alpha/one", "alpha/two", "zeta/one")

    async def test_the_clone_url_can_be_cloned(self, forge: Forge, work: Path, tmp_path: Path) -> None:
        run_git(tmp_path, "clone", "--quiet", "--branch=development", "--", await forge.clone_url(REPO), "copy")
        assert run_git(tmp_path / "copy", "rev-parse", "HEAD") == run_git(work, "rev-parse", "HEAD")

    async def test_an_unknown_repository_gets_the_nearest_names(self, forge: Forge, work: Path) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.branches("lhumina_code/hero_ruter")
        assert caught.value.code == "not_found"
        assert REPO in caught.value.data["nearest"]

    @pytest.mark.parametrize(
        "name", ["", "x", "../etc", "a/../b", "a/b/c", "/a/b", "-a/b", "a/b\x1b[2J", "a/\0", "a/b.git"]
    )
    async def test_a_repository_name_that_cannot_be_is_refused(self, forge: Forge, name: str) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.branches(name)
        assert caught.value.code == "usage"
        assert "\x1b" not in str(caught.value)

    async def test_branches_come_newest_first_in_pages(self, forge: Forge, work: Path) -> None:
        for number in range(5):
            commit(work, f"step {number}", date=1_700_000_100 + number)
            run_git(work, "push", "--quiet", "origin", f"HEAD:refs/heads/topic/{number}")
        names: list[str] = []
        page: int | None = 1
        while page:
            answer: Page[Branch] = await forge.branches(REPO, page=page, limit=4)
            names += [branch.name for branch in answer.items]
            page = answer.next_page
        assert names == [f"topic/{n}" for n in (4, 3, 2, 1, 0)] + ["development"]

    async def test_a_branch_tells_its_newest_commit(self, forge: Forge, work: Path) -> None:
        at = commit(work, "Ωmega; $(reboot)", date=1_700_000_500)
        run_git(work, "push", "--quiet", "origin", "HEAD:refs/heads/development_mik/новая;$(id)")
        branch = await forge.branch(REPO, "development_mik/новая;$(id)")
        assert (branch.commit, branch.author, branch.subject) == (at, "Mik", "Ωmega; $(reboot)")
        assert (branch.committed_at.timestamp(), branch.committed_at.tzinfo) == (1_700_000_500, UTC)

    async def test_a_subject_with_escapes_is_harmless(self, forge: Forge, work: Path) -> None:
        commit(work, "evil \x1b]0;owned\x07 \x1b[2J \u202egnp")
        run_git(work, "push", "--quiet", "origin", "development")
        subject = (await forge.branch(REPO, "development")).subject
        assert subject.isprintable()
        assert "owned" not in subject

    @pytest.mark.parametrize(
        "name", ["developmen", "develop*", "refs/heads/development", "", "-x", "a b", "\x1b[2J", "a\0b", "\udcff"]
    )
    async def test_only_the_exact_branch_is_found(self, forge: Forge, work: Path, name: str) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.branch(REPO, name)
        assert caught.value.code in ("not_found", "usage")
        assert "\x1b" not in str(caught.value)

    async def test_an_unknown_branch_gets_the_nearest_names(self, forge: Forge, work: Path) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.branch(REPO, "developmnet")
        assert caught.value.data["nearest"] == ["development"]

    async def test_a_raw_file_is_read_at_branch_tag_and_hash(self, forge: Forge, work: Path) -> None:
        old = commit(work, "old", {"hero_service.toml": "schema = 1\n"})
        run_git(work, "tag", "v1")
        new = commit(work, "new", {"hero_service.toml": "schema = 2\n"})
        run_git(work, "push", "--quiet", "origin", "development", "v1")
        for ref, content in (
            (old, b"schema = 1\n"),
            ("v1", b"schema = 1\n"),
            (new, b"schema = 2\n"),
            ("development", b"schema = 2\n"),
        ):
            assert await forge.raw_file(REPO, ref, "hero_service.toml") == content
        assert await forge.raw_file(REPO, "development", "nothing.toml") is None

    @pytest.mark.parametrize("path", ["../HEAD", "/etc/passwd", "a//b", "", "a/./b"])
    async def test_a_raw_file_stays_in_the_tree(self, forge: Forge, work: Path, path: str) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.raw_file(REPO, "development", path)
        assert caught.value.code == "usage"

    async def test_a_raw_file_at_an_unknown_ref_is_an_error(self, forge: Forge, work: Path) -> None:
        for ref in ("nowhere", "a" * 40, "--help", "HEAD@{1}"):
            with pytest.raises(HeroError) as caught:
                await forge.raw_file(REPO, ref, "hero_service.toml")
            assert caught.value.code == "not_found"

    # Releases

    async def test_a_draft_is_seen_only_when_asked_for(self, forge: Forge, head: str) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        assert made.draft
        assert made.published_at is None
        assert (await forge.releases(REPO)).items == ()
        assert (await forge.releases(REPO, drafts=True)).items == (made,)
        assert await forge.latest_release(REPO, "development") is None

    async def test_a_draft_of_the_same_commit_is_made_once(self, forge: Forge, head: str) -> None:
        tag = f"development-{head[:8]}"
        drafts = await asyncio.gather(*(draft(forge, tag, head) for _ in range(4)))
        assert len({made.id for made in drafts}) == 1
        assert len((await forge.releases(REPO, drafts=True)).items) == 1

    async def test_a_draft_of_a_commit_that_was_never_pushed_is_refused(self, forge: Forge, work: Path) -> None:
        at = commit(work, "only here")
        with pytest.raises(HeroError) as caught:
            await draft(forge, f"development-{at[:8]}", at)
        assert caught.value.code == "not_found"
        assert "ush" in caught.value.hint

    async def test_a_published_release_gives_back_what_went_in(self, forge: Forge, work: Path) -> None:
        release = await self.publish(forge, work, "development", b"\0payload\xff" * 1000)
        assert release == await forge.release(REPO, release.tag) == await forge.latest_release(REPO, "development")
        assert not release.draft
        assert release.published_at
        assert release.published_at.tzinfo
        assert (release.repo, release.title, release.body) == (REPO, f"Build of {release.tag}", "notes")
        assert [(a.name, a.size, a.sha256) for a in release.assets] == [
            (ARCHIVE, 9000, sha256(b"\0payload\xff" * 1000))
        ]
        assert await read(forge.open_asset(REPO, release.tag, ARCHIVE)) == b"\0payload\xff" * 1000

    async def test_a_download_is_resumed_at_any_byte(self, forge: Forge, work: Path) -> None:
        content = bytes(range(256)) * 8192
        release = await self.publish(forge, work, "development", content)
        for offset in (1, len(content) - 1, len(content)):
            assert await read(forge.open_asset(REPO, release.tag, ARCHIVE, offset=offset)) == content[offset:]
        with pytest.raises(HeroError):
            await read(forge.open_asset(REPO, release.tag, ARCHIVE, offset=len(content) + 1))

    async def test_a_download_may_be_left_half_way(self, forge: Forge, work: Path) -> None:
        release = await self.publish(forge, work, "development", b"x" * 3_000_000)
        async for chunk in forge.open_asset(REPO, release.tag, ARCHIVE):
            assert 0 < len(chunk) < 3_000_000
            break

    async def test_an_unknown_tag_and_asset_get_the_nearest_names(self, forge: Forge, work: Path) -> None:
        release = await self.publish(forge, work, "development")
        with pytest.raises(HeroError) as caught:
            await forge.release(REPO, release.tag[:-1])
        assert (caught.value.code, caught.value.data["nearest"]) == ("not_found", [release.tag])
        with pytest.raises(HeroError) as caught:
            await read(forge.open_asset(REPO, release.tag, "hero_router-linux-x86_64.tar.gz"))
        assert (caught.value.code, caught.value.data["nearest"]) == ("not_found", [ARCHIVE])

    async def test_releases_come_by_publication_not_by_name_or_commit(self, forge: Forge, work: Path) -> None:
        tags = [(await self.publish(forge, work, branch)).tag for branch in ("zeta", "alpha", "mid")]
        assert [release.tag for release in (await forge.releases(REPO)).items] == tags[::-1]

    async def test_a_branch_filter_is_exact(self, forge: Forge, work: Path) -> None:
        branches = ("development", "development_mik", "development-fix", "feature/development", "developments")
        tags = {branch: (await self.publish(forge, work, branch)).tag for branch in branches}
        for branch, tag in tags.items():
            assert [release.tag for release in await all_releases(forge, REPO, branch=branch)] == [tag]
            latest = await forge.latest_release(REPO, branch)
            assert latest
            assert latest.tag == tag
        for nobody in ("devel", "", "develop*", "feature", "/", "\x1b"):
            assert (await forge.releases(REPO, branch=nobody)).items == ()
            assert await forge.latest_release(REPO, nobody) is None

    @pytest.mark.parametrize(
        "branch",
        ["a/b/c", "ветка_мик", "x;rm$IFS-rf&", "100%", "a%2Fb", "q'\"`$(id)", "x-", "@home", "a@b", "x-abcdef12"],
    )
    async def test_any_branch_that_git_takes_can_be_published(self, forge: Forge, work: Path, branch: str) -> None:
        release = await self.publish(forge, work, branch)
        assert [found.tag for found in await all_releases(forge, REPO, branch=branch)] == [release.tag]
        assert await read(forge.open_asset(REPO, release.tag, ARCHIVE)) == b"archive"

    @pytest.mark.parametrize(
        "tag",
        ["", "../x", "a b", "a..b", "x\x1b[2J", "x\n", "-x", ".x", "a/.x", "x.lock", "\u202ex", "x" * 300, "a\0"],
    )
    async def test_a_tag_that_cannot_be_is_refused(self, forge: Forge, head: str, tag: str) -> None:
        with pytest.raises(HeroError) as caught:
            await draft(forge, tag, head)
        assert caught.value.code == "usage"
        assert "\x1b" not in str(caught.value)

    @pytest.mark.parametrize("at", ["", "HEAD", "development", "abcdef12", "A" * 40, "--help"])
    async def test_a_draft_needs_a_full_hash(self, forge: Forge, work: Path, at: str) -> None:
        with pytest.raises(HeroError) as caught:
            await draft(forge, "development-abcdef12", at)
        assert caught.value.code == "usage"

    async def test_pages_hold_each_release_once(self, forge: Forge, work: Path) -> None:
        tags = [(await self.publish(forge, work, f"b{n}")).tag for n in range(7)]
        for limit in (1, 3, 7, 30):
            assert [r.tag for r in await all_releases(forge, REPO, limit=limit)] == tags[::-1]

    @pytest.mark.parametrize(("page", "limit"), [(0, 5), (-1, 5), (1, 0), (1, 1_000_000)])
    async def test_a_page_that_cannot_be_is_refused(self, forge: Forge, work: Path, page: int, limit: int) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.releases(REPO, page=page, limit=limit)
        assert caught.value.code == "usage"

    # Uploads

    async def test_an_upload_reports_its_progress(self, forge: Forge, head: str, tmp_path: Path) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        seen: list[tuple[int, int | None]] = []
        content = b"y" * 2_500_000
        await forge.upload_asset(
            REPO, made.id, a_file(tmp_path, content), progress=lambda done, of: seen.append((done, of))
        )
        assert seen == sorted(seen)
        assert seen[-1] == (len(content), len(content))

    async def test_the_same_file_twice_is_one_asset(self, forge: Forge, head: str, tmp_path: Path) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        first = await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"one"))
        assert await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"one")) == first
        assert (await draft(forge, made.tag, head)).assets == (first,)

    async def test_another_file_of_the_same_name_replaces_it_in_a_draft(
        self, forge: Forge, head: str, tmp_path: Path
    ) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"one"))
        await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"SUMS", "SHA256SUMS"))
        await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"another"))
        release = await forge.publish(REPO, made.id)
        assert {a.name: a.sha256 for a in release.assets} == {
            ARCHIVE: sha256(b"another"),
            "SHA256SUMS": sha256(b"SUMS"),
        }
        assert await read(forge.open_asset(REPO, release.tag, ARCHIVE)) == b"another"

    async def test_uploads_at_once_are_all_kept(self, forge: Forge, head: str, tmp_path: Path) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        files = [a_file(tmp_path, f"content {n}".encode(), f"file-{n}") for n in range(6)]
        await asyncio.gather(*(forge.upload_asset(REPO, made.id, file) for file in files))
        assert {a.name for a in (await forge.publish(REPO, made.id)).assets} == {file.name for file in files}

    @pytest.mark.parametrize(
        "name", ["", "..", "../x", "a/b", ".hidden", "-x", "a\\b", "a\x1b[2J", "x" * 300, "a\0b"]
    )
    async def test_an_asset_name_that_is_no_plain_name_is_refused(
        self, forge: Forge, head: str, tmp_path: Path, name: str
    ) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        with pytest.raises(HeroError) as caught:
            await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"x"), name=name)
        assert caught.value.code == "usage"

    async def test_a_file_that_is_not_there_is_an_error_and_no_asset(
        self, forge: Forge, head: str, tmp_path: Path
    ) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        for path in (tmp_path / "gone", tmp_path):
            with pytest.raises(HeroError):
                await forge.upload_asset(REPO, made.id, path)
        assert (await forge.publish(REPO, made.id)).assets == ()

    async def test_a_cancelled_upload_is_no_asset(self, forge: Forge, head: str, tmp_path: Path) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        begun = asyncio.Event()

        async def upload() -> None:
            file = a_file(tmp_path, b"z" * 50_000_000)
            await forge.upload_asset(REPO, made.id, file, progress=lambda _done, _of: begun.set())

        running = asyncio.create_task(upload())
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await forge.publish(REPO, made.id)).assets == ()

    @pytest.mark.parametrize(
        "identifier",
        ["", "nothing", "../../x", "a@b", "development-abcdef12@" + "0" * 40, "\0", "%2E%2E@" + "0" * 40],
    )
    async def test_an_unknown_draft_is_an_error(self, forge: Forge, work: Path, identifier: str) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.publish(REPO, identifier)
        assert caught.value.code == "not_found"
        with pytest.raises(HeroError) as caught:
            await forge.upload_asset(REPO, identifier, a_file(work.parent, b"x"))
        assert caught.value.code == "not_found"

    # Publication

    async def test_publishing_twice_gives_the_same_release(self, forge: Forge, head: str, tmp_path: Path) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"x"))
        told = await asyncio.gather(*(forge.publish(REPO, made.id) for _ in range(4)))
        found = (await forge.releases(REPO, drafts=True)).items
        # A forge stamps it with the time for each of them that comes while it still is a draft.
        then = found[0].created_at
        assert {replace(one, created_at=then, published_at=then) for one in (*told, *found)} == {
            replace(found[0], published_at=then)
        }
        assert len(found) == 1

    async def test_a_published_release_takes_the_same_file_and_no_other(self, forge: Forge, work: Path) -> None:
        release = await self.publish(forge, work, "development", b"one")
        asset = await forge.upload_asset(REPO, release.id, a_file(work.parent, b"one"))
        assert asset == release.assets[0]
        for name in (ARCHIVE, "another"):
            with pytest.raises(HeroError) as caught:
                await forge.upload_asset(REPO, release.id, a_file(work.parent, b"two"), name=name)
            assert caught.value.code == "conflict"
        assert await forge.release(REPO, release.tag) == release

    async def test_a_draft_of_a_published_tag_is_a_conflict(self, forge: Forge, work: Path) -> None:
        release = await self.publish(forge, work, "development")
        with pytest.raises(HeroError) as caught:
            await draft(forge, release.tag, release.commit)
        assert caught.value.code == "conflict"
        found = caught.value.data
        assert (found["tag"], found["commit"], found["id"]) == (release.tag, release.commit, release.id)

    async def test_of_two_commits_with_one_tag_the_second_is_a_conflict(self, forge: Forge, work: Path) -> None:
        first, second = run_git(work, "rev-parse", "HEAD"), commit(work, "second")
        run_git(work, "push", "--quiet", "origin", "development")
        drafts = [await draft(forge, "development-abcdef12", at) for at in (first, second)]
        assert drafts[0].id != drafts[1].id
        won = await forge.publish(REPO, drafts[0].id)
        with pytest.raises(HeroError) as caught:
            await forge.publish(REPO, drafts[1].id)
        assert (caught.value.code, caught.value.data["commit"]) == ("conflict", first)
        assert await forge.release(REPO, "development-abcdef12") == won

    async def test_a_deleted_draft_is_gone_and_may_be_deleted_again(self, forge: Forge, head: str) -> None:
        made = await draft(forge, f"development-{head[:8]}", head)
        await forge.delete_draft(REPO, made.id)
        await forge.delete_draft(REPO, made.id)
        assert (await forge.releases(REPO, drafts=True)).items == ()
        with pytest.raises(HeroError) as caught:
            await forge.publish(REPO, made.id)
        assert caught.value.code == "not_found"

    async def test_a_published_release_is_not_deleted_as_a_draft(self, forge: Forge, work: Path) -> None:
        release = await self.publish(forge, work, "development")
        with pytest.raises(HeroError) as caught:
            await forge.delete_draft(REPO, release.id)
        assert caught.value.code == "conflict"
        assert await forge.release(REPO, release.tag) == release

    async def test_texts_of_a_release_are_harmless(self, forge: Forge, head: str) -> None:
        made = await forge.create_draft(
            REPO,
            tag=f"development-{head[:8]}",
            commit=head,
            title="t\x1b[2Jitle\nx",
            body="line\n\x1b]0;owned\x07line \udcff",
            author="m\x9b2Jik\u202e",
        )
        assert made.title.isprintable()
        assert made.author.isprintable()
        assert all(line.isprintable() for line in made.body.splitlines())

    # Changes

    async def test_a_push_and_a_release_are_told(
        self, forge: Forge, work: Path, create_repository: CreateRepository
    ) -> None:
        await create_repository("lhumina_code/quiet")
        news = forge.changes()
        told = asyncio.create_task(_next(news))
        await asyncio.sleep(0)  # its first step puts the watch in force
        async with asyncio.timeout(DEADLINE):
            at = commit(work, "news")
            run_git(work, "push", "--quiet", "origin", "HEAD:refs/heads/topic/deep/news")
            assert await told == REPO
            made = await draft(forge, f"topic/deep/news-{at[:8]}", at)
            told = asyncio.create_task(_next(news))
            await forge.publish(REPO, made.id)
            assert await told == REPO
            await forge.aclose()
            assert {name async for name in news} <= {REPO}


async def _next(news: AsyncIterator[str]) -> str:
    return await anext(news)
