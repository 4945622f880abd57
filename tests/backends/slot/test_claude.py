"""A slot's credential: resolved from the manifest, the login and the broker, and shown as soon as it changes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from backends.claude.login import credentials_file
from backends.model.broker_calls import ClaudeKey
from backends.model.claude import NOBODY_PAYS, OrgGrant
from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.tomlfile import InvalidFile
from backends.slot.agents.paying import ClaudePayers
from backends.slot.claude import ClaudeChoices, Shown
from backends.slot.login_watch import LoginWatch
from backends.slot.manifest_file import ManifestFile

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = ("ORG_CLAUDE_KEY_1", "ORG_CLAUDE_KEY_2")
GRANTED = OrgGrant(state="granted", key=KEYS[0], names=KEYS)
DEADLINE = 20.0


class SmallBroker:
    """Says `grant`, and gives the key called `gives` or raises it."""

    def __init__(self) -> None:
        self.grant = OrgGrant(state="not_assigned")
        self.gives: str | HeroError = KEYS[0]
        self.asked: list[str] = []
        self.statuses = 0

    async def status(self) -> OrgGrant:
        self.statuses += 1
        return self.grant

    async def get(self, session: str, slot: str = "") -> ClaudeKey:
        self.asked.append(session)
        if isinstance(self.gives, HeroError):
            raise self.gives
        return ClaudeKey(slot=self.gives, secret="pass", base_url="http://127.0.0.1:1")


class NoLender:
    async def release(self, lease: str) -> None:
        raise AssertionError(lease)


class World:
    """A slot's parts around its choices; `now` is the time."""

    def __init__(self, folder: Path):
        self.home = folder / "home"
        self.home.mkdir()
        self.paths = SlotPaths(self.home / "hero")
        self.paths.manifest.parent.mkdir(parents=True)
        self.paths.manifest.write_text("# mine\nschema = 1\n")
        self.broker = SmallBroker()
        self.now = NOW
        self.choices = ClaudeChoices(self.home, ManifestFile(self.paths), self.broker, clock=lambda: self.now)
        self.seen: list[Shown] = []
        self.choices.when_changed(self.seen.append)

    def log_in(self, ends: timedelta = timedelta(days=20)) -> None:
        """Write a login as the program does: beside, then renamed."""
        file = credentials_file(self.home)
        file.parent.mkdir(exist_ok=True)
        moment = int((NOW + ends).timestamp() * 1000)
        tokens = {"accessToken": "a", "refreshToken": "r", "scopes": ["user:inference"]}
        oauth = {**tokens, "expiresAt": moment, "refreshTokenExpiresAt": moment}
        beside = file.with_name("beside")
        beside.write_text(json.dumps({"claudeAiOauth": oauth}))
        beside.chmod(0o600)
        beside.replace(file)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.005)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def watched(world: World) -> AsyncIterator[World]:
    """A world whose choices are kept true."""
    task = asyncio.create_task(world.choices.run())
    await world.until(lambda: world.broker.statuses > 0)
    yield world
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_the_status_names_credential_and_program(world: World) -> None:
    world.log_in()
    found = await world.choices.status()
    assert found.resolution.credential.kind == "personal"
    assert found.program.path or found.program.hint


async def test_a_preference_is_kept_in_the_manifest_with_its_comments(world: World) -> None:
    world.log_in()
    world.broker.grant = GRANTED
    assert (await world.choices.use("org")).resolution.credential.name == "org-key-1"
    text = world.paths.manifest.read_text()
    assert text.startswith("# mine\n")
    assert 'preference = "org"' in text
    assert (await world.choices.use("personal")).resolution.credential.name == "personal"
    assert world.seen[-1] == Shown("personal")


async def test_a_manifest_that_does_not_parse_is_not_written_to(world: World) -> None:
    world.paths.manifest.write_text("schema = ")
    with pytest.raises(InvalidFile):
        await world.choices.use("org")
    assert world.paths.manifest.read_text() == "schema = "


async def test_an_org_key_is_asked_for_when_a_session_needs_it_and_only_then(world: World) -> None:
    world.broker.grant = GRANTED
    world.broker.gives = KEYS[1]
    await world.choices.status()
    assert world.broker.asked == []
    resolved, key = await world.choices.credential_for("sara/3")
    assert world.broker.asked == ["sara/3"]
    assert key is not None
    assert resolved.credential.name == "org-key-2"


async def test_a_session_on_the_own_login_does_not_wait_for_the_broker(world: World) -> None:
    world.log_in()
    world.broker.gives = HeroError("unreachable", "away")
    resolved, key = await world.choices.credential_for("sara/3")
    assert (resolved.credential.kind, key) == ("personal", None)
    assert (world.broker.statuses, world.broker.asked) == (0, [])


async def test_where_nobody_pays_no_key_is_asked_for_and_what_to_do_is_told(world: World) -> None:
    resolved, key = await world.choices.credential_for("sara/3")
    assert (resolved.credential.kind, key, resolved.problem) == ("none", None, NOBODY_PAYS)
    assert world.broker.asked == []


@pytest.mark.parametrize(("state", "code"), [("unreachable", "unreachable"), ("not_assigned", "denied")])
async def test_a_broker_that_is_away_is_told_apart_from_one_that_says_no(
    world: World, state: Literal["unreachable", "not_assigned"], code: str
) -> None:
    world.broker.grant = OrgGrant(state=state)
    with pytest.raises(HeroError) as caught:
        await ClaudePayers(world.choices, NoLender()).check()
    assert caught.value.code == code


async def test_a_broker_that_refuses_or_is_away_brings_nobody_else_in(world: World) -> None:
    world.log_in()
    await world.choices.use("org")
    world.broker.grant = GRANTED
    world.broker.gives = HeroError("busy", "All keys wait.")
    with pytest.raises(HeroError, match="All keys wait"):
        await world.choices.credential_for("sara/3")
    world.broker.grant = OrgGrant(state="unreachable")
    resolved, _ = await world.choices.credential_for("sara/3")
    assert resolved.credential.kind == "none"
    assert "does not answer" in resolved.problem


async def test_a_login_shows_the_moment_it_is_there_and_the_moment_it_is_gone(watched: World) -> None:
    assert watched.choices.shown == Shown("none")
    watched.log_in()
    await watched.until(lambda: watched.choices.shown == Shown("personal"))
    watched.log_in(ends=timedelta(days=2))
    await watched.until(lambda: watched.choices.shown == Shown("personal", "expiring"))
    credentials_file(watched.home).unlink()
    await watched.until(lambda: watched.choices.shown == Shown("none"))


async def test_a_login_that_is_written_in_place_shows_too(watched: World) -> None:
    watched.log_in()
    await watched.until(lambda: watched.choices.shown == Shown("personal"))
    credentials_file(watched.home).write_text("{}")
    await watched.until(lambda: watched.choices.shown == Shown("none"))


async def test_a_folder_that_goes_and_comes_back_is_watched_again(watched: World) -> None:
    watched.log_in()
    await watched.until(lambda: watched.choices.shown.credential == "personal")
    (watched.home / ".claude").rename(watched.home / "away")
    await watched.until(lambda: watched.choices.shown.credential == "none")
    (watched.home / "away").rename(watched.home / ".claude")
    await watched.until(lambda: watched.choices.shown.credential == "personal")


async def test_time_alone_makes_a_login_expire(watched: World) -> None:
    watched.log_in(ends=timedelta(days=3, milliseconds=300))
    await watched.until(lambda: watched.choices.shown == Shown("personal"))
    watched.now = NOW + timedelta(seconds=1)
    await watched.until(lambda: watched.choices.shown == Shown("personal", "expiring"))


async def test_keys_that_cool_down_are_looked_at_again_when_the_first_is_free(watched: World) -> None:
    watched.broker.grant = OrgGrant(state="cooling", names=KEYS, cooling_until=NOW + timedelta(milliseconds=300))
    watched.choices.soon()
    await watched.until(lambda: watched.choices.shown == Shown("org-key-1", "cooling"))
    watched.broker.grant = GRANTED
    await watched.until(lambda: watched.choices.shown == Shown("org-key-1"))


async def test_what_stays_the_same_is_told_once(world: World) -> None:
    world.log_in()
    for _ in range(3):
        await world.choices.resolution()
    assert world.seen == [Shown("personal")]


async def test_changes_of_a_home_are_no_changes_of_the_login(world: World) -> None:
    world.log_in()
    with LoginWatch(world.home) as watch:
        waiting = asyncio.create_task(watch.changed())
        for number in range(20):
            (world.home / f"file{number}").touch()
            (world.home / ".claude" / f"file{number}").touch()
            await asyncio.sleep(0)
        assert not waiting.done()
        world.log_in(ends=timedelta(days=30))
        await asyncio.wait_for(waiting, DEADLINE)
