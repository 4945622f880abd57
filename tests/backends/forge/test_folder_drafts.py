"""A release is published whole, once and in order, whoever else publishes and whenever anybody is killed."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backends.forge.base import Release
from backends.forge.folder import FolderForge
from backends.model.errors import HeroError
from tests.backends.forge.contract import (
    ARCHIVE,
    REPO,
    a_file,
    all_releases,
    draft,
    read,
)
from tests.backends.forge.folders import NOON, Clock, published
from tests.backends.forge.repositories import commit, run_git

ROOT = Path(__file__).parents[3]


async def in_processes(program: str, *runs: list[str], failpoint: str = "") -> list[tuple[int, str]]:
    """Run `program` in one Python process for each of `runs`, all at once: exit status and output."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "HERO_TEST_FAILPOINT": failpoint}
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, *args, env=env, stdout=asyncio.subprocess.PIPE
        )
        for args in runs
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in started))
    return [(p.returncode or 0, out.decode().strip()) for p, (out, _) in zip(started, outputs, strict=True)]


PUBLISH = """
import asyncio, sys
from pathlib import Path
from backends.forge.folder import FolderForge
from backends.model.errors import HeroError
root, repo, tag, commit, file = sys.argv[1:]
async def main():
    forge = FolderForge(Path(root))
    try:
        draft = await forge.create_draft(repo, tag=tag, commit=commit, title="", body="", author="")
        identifier = draft.id
    except HeroError as error:
        identifier = error.data["id"]
    try:
        await forge.upload_asset(repo, identifier, Path(file))
        release = await forge.publish(repo, identifier)
        print(release.published_at.isoformat(), release.assets[0].sha256)
    except HeroError as error:
        print(error.code)
asyncio.run(main())
"""


async def test_of_many_publishing_processes_all_get_the_one_release(
    forge: FolderForge, head: str, tmp_path: Path
) -> None:
    tag = f"development-{head[:8]}"
    run = [str(forge.root), REPO, tag, head, str(a_file(tmp_path, b"the same" * 100_000))]
    ends = await in_processes(PUBLISH, *[run] * 5)
    assert [code for code, _ in ends] == [0] * 5
    assert len({output for _, output in ends}) == 1
    assert [r.tag for r in (await forge.releases(REPO, drafts=True)).items] == [tag]
    assert await forge.problems(REPO) == []


async def test_processes_that_publish_different_commits_under_one_tag_make_one_release(
    forge: FolderForge, head: str, tmp_path: Path
) -> None:
    other = commit(tmp_path / "work", "other")
    run_git(tmp_path / "work", "push", "--quiet", await forge.clone_url(REPO), "development")
    made = {at: await draft(forge, "development-abcdef12", at) for at in (head, other)}
    for at, content in ((head, b"one"), (other, b"two")):
        await forge.upload_asset(REPO, made[at].id, a_file(tmp_path, content))
    ends = await asyncio.gather(
        *(FolderForge(forge.root).publish(REPO, made[at].id) for at in (head, other)), return_exceptions=True
    )
    winners = [end for end in ends if isinstance(end, Release)]
    losers = [end for end in ends if isinstance(end, HeroError)]
    assert len(winners) == len(losers) == 1
    assert losers[0].code == "conflict"
    assert await forge.release(REPO, "development-abcdef12") == winners[0]


async def test_a_reader_sees_a_release_whole_or_not_at_all(forge: FolderForge, head: str, tmp_path: Path) -> None:
    reader = FolderForge(forge.root)
    made = await draft(forge, f"development-{head[:8]}", head)
    for number in range(5):
        await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"%d" % number, f"file-{number}"))
    publishing = asyncio.create_task(forge.publish(REPO, made.id))
    seen: set[int] = set()
    while not publishing.done() or not seen:
        latest = await reader.latest_release(REPO, "development")
        if latest:
            seen.add(len(latest.assets))
            assert await read(reader.open_asset(REPO, latest.tag, "file-4")) == b"4"
    assert seen == {5}


@pytest.mark.parametrize("failpoint", ["forge.upload.moved", "forge.publish.before", "forge.publish.after"])
async def test_a_killed_publication_is_finished_by_the_next_try(
    forge: FolderForge, head: str, tmp_path: Path, failpoint: str
) -> None:
    tag = f"development-{head[:8]}"
    run = [str(forge.root), REPO, tag, head, str(a_file(tmp_path, b"whole"))]
    assert await in_processes(PUBLISH, run, failpoint=failpoint) == [(-9, "")]
    there = (await forge.releases(REPO)).items
    assert len(there) == (failpoint == "forge.publish.after")
    [(code, output)] = await in_processes(PUBLISH, run)
    assert (code, output != "conflict") == (0, True)
    assert await read(forge.open_asset(REPO, tag, ARCHIVE)) == b"whole"
    assert await forge.problems(REPO) == []


async def test_what_a_killed_upload_left_goes_with_the_next_upload_and_a_running_one_stays(
    forge: FolderForge, head: str, releases: Path, tmp_path: Path
) -> None:
    made = await draft(forge, f"development-{head[:8]}", head)
    (releases / ".uploads" / "dead").write_bytes(b"half")
    begun = asyncio.Event()
    first = asyncio.create_task(
        forge.upload_asset(
            REPO, made.id, a_file(tmp_path, b"f" * 20_000_000, "first"), progress=lambda _done, _of: begun.set()
        )
    )
    await begun.wait()
    await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"second", "second"))
    await first
    assert list((releases / ".uploads").iterdir()) == []
    assert {a.name for a in (await forge.publish(REPO, made.id)).assets} == {"first", "second"}


async def test_an_upload_that_is_over_while_the_next_one_looks_for_remains_is_none(
    forge: FolderForge, head: str, releases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await draft(forge, f"development-{head[:8]}", head)
    theirs = releases / ".uploads" / "theirs"
    theirs.touch()
    opens = Path.open

    def open_later(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path == theirs:
            theirs.unlink()
        return opens(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_later)
    await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"ours", "ours"))
    assert [asset.name for asset in (await forge.publish(REPO, made.id)).assets] == ["ours"]


async def test_a_draft_whose_file_was_cut_short_is_not_published(
    forge: FolderForge, head: str, releases: Path, tmp_path: Path
) -> None:
    made = await draft(forge, f"development-{head[:8]}", head)
    await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"whole"))
    (releases / ".drafts" / made.id / "assets" / ARCHIVE).write_bytes(b"wh")
    with pytest.raises(HeroError) as caught:
        await forge.publish(REPO, made.id)
    assert caught.value.code == "verification"
    assert (await forge.releases(REPO)).items == ()


async def test_releases_stay_in_order_when_the_clock_is_set_back(
    forge: FolderForge, head: str, clock: Clock
) -> None:
    times = []
    for number, now in enumerate((NOON, NOON - timedelta(days=400), NOON, NOON + timedelta(seconds=1))):
        clock.now = now
        times.append((await published(forge, head, f"development-{number:08x}")).published_at)
    assert times == [
        NOON,
        NOON + timedelta(microseconds=1),
        NOON + timedelta(microseconds=2),
        NOON + timedelta(seconds=1),
    ]
    assert [r.published_at for r in await all_releases(forge, REPO)] == times[::-1]
