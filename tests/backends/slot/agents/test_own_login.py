"""Sessions of the real `claude` on a person's own login: renewed by two at once, amid an end, or not at all."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer

import pytest

from tests.backends.slot.agents.desks import Desk, desk, real
from tests.messages_api.logins import Logins, Outside, certificate, login_file, shown
from tests.messages_api.server import MessagesApi

pytestmark = [pytest.mark.timeout(180), pytest.mark.slow]

FIRST = "sk-ant-ort01-first"
SLOW_SECONDS = 4.0
"""Longer than the program itself waits for a renewal when it is told to end."""


@dataclass
class Own:
    """Alice's desk, her login, and what stands for the vendor's hosts."""

    desk: Desk
    api: MessagesApi
    logins: Logins
    home: Path

    def log_in(self, seconds: float) -> Path:
        """A login whose access token is good for `seconds`."""
        return login_file(self.home, self.logins, int((time.time() + seconds) * 1000))

    @property
    def kept(self) -> dict[str, object]:
        """The login as it stands in its file."""
        found = json.loads((self.home / ".claude" / ".credentials.json").read_text())["claudeAiOauth"]
        return dict(found)


@pytest.fixture
async def own(claude_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Own]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = certificate(tmp_path)
    logins = Logins(FIRST)
    with MessagesApi(tls=shown(made), logins=logins, keys=set()) as api, Outside(api.port) as outside:
        monkeypatch.setenv("HERO_CLAUDE", str(claude_program))
        monkeypatch.setenv("HTTPS_PROXY", outside.url)
        monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(made))
        async with desk(real) as alice:
            alice.payers.personal = True
            yield Own(alice, api, logins, alice.bench.root / "home-of-alice")


async def test_two_sessions_whose_token_ends_at_once_renew_it_once_and_both_go_on(own: Own) -> None:
    file = own.log_in(-1)
    ids = [await own.desk.start("one"), await own.desk.start("two")]
    for id in ids:
        await own.desk.answered(id, "STUB-OK")
    assert (own.logins.renewed, own.logins.refused) == ([FIRST], [])
    assert own.kept["refreshToken"] == own.logins.refresh
    # It ends again, now amid both sessions.
    told = json.loads(file.read_text())
    told["claudeAiOauth"]["expiresAt"] = int(time.time() * 1000)
    file.write_text(json.dumps(told))
    for id in ids:
        await own.desk.call("agent.send", agent=id, text="again")
    for id in ids:
        await own.desk.until(lambda id=id: own.desk.agent(id).turns == 2)  # type: ignore[misc]
        await own.desk.answered(id, "STUB-OK")
    assert (len(own.logins.renewed), own.logins.refused) == (2, [])
    assert (own.kept["refreshToken"], own.kept["accessToken"]) == (own.logins.refresh, own.logins.access)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_session_that_is_stopped_while_it_renews_the_login_logs_nobody_out(own: Own) -> None:
    file = own.log_in(-1)
    own.logins.gate = gate = Event()
    ids = [await own.desk.start("one"), await own.desk.start("two")]
    await asyncio.to_thread(own.logins.used.wait, 60)
    owner = json.loads(file.with_name(".oauth_refresh.lock.owner").read_text())["pid"]
    renewing = next(id for id in ids if own.desk.agent(id).pid == owner)
    Timer(SLOW_SECONDS, gate.set).start()
    assert (await own.desk.call("agent.stop", agent=renewing))["state"] == "gone"
    assert own.kept["refreshToken"] == own.logins.refresh
    (other,) = set(ids) - {renewing}
    await own.desk.answered(other, "STUB-OK")
    assert (own.logins.renewed, own.logins.refused) == ([FIRST], [])


async def test_a_login_that_is_refused_is_told_with_what_to_do_and_a_new_one_is_taken(own: Own) -> None:
    own.log_in(3600)
    own.logins.refresh = "another"
    id = await own.desk.start("work")
    agent = await own.desk.says(id, "error: auth")
    assert "`hero_dev claude login`" in agent.detail
    assert "/login" not in agent.detail
    assert "idle: done" not in [one.says for one in own.desk.told]
    own.logins.access = "sk-ant-oat01-first"
    own.log_in(3600)
    await own.desk.call("agent.send", agent=id, text="again")
    await own.desk.answered(id, "STUB-OK")
