"""Services in Rust and C, by their real compilers: built, rebuilt where they stand, published, run without one."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.forge.folder import FolderForge
from hero_tui.demo_box.histories import write_files
from tests.acceptance.small_box import TEAM_REPO, SmallBox, small_box

pytestmark = pytest.mark.slow

SOURCES = Path(__file__).parent / "compiled"
TRUNK = "development"
MUSL = "x86_64-unknown-linux-musl"
IDENTITY = ("-c", "user.name=Alice", "-c", "user.email=alice@hero.example")


@dataclass(frozen=True)
class Language:
    """A service to compile: the program that it needs, what it prints for each part that it compiles."""

    service: str
    folder: str
    needs: str
    edited: str
    compiled: str
    edited_part: str
    other_part: str


RUST = Language("hero_rust", "rust", "cargo", "src/main.rs", r"Compiling (\w+)", "hero_rust", "page")
C = Language("hero_c", "c", "cc", "src/main.c", r"-c -o out/(\w+)\.o", "main", "page")
RUST_MUSL = Language("hero_musl", "rust", "cargo", "src/main.rs", r"Compiling (\w+)", "hero_rust", "page")


def has_musl() -> bool:
    """Whether rustc here can compile for musl."""
    if not shutil.which("rustc"):
        return False
    asked = ["rustc", "--print", "target-libdir", "--target", MUSL]
    found = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()
    return bool(found) and any(Path(found).glob("libstd-*.rlib"))


LANGUAGES = [
    pytest.param(RUST, id="rust", marks=pytest.mark.skipif(not shutil.which("cargo"), reason="no cargo here")),
    pytest.param(
        RUST_MUSL, id="rust-musl", marks=pytest.mark.skipif(not has_musl(), reason="no Rust for musl here")
    ),
    pytest.param(C, id="c", marks=pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler here")),
]


def files_of(language: Language) -> dict[str, str]:
    """The repository of a service; the one for musl is the Rust one with another target."""
    folder = SOURCES / language.folder
    found = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"target", "out"} & set(path.relative_to(folder).parts)
    }
    if language is RUST_MUSL:
        toml = found["hero_service.toml"].replace('name = "hero_rust"', 'name = "hero_musl"')
        toml = toml.replace("--locked", f"--locked --target {MUSL}").replace("gnu-x86_64", "musl-x86_64")
        toml = toml.replace('["target/release/hero_rust"]', f'["target/{MUSL}/release/hero_rust"]')
        found["hero_service.toml"] = toml
    return found


async def add_services(box: SmallBox) -> None:
    """Put the services into the forge and the catalogue, before anybody reads it."""
    forge = FolderForge(box.where.box.forge)
    text = (box.where.box.team / "services.toml").read_text()
    for language in (RUST, RUST_MUSL, C):
        repo = f"lhumina_code/{language.service}"
        bare = await forge.create_repository(repo)
        await write_files(bare, files_of(language), "Begin", int(time.time()) - 3600)
        short = language.service.removeprefix("hero_")
        text += f'[[service]]\nname = "{language.service}"\nrepo = "{repo}"\nshort = "{short}"\n'
    (box.where.box.team / "services.toml").write_text(text)
    team = box.root.parent / "team"
    subprocess.run(["git", "clone", "-q", "--", await forge.clone_url(TEAM_REPO), str(team)], check=True)
    (team / "services.toml").write_text(text)
    subprocess.run(["git", *IDENTITY, "commit", "-qam", "Add compiled services"], cwd=team, check=True)
    subprocess.run(["git", "push", "-q"], cwd=team, check=True)


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with small_box() as made:
        asyncio.run(add_services(made))
        made.start_slotd()
        yield made


def compiled_parts(box: SmallBox, build: dict[str, object], language: Language) -> list[str]:
    """What the compiler was run for in a build, as its log says."""
    return re.findall(language.compiled, Path(str(build["log"])).read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_compiled_service_is_built_edited_published_and_run_elsewhere_without_its_compiler(
    box: SmallBox, language: Language, tmp_path: Path
) -> None:
    service = language.service
    first = box.done("slot.bind", {"service": service, "branch": TRUNK, "from": "build"})
    assert sorted(compiled_parts(box, first, language)) == sorted([language.edited_part, language.other_part])
    assert box.ask(service)["page"] == 1

    worktree = box.slot.worktree(service, TRUNK)
    source = worktree / language.edited
    source.write_text(source.read_text().replace('\\"page\\": 1', '\\"page\\": 2'))
    second = box.done("slot.rebuild", {"service": service})
    assert compiled_parts(box, second, language) == [language.edited_part]
    assert box.ask(service)["page"] == 2
    assert second["dirty"] is True

    subprocess.run(["git", *IDENTITY, "commit", "-qam", "The second page"], cwd=worktree, check=True)
    subprocess.run(["git", "push", "-q", "origin", f"HEAD:{TRUNK}"], cwd=worktree, check=True)
    published = box.done("slot.rebuild", {"service": service, "publish": True})
    assert published["tag"].startswith(f"{TRUNK}-")

    other = SmallBox(box.root, box.made, "integration")
    other.start_slotd(PATH=str(only(tmp_path, "git", "sh", "env", "python3")))
    try:
        pulled = other.done("slot.install", {"service": service})
        assert not pulled["compiled"]
        assert pulled["tag"] == published["tag"]
        assert other.ask(service)["page"] == 2
        assert other.cell(service)["sha256"] == box.cell(service)["sha256"]
        other.done("slot.unbind", {"service": service})
    finally:
        other.stop_slotd()


def only(folder: Path, *programs: str) -> Path:
    """A folder for PATH with nothing but `programs`."""
    for name in programs:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


@pytest.mark.skipif(not has_musl(), reason="no Rust for musl here")
def test_a_program_for_musl_needs_no_library_of_the_machine(box: SmallBox) -> None:
    service = RUST_MUSL.service
    box.done("slot.bind", {"service": service, "branch": TRUNK, "from": "build"})
    program = box.slot.current(service) / "bin" / "hero_rust"
    said = subprocess.run(["ldd", str(program)], check=False, capture_output=True, text=True)
    assert "statically linked" in said.stdout + said.stderr or "not a dynamic" in said.stdout + said.stderr


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler here")
def test_a_program_that_does_not_compile_says_where_and_leaves_the_old_one_running(box: SmallBox) -> None:
    box.done("slot.bind", {"service": C.service, "branch": TRUNK, "from": "build"})
    before = box.ask(C.service)
    source = box.slot.worktree(C.service, TRUNK) / C.edited
    good = source.read_text()
    source.write_text(good.replace("int main(", "int main((", 1))
    try:
        failed = box.run("slot.rebuild", {"service": C.service})
        assert failed["state"] == "failed"
        assert failed["error"]["code"] == "build_failed"
        assert "src/main.c" in failed["error"]["message"]
        assert box.ask(C.service) == before
    finally:
        source.write_text(good)
