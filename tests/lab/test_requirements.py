"""Where no machine can be booted, one sentence says why; images are whole or not there, and hold no password."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.lab import cgroups, host, images, recipes, requirements


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab's folder that nobody else has."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return host.root()


def test_a_lab_that_nobody_asked_for_says_how_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(requirements.WANTED, raising=False)
    assert "HERO_TEST_LAB=build" in requirements.why_not()


def test_a_host_without_the_programs_says_which_packages_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(requirements.WANTED, requirements.BUILD)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert "systemd-nspawn" in requirements.why_not()
    assert "systemd-container" in requirements.why_not()


def test_a_user_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(requirements.WANTED, requirements.BUILD)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "not root" in requirements.why_not()


def test_a_host_with_v2_groups_alone_boots_machines_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path)
    (tmp_path / "cgroup.controllers").touch()
    assert cgroups.layout().init() == ["--boot"]
    assert cgroups.planned("a-machine") == []


def test_a_host_whose_groups_are_not_mounted_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path / "nowhere")
    with pytest.raises(host.LabError, match="control groups"):
        cgroups.layout()


def test_an_image_that_was_not_finished_is_not_there(folder: Path) -> None:
    def broken(part: Path) -> None:
        (part / "disk/half").touch()
        raise host.LabError("no mirror")

    with pytest.raises(host.LabError):
        images.kept("stock-1", broken)
    assert not (folder / "stock-1").exists()
    layer = images.kept("stock-1", lambda part: (part / "disk/whole").touch())
    assert [path.name for path in layer.iterdir()] == ["whole"]


def test_of_several_that_want_an_image_one_makes_it() -> None:
    made: list[Path] = []
    threads = [threading.Thread(target=images.kept, args=("stock-1", made.append)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_an_image_takes_no_login_from_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "apt/apt.conf.d").mkdir()
    (tmp_path / "resolv.conf").touch()
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://mik:secret@pypi.example/simple\n")
    (tmp_path / "apt/sources.list").write_text("deb https://mik:secret@debian.example/debian bookworm main\n")
    monkeypatch.setattr(recipes, "_ETC", tmp_path)
    monkeypatch.setattr(recipes, "_AUTHORITIES", tmp_path)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "HERO_TEST_LAB_SUITE", "HERO_TEST_LAB_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    suite = recipes.Suite.wanted()
    files = recipes.host_files(suite)
    assert suite.mirror == "https://debian.example/debian"
    assert "https://pypi.example/simple" in files["/etc/pip.conf"]
    assert "https://debian.example/debian" in files[str(tmp_path / "apt/sources.list")]
    assert "secret" not in repr(files)


def test_what_root_unpacks_is_vouched_for_by_a_key_or_by_https() -> None:
    assert "--force-check-gpg" in recipes.Suite("bookworm", "http://debian.example/debian").options()
    assert "--force-check-gpg" in recipes.Suite("bookworm", None).options()
    assert "--force-check-gpg" not in recipes.Suite("noble", "https://ubuntu.example/ubuntu").options()
