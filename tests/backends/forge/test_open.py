"""Which forge an address opens, with which token, and what that loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backends.forge.folder import FolderForge
from backends.forge.forgejo import Forgejo
from backends.forge.open import open_forge
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.team_files import ForgeAddress
from tests.backends.forge.forgejo_wire import TOKEN

FORGEJO = ForgeAddress(kind="forgejo", url="https://forge.example/")


def secret(path: Path, token: str = TOKEN, mode: int = 0o600) -> Path:
    path.write_text(token)
    path.chmod(mode)
    return path


def test_a_folder_forge_is_the_boxs_own_folder(tmp_path: Path) -> None:
    forge = open_forge(BoxPaths(tmp_path), ForgeAddress(kind="folder"))
    assert isinstance(forge, FolderForge)
    assert forge.root == tmp_path / "forge"


def test_a_folder_forge_loads_no_http() -> None:
    program = (
        "import sys; from pathlib import Path; from backends.forge.open import open_forge;"
        "from backends.model.paths import BoxPaths; from backends.model.team_files import ForgeAddress;"
        "open_forge(BoxPaths(Path('/nowhere')), ForgeAddress(kind='folder')); print('httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_first_token_that_is_there_counts(tmp_path: Path) -> None:
    files = [tmp_path / "none", secret(tmp_path / "own"), secret(tmp_path / "box", "other")]
    forge = open_forge(BoxPaths(tmp_path), FORGEJO, files)
    assert isinstance(forge, Forgejo)
    assert forge.url == "https://forge.example"
    assert str(tmp_path / "own") in str(forge.git_environment())
    assert TOKEN not in repr(forge) + str(forge) + str(forge.git_environment())


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeroError) as caught:
        open_forge(BoxPaths(tmp_path), FORGEJO, [secret(tmp_path / "own", mode=0o644)])
    assert caught.value.code == "denied"
    assert "chmod 600" in caught.value.hint


def test_without_a_token_it_is_nobody(tmp_path: Path) -> None:
    assert open_forge(BoxPaths(tmp_path), FORGEJO, [tmp_path / "none"]).git_environment() == {}
