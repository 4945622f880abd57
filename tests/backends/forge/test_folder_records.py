"""Names on disk of the folder forge, as properties."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from backends.forge.folder_records import (
    ReleaseRecord,
    check_tag,
    published,
    published_folder,
    release_id,
    split_id,
)
from backends.forge.folder_releases import FolderReleases
from backends.model.names import BadValue, check_branch
from backends.model.release import release_tag

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _is_branch(name: str) -> bool:
    try:
        check_branch(name)
    except BadValue:
        return False
    return True


# Few letters, so that names that begin or end like each other are frequent.
BRANCHES = st.one_of(st.text("dev-_/0a%@.é", min_size=1, max_size=12), st.text(min_size=1, max_size=20)).filter(
    _is_branch
)


@given(BRANCHES, st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)))
def test_a_published_folder_gives_back_its_tag_and_time(branch: str, moment: datetime) -> None:
    tag, moment = release_tag(branch, COMMIT), moment.replace(tzinfo=UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / published_folder(tag, moment)
        folder.mkdir()
        assert [(p.path, p.tag, p.published_at) for p in published(Path(name))] == [(folder, tag, moment)]


@given(BRANCHES)
def test_a_release_id_gives_back_tag_and_commit_and_is_a_plain_name(branch: str) -> None:
    identifier = release_id(release_tag(branch, COMMIT), COMMIT)
    assert split_id(identifier) == (release_tag(branch, COMMIT), COMMIT)
    assert "/" not in identifier
    assert len(identifier.encode()) <= 255


@given(st.text(max_size=30))
def test_a_tag_is_taken_or_refused_and_never_leads_out_of_its_folder(tag: str) -> None:
    try:
        check_tag(tag)
    except BadValue:
        return
    for name in (published_folder(tag, START), release_id(tag, COMMIT)):
        assert Path("/a", name).parent == Path("/a")
        assert name not in (".", "..")


@given(st.lists(BRANCHES, min_size=1, max_size=6, unique=True), BRANCHES)
def test_a_branch_has_exactly_its_own_releases_newest_first(branches: list[str], asked: str) -> None:
    assume(all(len(b) < 100 for b in branches))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        tags: dict[str, list[str]] = {}
        for number in range(len(branches) * 2):
            branch = branches[number % len(branches)]
            tag = f"{branch}-{number:08x}"
            tags.setdefault(branch, []).insert(0, tag)
            folder = root / published_folder(tag, START + timedelta(microseconds=number))
            folder.mkdir()
            record = ReleaseRecord(tag=tag, commit=COMMIT, title="", body="", author="", created_at=START)
            (folder / "release.json").write_text(record.model_dump_json(by_alias=True))
        releases = FolderReleases("a/b", root)
        for branch in {asked, *branches}:
            found = [r.tag for r in releases.page(branch, 1, 100, drafts=False).items]
            assert found == tags.get(branch, [])
            latest = releases.latest(branch)
            assert (latest.tag if latest else None) == (found[0] if found else None)
