"""The webhooks on the forge: made once, changed without a gap, and those of others left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest

from backends.box.edge.delivery import parse_delivery
from backends.box.edge.hooks import Hooks, check_hook_url, hook_url
from backends.box.edge.inbox import Inbox, Look
from backends.box.edge.secrets import OVERLAP_SECONDS, HookSecrets
from backends.box.edge.signature import is_signed, sign
from backends.database import Database
from backends.forge.base import Forge
from backends.model.errors import HeroError
from backends.model.forge import HookState
from tests.backends.box.edge.deliveries import REPO, push
from tests.backends.box.edge.hookforge import HookForge

URL = "https://box.example/hooks/forge"
OTHER = "lhumina_code/hero_router"
AWAY = HeroError("unreachable", "The forge does not answer.", hint="Try again.")


class Desk:
    """The hooks of a box whose clock a test sets."""

    def __init__(self, folder: Path, forge: HookForge):
        self.now = 1_000_000.0
        self.forge = forge
        self.database = Database(folder / "db.sqlite")
        self.secrets = HookSecrets(self.database, folder / "secrets" / "key")
        self.inbox = Inbox(self.database, self._look, now=self._clock)
        self.hooks = Hooks(cast(Forge, forge), self.secrets, self.database, self.inbox, now=self._clock)

    async def open(self) -> None:
        await self.secrets.open()
        await self.inbox.open()

    async def close(self) -> None:
        await self.inbox.close()
        await self.database.close()

    async def install(self, *, rotate: bool = False, url: str = URL) -> HookState:
        (state,) = await self.hooks.install([REPO], url, rotate)
        return state

    async def status(self, url: str = URL) -> HookState:
        (state,) = await self.hooks.status([REPO], url)
        return state

    def takes(self, secret: str) -> bool:
        """Whether the box takes what is signed with `secret` now."""
        return is_signed(sign(secret, b"body"), b"body", self.secrets.valid_secrets(REPO, self.now))

    def only_secret(self) -> str:
        """The secret of the only hook that the forge has."""
        (hook,) = self.forge.found[REPO]
        return self.forge.secrets[hook.id]

    async def _look(self, look: Look) -> None:
        return

    def _clock(self) -> float:
        return self.now


@pytest.fixture
def forge() -> HookForge:
    return HookForge()


@pytest.fixture
async def desk(tmp_path: Path, forge: HookForge) -> AsyncIterator[Desk]:
    found = Desk(tmp_path, forge)
    await found.open()
    yield found
    await found.close()


async def test_a_missing_hook_is_made_with_the_secret_of_its_repository(desk: Desk) -> None:
    assert (await desk.status()).state == "missing"
    assert (await desk.install()).state == "installed"
    assert desk.only_secret() == desk.secrets.secret(REPO, 1)
    assert (await desk.status()).state == "installed"


async def test_a_second_install_changes_nothing(desk: Desk) -> None:
    await desk.install()
    desk.forge.calls.clear()
    assert (await desk.install()).state == "installed"
    assert desk.forge.calls == []


async def test_a_rotation_makes_the_new_before_it_takes_the_old_and_both_hold(desk: Desk) -> None:
    await desk.install()
    old = desk.only_secret()
    desk.forge.calls.clear()
    state = await desk.install(rotate=True)
    assert desk.forge.calls == [("create", REPO), ("delete", REPO)]
    assert desk.only_secret() != old
    assert desk.takes(old)
    assert desk.takes(desk.only_secret())
    assert state.rotated_at is not None
    assert state.rotated_at.timestamp() == desk.now
    desk.now += OVERLAP_SECONDS
    assert not desk.takes(old)
    assert desk.takes(desk.only_secret())
    assert (await desk.status()).state == "installed"


async def test_a_rotation_that_the_forge_refuses_leaves_the_old_in_force(desk: Desk) -> None:
    await desk.install()
    desk.forge.failing["create", REPO] = AWAY
    state = await desk.install(rotate=True)
    assert (state.state, state.detail) == ("error", "The forge does not answer. Try again.")
    desk.now += 10 * OVERLAP_SECONDS
    assert desk.takes(desk.only_secret())
    desk.forge.failing.clear()
    assert (await desk.status()).state == "installed"
    assert (await desk.install(rotate=True)).state == "installed"
    assert desk.takes(desk.only_secret())


async def test_an_old_hook_that_could_not_be_removed_is_removed_later(desk: Desk) -> None:
    await desk.install()
    desk.forge.failing["delete", REPO] = AWAY
    assert (await desk.install(rotate=True)).state == "error"
    assert len(desk.forge.found[REPO]) == 2
    desk.forge.failing.clear()
    assert (await desk.status()).state == "outdated"
    assert (await desk.install()).state == "installed"
    assert desk.only_secret() == desk.secrets.secret(REPO, 2)
    assert ("create", REPO) not in desk.forge.calls[2:]


async def test_a_hook_that_was_made_without_our_noting_it_is_replaced(desk: Desk) -> None:
    desk.forge.add(REPO, URL)
    state = await desk.status()
    assert (state.state, state.detail) == ("outdated", "Its secret is not known to this box.")
    assert (await desk.install()).state == "installed"
    assert desk.takes(desk.only_secret())


async def test_a_hook_for_an_address_of_before_is_replaced(desk: Desk) -> None:
    await desk.install(url="http://old.example/hooks/forge")
    state = await desk.status()
    assert (state.state, state.detail) == ("outdated", "It calls http://old.example/hooks/forge.")
    assert (await desk.install()).state == "installed"
    assert [hook.url for hook in desk.forge.found[REPO]] == [URL]


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda forge: forge.change(REPO, active=False), "inactive"),
        (lambda forge: forge.change(REPO, events=("push",)), "outdated"),
        (lambda forge: forge.change(REPO, url="http://moved.example/hooks/forge"), "outdated"),
    ],
)
async def test_a_hook_that_somebody_changed_is_made_anew(
    desk: Desk, change: Callable[[HookForge], None], state: str
) -> None:
    await desk.install()
    change(desk.forge)
    assert (await desk.status()).state == state
    assert (await desk.install()).state == "installed"
    (hook,) = desk.forge.found[REPO]
    assert (hook.url, hook.active) == (URL, True)
    assert (await desk.status()).state == "installed"


async def test_hooks_of_others_are_left_alone(desk: Desk) -> None:
    desk.forge.add(REPO, "https://chat.example/notify")
    desk.forge.add(REPO, "https://another.example/hooks/forge")
    await desk.install()
    await desk.install(rotate=True)
    assert [hook.url for hook in desk.forge.found[REPO]][:2] == [
        "https://chat.example/notify",
        "https://another.example/hooks/forge",
    ]
    assert len(desk.forge.found[REPO]) == 3


async def test_a_hook_that_somebody_gave_another_purpose_is_left_alone(desk: Desk) -> None:
    await desk.install()
    desk.forge.change(REPO, url="https://chat.example/notify")
    assert (await desk.status()).state == "missing"
    await desk.install()
    assert [hook.url for hook in desk.forge.found[REPO]] == ["https://chat.example/notify", URL]


async def test_another_key_makes_every_hook_outdated(desk: Desk, tmp_path: Path, forge: HookForge) -> None:
    await desk.install()
    await desk.close()
    (tmp_path / "secrets" / "key").unlink()
    again = Desk(tmp_path, forge)
    await again.open()
    assert (await again.status()).detail == "Its secret is not known to this box."
    await again.install()
    assert again.takes(again.only_secret())
    await again.close()


async def test_one_repository_that_fails_does_not_stop_the_others(desk: Desk) -> None:
    desk.forge.failing["hooks", REPO] = HeroError("denied", "The token may not see hooks.", hint="Give it rights.")
    states = await desk.hooks.install([REPO, OTHER, "../etc", OTHER], URL, False)
    assert [(state.repo, state.state) for state in states] == [
        (REPO, "error"),
        (OTHER, "installed"),
        ("../etc", "error"),
    ]
    assert states[0].detail == "The token may not see hooks. Give it rights."


async def test_a_forge_without_hooks_needs_none(desk: Desk) -> None:
    desk.forge.failing["hooks", REPO] = HeroError("usage", "A folder forge has no hooks.")
    assert (await desk.status(url="")).state == "not_needed"
    assert (await desk.install(url="")).state == "not_needed"


@pytest.mark.parametrize(
    "url", ["", "box.example/hooks", "ftp://box.example/", "https:///x", "https://a:b@box.example/"]
)
async def test_an_address_that_no_forge_can_call_is_refused(desk: Desk, url: str) -> None:
    assert (await desk.install(url=url)).state == "error"
    assert desk.forge.calls == []
    with pytest.raises(HeroError):
        check_hook_url(url)


async def test_an_install_after_a_rotation_that_was_cut_short_goes_on_with_it(desk: Desk) -> None:
    await desk.secrets.begin_rotation(REPO)
    assert (await desk.install()).state == "installed"
    assert desk.secrets.generation(REPO).number == 2
    assert desk.takes(desk.only_secret())


async def test_when_a_hook_was_heard_of_last_is_told(desk: Desk) -> None:
    await desk.install()
    assert (await desk.status()).last_seen is None
    await desk.inbox.accept(parse_delivery(push()))
    seen = (await desk.status()).last_seen
    assert seen is not None
    assert seen.timestamp() == desk.now


async def test_no_state_tells_a_secret(desk: Desk) -> None:
    states = [await desk.status(), await desk.install(), await desk.install(rotate=True), await desk.status()]
    text = "".join(state.model_dump_json() for state in states)
    assert not any(secret in text for secret in desk.forge.secrets.values())


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://box.example", "https://box.example/hooks/forge"),
        ("https://box.example/", "https://box.example/hooks/forge"),
        ("https://box.example/dev/hook", "https://box.example/dev/hook"),
        ("", ""),
    ],
)
def test_an_address_without_a_path_gets_that_of_the_hooks(address: str, url: str) -> None:
    assert hook_url(address) == url
