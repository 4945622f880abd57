"""A real Gitea for tests: built once into a cache, started on loopback with an administrator and a user."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

VERSION = "1.26.0"
SECONDS = 60.0
"""After which a Gitea that has not answered never will."""
BUILD_SECONDS = 3600.0
USER, PASSWORD = "mik", "not-a-secret-1"

_STATIC = ("options", "public", "templates")
_ATTEMPTS = 5

needs_gitea = pytest.mark.skipif(
    not os.environ.get("HERO_TEST_GITEA"),
    reason=f"needs HERO_TEST_GITEA: `build` (Gitea {VERSION}, by go and a C compiler), or BINARY:STATIC_ROOT",
)


@dataclass(frozen=True)
class Binary:
    """A Gitea and the folder with its templates."""

    program: Path
    static: Path


@dataclass(frozen=True)
class Gitea:
    """A running one: `token` belongs to the user `mik`, `admin` to its administrator."""

    url: str
    token: str
    admin: str


def binary() -> Binary:
    """What HERO_TEST_GITEA names; `build` makes one, unless the cache has it."""
    named = os.environ["HERO_TEST_GITEA"]
    if named == "build":
        return _built()
    program, _, static = named.partition(os.pathsep)
    return Binary(Path(program), Path(static) if static else Path(program).parent)


def _built() -> Binary:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hero-team-box"
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / f"gitea-{VERSION}"
    # Tests run in several processes: the first one builds, the others wait for it.
    with (cache / f"gitea-{VERSION}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            if shutil.which("go") is None or shutil.which("cc") is None:
                pytest.skip("HERO_TEST_GITEA=build needs go and a C compiler")
            with tempfile.TemporaryDirectory(prefix="gitea-", dir=cache) as name:
                _build(Path(name)).rename(kept)
    return Binary(kept / "gitea", kept)


def _build(folder: Path) -> Path:
    """A new folder inside `folder` that holds the program, and what it reads when it runs."""
    download = ["go", "mod", "download", "-json", f"code.gitea.io/gitea@v{VERSION}"]
    told = _run(download, folder, {"GOFLAGS": "-mod=mod"})
    sources, made = folder / "sources", folder / "made"
    shutil.copytree(json.loads(told)["Dir"], sources, copy_function=shutil.copyfile)
    # The module cache is read only, and so are copies of its folders.
    for path, _, _ in os.walk(sources):
        Path(path).chmod(0o755)
    made.mkdir()
    flags = ["-tags", "sqlite sqlite_unlock_notify", "-ldflags", f"-s -w -X main.Version={VERSION}"]
    _run(["go", "build", "-buildvcs=false", *flags, "-o", str(made / "gitea"), "."], sources, {})
    for part in _STATIC:
        (sources / part).rename(made / part)
    return made


def _run(argv: list[str], folder: Path, variables: Mapping[str, str]) -> str:
    # The go that is there has to do: another toolchain is never downloaded.
    env = {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "1", **variables}
    done = subprocess.run(
        argv, cwd=folder, env=env, check=False, capture_output=True, text=True, timeout=BUILD_SECONDS
    )
    assert done.returncode == 0, f"{argv[:3]} failed:\n{done.stderr[-4000:]}"
    return done.stdout


_CONFIG = """\
RUN_USER = {user}
WORK_PATH = {folder}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = {url}/
STATIC_ROOT_PATH = {static}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
SQLITE_JOURNAL_MODE = WAL
[security]
INSTALL_LOCK = true
SECRET_KEY = only-for-tests
PASSWORD_HASH_ALGO = pbkdf2$2$8
[webhook]
ALLOWED_HOST_LIST = loopback
[service]
DISABLE_REGISTRATION = true
[cron]
ENABLED = false
[indexer]
ISSUE_INDEXER_TYPE = db
[log]
LEVEL = Warn
"""


@contextmanager
def running_gitea(folder: Path) -> Iterator[Gitea]:
    """A started Gitea with everything that it keeps in `folder`, ended with the block."""
    found = binary()
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT": "true"}
    process, url = _start(found, folder, env)
    try:
        admin = _administrator(found, folder, env)
        yield Gitea(url, _user(url, admin), admin)
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _start(found: Binary, folder: Path, env: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    for _ in range(_ATTEMPTS):
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
        text = _CONFIG.format(user=user, folder=folder, port=port, url=url, static=found.static)
        (folder / "app.ini").write_text(text)
        with (folder / "gitea.log").open("ab") as log:
            argv = [str(found.program), "-c", str(folder / "app.ini"), "web"]
            process = subprocess.Popen(argv, env=env, cwd=folder, stdout=log, stderr=log)
        if _answers(process, url):
            return process, url
        process.kill()
        process.wait()
    raise AssertionError(f"Gitea does not start:\n{(folder / 'gitea.log').read_text(errors='replace')[-4000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until it is healthy; False if it ended, as where somebody else was faster to take the port."""
    end = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            if httpx.get(f"{url}/api/healthz", trust_env=False).status_code == 200:
                return True
        except httpx.HTTPError:
            time.sleep(0.05)
    return False


def _administrator(found: Binary, folder: Path, env: Mapping[str, str]) -> str:
    argv = [str(found.program), "-c", str(folder / "app.ini"), "admin", "user", "create", "--admin"]
    argv += ["--username", "keeper", "--email", "keeper@hero.example", "--random-password"]
    argv += ["--must-change-password=false", "--access-token", "--access-token-scopes", "all"]
    done = subprocess.run(argv, env=dict(env), cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(line.split()[-1] for line in done.stdout.splitlines() if "token" in line.lower())


def _user(url: str, admin: str) -> str:
    return account(url, admin, USER)


def account(url: str, admin: str, login: str) -> str:
    """A new account; a token of it that may everything that the account may."""
    fields = {"username": login, "email": f"{login}@hero.example", "password": PASSWORD}
    with httpx.Client(base_url=f"{url}/api/v1", timeout=SECONDS, trust_env=False) as client:
        made = client.post(
            "/admin/users",
            json={**fields, "must_change_password": False},
            headers={"Authorization": f"token {admin}"},
        )
        assert made.status_code == 201, made.text
    return token(url, "all", login=login)


def token(url: str, *scopes: str, login: str = USER) -> str:
    """A new token of the user, or of `login`, with these scopes."""
    name = f"t{time.monotonic_ns()}"
    answer = httpx.post(
        f"{url}/api/v1/users/{login}/tokens",
        json={"name": name, "scopes": list(scopes)},
        auth=(login, PASSWORD),
        timeout=SECONDS,
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sha1"])


@pytest.fixture(scope="module")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    """One for all tests of a module."""
    with running_gitea(tmp_path_factory.mktemp("gitea")) as running:
        yield running


if __name__ == "__main__":
    print(binary().program)
