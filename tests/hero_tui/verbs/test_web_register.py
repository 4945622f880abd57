"""`hero_dev web register`: the forge knows the box, whatever goes wrong on the way, and nobody sees a secret."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from backends.box_files import read_boxfile
from backends.model.method import Empty
from backends.model.paths import BoxPaths
from hero_tui.verbs.command import carry_out
from hero_tui.web.place import read_secret
from tests.forgejo_server.faults import Fault
from tests.forgejo_server.oauth import Application
from tests.forgejo_server.server import ForgejoServer, running_server
from tests.hero_tui.standard_input import on_standard_input
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.web.sites import make_box

ROOT = Path(__file__).parents[3]
NAME = "hero box small"
REDIRECT = "https://box.example/admin/login/callback"
APPLICATIONS = "/user/applications/oauth2"
REGISTERING = ("web.register.at_forge", "web.register.secret", "web.register.noted")
REMOVING = ("web.unregister.secret", "web.unregister.at_forge", "web.unregister.noted")


@dataclass
class Desk:
    """An admin at a box, with a token of theirs for its forge."""

    box: BoxPaths
    server: ForgejoServer
    token: str
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def types(self, *words: str, token: str | None = None) -> int:
        """`hero_dev web register` with these words, and the token on standard input; its exit code."""
        on_standard_input(self.monkeypatch, f"{self.token if token is None else token}\n")
        return carry_out(["web", "register", *words])

    def told(self) -> str:
        """All that was said, in which there is no secret and no token."""
        said = self.capsys.readouterr()
        text = said.out + said.err
        assert self.token not in text
        assert not [one for one in self.applications if one.secret and one.secret in text]
        return text

    def answers(self, *words: str) -> dict[str, Any]:
        assert self.types(*words, "--json") == 0
        found: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return found

    def killed(self, step: str, *words: str) -> None:
        """A run that dies at `step`."""
        done = subprocess.run(
            [sys.executable, "-m", "hero_tui.cli", "web", "register", *words],
            cwd=ROOT,
            env={**os.environ, "HERO_TEST_FAILPOINT": step},
            input=f"{self.token}\n".encode(),
            check=False,
        )
        assert done.returncode == -signal.SIGKILL

    @property
    def applications(self) -> list[Application]:
        return list(self.server.oauth.applications.values())

    @property
    def secret(self) -> Path:
        return self.box.web / "oauth_secret"

    @property
    def client(self) -> str:
        return read_boxfile(self.box).web.oauth_client

    def add(self, name: str = NAME, redirect: str = REDIRECT, **more: Any) -> Application:
        """An application that mik made before."""
        made = self.server.oauth.register(redirect)
        number = next(self.server.world.numbers)
        made = replace(made, id=number, name=name, **{"owner": "mik", **more})
        self.server.oauth.applications[made.client] = made
        return made

    def write(self, old: str, new: str) -> None:
        text = self.box.config.read_text()
        assert old in text
        self.box.config.write_text(text.replace(old, new))

    def is_registered(self) -> Application:
        """The one application that there is, which the box and the forge agree about."""
        (found,) = self.applications
        assert (found.name, found.redirects, found.owner, found.public) == (NAME, (REDIRECT,), "mik", False)
        assert read_secret(self.secret) == found.secret
        assert self.client == found.client
        return found

    def is_untouched(self) -> None:
        assert self.applications == []
        assert not self.secret.exists()
        assert self.client == ""


@pytest.fixture
def desk(short_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with running_server(short_dir / "forge", "gitea") as server:
        box = make_box(
            short_dir / "box",
            '# where people come by\n[router]\nurl = "https://box.example"  # the one\n'
            f'[forge]\nkind = "forgejo"\nurl = "{server.url}"\n[web]\n# a phone each\ntabs = 7\n',
        )
        monkeypatch.setenv("HERO_BOX", str(box.root))
        yield Desk(box, server, server.world.account("mik", "write:user"), monkeypatch, capsys)


def test_the_forge_knows_the_box_after_one_command(desk: Desk) -> None:
    before = desk.box.config.read_text()
    desk.box.config.chmod(0o640)
    assert desk.types() == 0
    told = desk.told()
    assert f"“{NAME}” of mik is made at {desk.server.url}" in told
    assert "start `hero_tui web` again" in told
    made = desk.is_registered()
    assert desk.secret.stat().st_mode & 0o777 == 0o600
    assert desk.box.config.read_text() == f'{before}oauth_client = "{made.client}"\n'
    assert desk.box.config.stat().st_mode & 0o777 == 0o640
    assert all(one.authorization == f"token {desk.token}" for one in desk.server.faults.requests)


def test_again_it_gets_another_secret_of_the_same_application(desk: Desk) -> None:
    first = desk.answers()
    other = "https://old.example/admin/login/callback"
    held = desk.is_registered()
    desk.server.oauth.applications[held.client] = replace(held, redirects=(other, REDIRECT), skips_consent=True)
    text = desk.box.config.read_text()
    again = desk.answers()
    assert (first["action"], again["action"]) == ("made", "renewed")
    assert first | {"action": ""} == again | {"action": ""}
    (found,) = desk.applications
    assert (found.redirects, found.skips_consent) == ((other, REDIRECT), True)
    assert read_secret(desk.secret) == found.secret != held.secret
    assert desk.box.config.read_text() == text


def test_the_answer_tells_everything_but_the_secret(desk: Desk) -> None:
    assert desk.answers() == {
        "action": "made",
        "forge": desk.server.url,
        "owner": "mik",
        "name": NAME,
        "oauth_client": desk.client,
        "redirect": REDIRECT,
        "instead_of": "",
        "written": [str(desk.box.config), str(desk.secret)],
        "restart": "",
    }


def test_an_application_on_a_late_page_is_found(desk: Desk) -> None:
    desk.server.world.page_limit = 3
    mine = desk.add()
    for number in range(7):
        desk.add(f"other {number}")
    assert desk.answers()["action"] == "renewed"
    assert desk.client == mine.client


def test_what_is_not_certainly_this_boxs_alone_stays_as_it_is(desk: Desk) -> None:
    others = [
        desk.add("hero box large"),
        desk.add(redirect="https://elsewhere.example/admin/login/callback"),
        desk.add(owner="sara"),
        desk.add("Cockpits", redirects=(REDIRECT, "https://two.example/admin/login/callback")),
    ]
    desk.write("tabs = 7", f'tabs = 7\noauth_client = "{others[-1].client}"')
    assert desk.types() == 0
    assert f"box.toml named {others[-1].client} before" in desk.told()
    *kept, made = desk.applications
    assert kept == others
    assert (desk.client, read_secret(desk.secret)) == (made.client, made.secret)


def test_one_that_was_made_by_hand_for_this_box_alone_is_taken_over(desk: Desk) -> None:
    by_hand = desk.add("Cockpit")
    desk.write("tabs = 7", f'oauth_client = "{by_hand.client}"  # by hand')
    assert desk.answers()["action"] == "renewed"
    (found,) = desk.applications
    assert (found.name, found.client) == ("Cockpit", by_hand.client)
    assert read_secret(desk.secret) == found.secret
    assert "# by hand" in desk.box.config.read_text()


def test_a_box_that_moved_takes_its_application_along(desk: Desk) -> None:
    desk.answers()
    desk.write("https://box.example", "https://moved.example")
    assert desk.answers()["action"] == "renewed"
    (found,) = desk.applications
    assert found.redirects == ("https://moved.example/admin/login/callback",)


def test_an_empty_line_means_the_boxs_own_token(desk: Desk) -> None:
    desk.box.forge_token.parent.mkdir(mode=0o700, exist_ok=True)
    desk.box.forge_token.write_text(f"{desk.token}\n")
    desk.box.forge_token.chmod(0o600)
    assert desk.types(token="") == 0
    desk.is_registered()


@pytest.mark.parametrize("step", REGISTERING)
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_killed_anywhere_the_next_run_ends_well(desk: Desk, step: str, known: bool) -> None:
    if known:
        desk.answers()
    desk.killed(step)
    assert len(desk.applications) == 1
    assert desk.types() == 0
    desk.is_registered()
    desk.told()
    assert not list(desk.box.root.rglob("*.tmp"))


@pytest.mark.parametrize("step", REMOVING)
def test_killed_while_it_forgets_the_next_run_forgets_the_rest(desk: Desk, step: str) -> None:
    before = desk.box.config.read_text()
    desk.answers()
    desk.killed(step, "--remove")
    assert desk.types("--remove") == (3 if step == REMOVING[-1] else 0)
    desk.is_untouched()
    assert desk.box.config.read_text() == before


def test_what_cannot_be_written_is_told_and_the_next_run_goes_on(desk: Desk) -> None:
    desk.secret.mkdir(parents=True)
    assert desk.types() == 1
    told = desk.told()
    assert "oauth_secret" in told
    assert "until `hero_dev web register` has run again" in told
    assert desk.client == ""
    desk.secret.rmdir()
    assert desk.answers()["action"] == "renewed"
    desk.is_registered()


def test_a_box_toml_that_cannot_be_edited_is_told_before_anything_is_made(desk: Desk) -> None:
    desk.write("[web]\n# a phone each\ntabs = 7\n", "")
    desk.box.config.write_text(f"web = {{ tabs = 7 }}\n{desk.box.config.read_text()}")
    assert desk.types() == 1
    assert "Write it as a table" in desk.told()
    desk.is_untouched()


def test_two_at_a_time_would_have_the_wrong_secret(desk: Desk) -> None:
    handle = os.open(desk.box.web, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert desk.types() == 1
    assert "Another `hero_dev web register`" in desk.told()
    os.close(handle)
    assert desk.types() == 0


def test_a_token_that_may_not_is_told_with_the_scope_that_it_needs(desk: Desk) -> None:
    for token in ("0" * 40, desk.server.world.account("mik", "write:repository")):
        assert desk.types(token=token) == 1
        told = desk.told()
        assert "Make a token with the scope `write:user`" in told
        assert token not in told
    reader = desk.server.world.account("mik", "read:user")
    assert desk.types(token=reader) == 1
    assert "lacks the scope `write:user`" in desk.told()
    desk.is_untouched()


@pytest.mark.parametrize(
    ("words", "token", "more", "code", "message"),
    [
        ([], "", {}, 2, "no token on standard input"),
        ([], "two words", {}, 2, "no token has"),
        ([], "x", {'url = "https://box.example"': ""}, 2, "does not say by which address"),
        ([], "x", {'kind = "forgejo"': 'kind = "folder"'}, 2, "forge is a folder"),
        (["mik"], "x", {}, 2, "does not go with"),
        ([], "x", {"tabs = 7": "tabs = seven"}, 1, "box.toml"),
    ],
)
def test_what_cannot_be_is_told_and_the_forge_is_asked_nothing(
    desk: Desk, words: list[str], token: str, more: dict[str, str], code: int, message: str
) -> None:
    for old, new in more.items():
        desk.write(old, new)
    assert desk.types(*words, token=token) == code
    assert message in desk.told()
    assert desk.server.faults.requests == []


def test_on_a_system_box_it_is_for_root(desk: Desk) -> None:
    desk.write("schema = 1", 'schema = 1\nkind = "system"')
    desk.monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert desk.types() == 1
    assert "`sudo hero_dev web register`" in desk.told()
    assert desk.server.faults.requests == []


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to others, as root does")
def test_on_a_system_box_the_files_are_their_owners(desk: Desk, short_dir: Path) -> None:
    desk.write("schema = 1", 'schema = 1\nkind = "system"')
    state = short_dir / "hero-web"
    desk.monkeypatch.setattr("hero_tui.web.place.WEB_STATE", state)
    assert desk.types() == 1
    assert "deploy/bootstrap.sh" in desk.told()
    state.mkdir(mode=0o700)
    os.chown(state, 4001, 4002)
    os.chown(desk.box.config, 0, 4003)
    assert desk.types() == 0
    assert "Now: systemctl restart hero_webd" in desk.told()
    kept, config = (state / "oauth_secret").stat(), desk.box.config.stat()
    assert (kept.st_uid, kept.st_gid, kept.st_mode & 0o777) == (4001, 4002, 0o600)
    assert (config.st_uid, config.st_gid) == (0, 4003)


def test_a_forge_that_is_away_is_told(desk: Desk) -> None:
    desk.server.stop()
    assert desk.types() == 5
    assert "Cannot reach the forge" in desk.told()
    desk.is_untouched()


def test_an_answer_that_got_lost_makes_no_second_application(desk: Desk) -> None:
    desk.server.faults.add("POST", APPLICATIONS, Fault(cut_download=10))
    assert desk.types() == 5
    assert len(desk.applications) == 1
    assert desk.types() == 0
    desk.is_registered()


GOOD = {"id": 3, "name": NAME, "client_id": "c", "client_secret": "s" * 40, "redirect_uris": [REDIRECT]}


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]", b"null", b"<html>", b"{", b"7", b"x" * (65 << 10),
        *(
            json.dumps({**GOOD, **wrong}).encode()
            for wrong in (
                {"client_secret": ""}, {"client_secret": "two\nlines and more"}, {"client_secret": 7},
                {"client_secret": "x" * 600}, {"client_secret": None}, {"client_id": ""}, {"client_id": 'a"\nb'},
                {"client_id": "x" * 300}, {"id": "../../x"}, {"id": -1}, {"redirect_uris": None},
                {"redirect_uris": ["https://evil.example/"]}, {"redirect_uris": "x"},
            )
        ),
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_not_written_down(desk: Desk, answer: bytes) -> None:
    desk.server.faults.add("POST", APPLICATIONS, Fault(status=201, body=answer))
    assert desk.types() != 0
    told = desk.told()
    assert "s" * 40 not in told
    assert "\x1b" not in told
    desk.is_untouched()


@pytest.mark.parametrize(
    "answer", [b"{}", b"7", b'[7, null, {"id": 1}, {"id": 2, "client_id": "c", "redirect_uris": {}}]', b"<html>"]
)
def test_a_list_that_makes_no_sense_leads_to_nothing_wrong(desk: Desk, answer: bytes) -> None:
    desk.server.faults.add("GET", APPLICATIONS, Fault(status=200, body=answer))
    if desk.types() == 0:
        desk.is_registered()
    else:
        desk.is_untouched()


def test_a_secret_of_another_application_is_not_taken(desk: Desk) -> None:
    held = desk.add()
    other = {**GOOD, "client_id": "another"}
    desk.server.faults.add("PATCH", APPLICATIONS, Fault(status=200, body=json.dumps(other).encode()))
    assert desk.types() == 1
    assert "another application" in desk.told()
    assert (desk.client, desk.secret.exists(), desk.applications) == ("", False, [held])


def test_removed_it_is_gone_everywhere(desk: Desk) -> None:
    assert desk.types("--remove") == 3
    before = desk.box.config.read_text()
    made = desk.answers()
    assert desk.types("--remove") == 0
    assert "is gone" in desk.told()
    desk.is_untouched()
    assert desk.box.config.read_text() == before
    desk.answers()
    removed = desk.answers("--remove")
    assert (removed["action"], removed["written"], removed["oauth_client"]) == (
        "removed",
        [],
        removed["oauth_client"],
    )
    assert removed["oauth_client"] not in ("", made["oauth_client"])


def test_a_token_that_may_only_look_takes_nothing_away(desk: Desk) -> None:
    desk.answers()
    assert desk.types("--remove", token=desk.server.world.account("mik", "read:user")) == 1
    assert "lacks the scope `write:user`" in desk.told()
    desk.is_registered()


def test_somebody_elses_application_is_not_forgotten_while_it_is_in_use(desk: Desk) -> None:
    desk.answers()
    sara = desk.server.world.account("sara", "write:user")
    assert desk.types("--remove", token=sara) == 2
    assert "sara has no application" in desk.told()
    desk.is_registered()
    desk.server.oauth.applications.clear()
    assert carry_out(["web", "secret", "--remove"]) == 0
    assert desk.types("--remove", token=sara) == 0
    desk.is_untouched()


def test_the_status_says_what_is_missing(desk: Desk) -> None:
    assert carry_out(["web"]) == 0
    assert "not known there yet: `hero_dev web register`" in desk.told()
    desk.answers()
    assert carry_out(["web"]) == 0
    assert "(known there)" in desk.told()
    desk.secret.unlink()
    assert carry_out(["web"]) == 0
    assert "no secret is here: `hero_dev web register`" in desk.told()
    assert carry_out(["web", "--json"]) == 0
    assert json.loads(desk.capsys.readouterr().out)["secret"] is False


def test_it_is_in_the_audit_log_without_a_secret(desk: Desk, box: Canned) -> None:
    BoxPaths(box.root).config.write_text(desk.box.config.read_text())
    desk.monkeypatch.setenv("HERO_BOX", str(box.root))
    box.answers["audit.note"] = Empty()
    assert desk.types() == 0
    (made,) = desk.applications
    params = box.params("audit.note")
    assert (params.action, params.subject, params.outcome) == ("web.register", made.client, "succeeded")
    assert made.secret not in params.model_dump_json()
    assert desk.token not in params.model_dump_json()
