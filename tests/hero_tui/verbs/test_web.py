"""`hero_dev web`: passwords and the forge's secret by standard input, kept for the daemon alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.model.paths import BoxPaths
from hero_tui.verbs.command import carry_out
from hero_tui.web import passwords
from tests.hero_tui.standard_input import on_standard_input
from tests.hero_tui.web.sites import make_box

PASSWORD = "a long enough one"


@pytest.fixture
def box(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> BoxPaths:
    monkeypatch.setattr(passwords, "_COST", 2)
    monkeypatch.setenv("HERO_BOX", str(short_dir / "box"))
    return make_box(short_dir / "box")


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    on_standard_input(monkeypatch, text)


def test_a_password_is_set_from_standard_input_and_never_shown(
    box: BoxPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, f"{PASSWORD}\n")
    assert carry_out(["web", "passwd", "mik"]) == 0
    told = capsys.readouterr()
    assert "mik has a new password" in told.out
    assert PASSWORD not in told.out + told.err
    kept = box.web / passwords.FILE
    assert "mik:scrypt:" in kept.read_text()
    assert PASSWORD not in kept.read_text()
    assert carry_out(["web", "passwd", "mik", "--remove"]) == 0
    assert carry_out(["web", "passwd", "mik", "--remove"]) == 3
    assert "mik" not in kept.read_text()


@pytest.mark.parametrize(
    ("words", "text", "message"),
    [
        (["passwd"], "", "Whose password?"),
        (["passwd", "eve"], PASSWORD, "eve"),
        (["passwd", "mik"], "short", "characters"),
        (["passwd", "mik"], "", "no password on standard input"),
        (["status", "mik"], "", "does not go with"),
        (["secret"], "two\u202ewords", "no secret"),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(
    box: BoxPaths,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    text: str,
    message: str,
) -> None:
    before = (box.web / passwords.FILE).read_text()
    typed(monkeypatch, text)
    assert carry_out(["web", *words]) != 0
    told = capsys.readouterr().err
    assert message in told
    assert PASSWORD not in told
    assert (box.web / passwords.FILE).read_text() == before


def test_the_forges_secret_is_a_file_of_the_daemons_own(box: BoxPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "gto_secret\n")
    assert carry_out(["web", "secret"]) == 0
    path = box.web / "oauth_secret"
    assert path.read_text() == "gto_secret\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert carry_out(["web", "secret", "--remove"]) == 0
    assert not path.exists()


def test_the_status_says_for_whom_it_is_and_how_they_sign_in(
    box: BoxPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carry_out(["web"]) == 0
    assert "sign in   by password: alice, gone" in capsys.readouterr().out
    box.config.write_text(
        f'{box.config.read_text()}[router]\nurl = "https://box.example"\n[forge]\nkind = "forgejo"\n'
        'url = "https://git.example"\n[web]\nroles = ["reviewer"]\n'
    )
    assert carry_out(["web", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["address"], told["sign_in"], told["roles"]) == (
        "https://box.example/admin/",
        "forge",
        ["reviewer"],
    )
    assert carry_out(["web"]) == 0
    assert "not known there yet" in capsys.readouterr().out
    assert carry_out(["web", "passwd", "alice"]) != 0
    assert "keeps no passwords" in capsys.readouterr().err
