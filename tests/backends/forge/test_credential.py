"""The forge's token on its way to git: from its file, for its forge, into nothing else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from backends.forge.credential import HELPER, git_variables, read_token
from backends.forge.git import git
from backends.model.errors import HeroError
from tests.backends.forge.forgejo_wire import TOKEN

BASE = "https://forge.example:8443/git"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "a 'secret' place" / "forge_token"
    path.parent.mkdir()
    path.touch(mode=0o600)
    path.write_text(TOKEN + "\n")
    return path


def ask(*words: str, said: str) -> tuple[int, str]:
    done = subprocess.run(["sh", str(HELPER), *words], input=said, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def question(protocol: str = "https", host: str = "forge.example:8443") -> str:
    return f"capability[]=authtype\nprotocol={protocol}\nhost={host}\npath=git/o/r.git\nwwwauth[]=Basic a=b\n\n"


def test_the_helper_answers_for_its_forge(token_file: Path) -> None:
    words = ("https", "forge.example:8443", str(token_file))
    assert ask(*words, "get", said=question()) == (0, f"username=hero\npassword={TOKEN}\n")
    token_file.write_text("another")
    assert ask(*words, "get", said=question()) == (0, "username=hero\npassword=another\n")


@pytest.mark.parametrize("verb", ["store", "erase", "", "capability"])
def test_the_helper_stores_and_erases_nothing(token_file: Path, verb: str) -> None:
    words = ("https", "forge.example:8443", str(token_file))
    assert ask(*words, verb, said=question() + "password=x\n") == (0, "")
    assert token_file.read_text() == TOKEN + "\n"


@pytest.mark.parametrize(
    "said",
    [
        question(protocol="http"),
        question(host="forge.example"),
        question(host="forge.example:8443.evil.example"),
        question(host="evil.example"),
        "",
        "protocol=https\n\nhost=forge.example:8443\n",
    ],
)
def test_the_helper_is_silent_for_everybody_else(token_file: Path, said: str) -> None:
    assert ask("https", "forge.example:8443", str(token_file), "get", said=said) == (0, "")


def test_the_helper_reads_no_file_that_others_can_read(token_file: Path) -> None:
    token_file.chmod(0o640)
    status, said = ask("https", "forge.example:8443", str(token_file), "get", said=question())
    assert (status, said) == (1, "")
    token_file.unlink()
    assert ask("https", "forge.example:8443", str(token_file), "get", said=question()) == (0, "")


async def test_git_asks_our_helper_and_no_other(
    token_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    config = tmp_path / "gitconfig"
    spy = f"!touch {asked}"
    config.write_text(
        f'[credential]\n\thelper = "{spy}"\n\tuseHttpPath = true\n'
        f'[credential "https://forge.example:8443"]\n\thelper = "{spy}"\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    variables = git_variables(BASE, token_file)
    assert TOKEN not in str(variables)

    def fill(url: str) -> str:
        done = subprocess.run(
            ["git", "credential", "fill"],
            input=f"url={url}\n\n",
            env={**os.environ, **variables, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    assert f"password={TOKEN}" in fill(f"{BASE}/o/r.git")
    assert TOKEN not in fill("https://evil.example/git/o/r.git")
    assert TOKEN not in fill("http://forge.example:8443/git/o/r.git")
    assert not asked.exists()
    listed = await git(
        "config", "--get-urlmatch", "credential.helper", f"{BASE}/o/r.git", env=variables, cwd=tmp_path
    )
    assert str(HELPER) in listed.stdout


def test_without_a_file_git_is_left_as_it_is() -> None:
    assert git_variables(BASE, None) == {}


def test_the_token_is_the_line_of_its_file(token_file: Path) -> None:
    assert read_token(token_file) == TOKEN


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o777])
def test_a_token_that_others_can_reach_is_refused(token_file: Path, mode: int) -> None:
    token_file.chmod(mode)
    with pytest.raises(HeroError) as caught:
        read_token(token_file)
    assert caught.value.code == "denied"
    assert "chmod 600" in caught.value.hint
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"two words", b"\xff\xfe", b"a\nb"])
def test_a_file_without_a_token_is_refused(token_file: Path, content: bytes) -> None:
    token_file.write_bytes(content)
    with pytest.raises(HeroError) as caught:
        read_token(token_file)
    assert caught.value.code == "usage"
