"""The key and the secrets made of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.box.edge.secrets import OVERLAP_SECONDS, HookSecrets, load_key
from backends.database import Database
from backends.model.errors import HeroError
from tests.backends.box.edge.deliveries import REPO


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = Database(tmp_path / "db.sqlite")
    yield found
    await found.close()


async def opened(database: Database, folder: Path) -> HookSecrets:
    found = HookSecrets(database, folder / "secrets" / "key")
    await found.open()
    return found


def test_a_key_is_made_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    key = load_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert load_key(path) == key
    assert [each.name for each in path.parent.iterdir()] == ["key"]


async def test_of_keys_that_are_made_at_once_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    keys = await asyncio.gather(*(asyncio.to_thread(load_key, path) for _ in range(8)))
    assert len(set(keys)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_key(path)
    path.chmod(mode)
    with pytest.raises(HeroError) as told:
        load_key(path)
    assert told.value.code == "denied"
    assert path.read_text().strip() not in str(told.value)


@pytest.mark.parametrize("text", ["", "short", "G" * 64, "0" * 63])
def test_a_file_that_is_no_key_is_refused_and_left(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(HeroError) as told:
        load_key(path)
    assert told.value.code == "invalid_file"
    assert path.read_text() == text


def test_a_link_is_no_key(tmp_path: Path) -> None:
    load_key(tmp_path / "real")
    (tmp_path / "key").symlink_to(tmp_path / "real")
    with pytest.raises(HeroError):
        load_key(tmp_path / "key")


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(HeroError):
        load_key(tmp_path / "key")


async def test_secrets_differ_by_repository_and_generation(database: Database, tmp_path: Path) -> None:
    secrets = await opened(database, tmp_path)
    found = {secrets.secret(repo, number) for repo in ("a/b", "a/c", "A/b") for number in (1, 2, 11)}
    assert len(found) == 9
    assert all(len(secret) == 64 for secret in found)


async def test_a_repository_that_nobody_knows_has_a_secret_like_any_other(
    database: Database, tmp_path: Path
) -> None:
    secrets = await opened(database, tmp_path)
    assert secrets.valid_secrets("no/body", 0) == (secrets.secret("no/body", 1),)


async def test_a_replaced_secret_holds_for_ten_minutes(database: Database, tmp_path: Path) -> None:
    secrets = await opened(database, tmp_path)
    first, second = secrets.secret(REPO, 1), secrets.secret(REPO, 2)
    assert await secrets.begin_rotation(REPO) == 2
    assert secrets.valid_secrets(REPO, 1000) == (first, second)
    await secrets.end_rotation(REPO, 1000)
    assert secrets.valid_secrets(REPO, 1000 + OVERLAP_SECONDS - 1) == (second, first)
    assert secrets.valid_secrets(REPO, 1000 + OVERLAP_SECONDS) == (second,)
    moment = secrets.rotated_at(REPO)
    assert moment is not None
    assert moment.timestamp() == 1000


async def test_a_rotation_that_was_only_begun_changes_nothing_and_is_gone_on_with(
    database: Database, tmp_path: Path
) -> None:
    secrets = await opened(database, tmp_path)
    await secrets.begin_rotation(REPO)
    again = await opened(database, tmp_path)
    assert again.generation(REPO).number == 1
    assert await again.begin_rotation(REPO) == 2


async def test_generations_and_secrets_outlive_the_process(database: Database, tmp_path: Path) -> None:
    secrets = await opened(database, tmp_path)
    await secrets.begin_rotation(REPO)
    await secrets.end_rotation(REPO, 1000)
    again = await opened(database, tmp_path)
    assert again.valid_secrets(REPO, 1001) == secrets.valid_secrets(REPO, 1001)
    assert again.mark == secrets.mark


async def test_without_a_key_there_is_no_secret(database: Database, tmp_path: Path) -> None:
    secrets = HookSecrets(database, tmp_path / "key")
    assert not secrets.is_open
    with pytest.raises(HeroError):
        secrets.secret(REPO, 1)
