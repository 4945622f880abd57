"""Forges that one test can ask the same of: our server in both flavours, and a real Gitea where there is one."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.forge.forgejo import Forgejo
from tests.backends.forge.repositories import new_repository, run_git
from tests.forgejo_server.gitea import account, needs_gitea, running_gitea
from tests.forgejo_server.server import running_server

SECONDS = 20.0
ORGANISATION = "lhumina_code"
FIRST_BRANCH = "development"


@dataclass(frozen=True)
class Site:
    """A running forge with an organisation, and a token of the user who owns it.

    `account` makes another one, which may nothing, and gives a token of it.
    """

    url: str
    token: str
    flavour: str
    account: Callable[[str], str]


@dataclass
class Ground:
    """One new private repository with a pushed commit: `api` asks raw, `forge` is our client."""

    site: Site
    repo: str
    work: Path
    head: str
    api: httpx.AsyncClient
    forge: Forgejo

    def push(self, *refspecs: str) -> None:
        """`git push` over HTTP."""
        address = self.site.url.replace("://", f"://mik:{self.site.token}@")
        run_git(self.work, "push", "--quiet", f"{address}/{self.repo}.git", *refspecs)

    async def ask(self, method: str, path: str, status: int, **body: Any) -> Any:
        """What the repository's API answers to `method` `path`, which must be `status`."""
        answer = await self.api.request(method, f"/repos/{self.repo}{path}", json=body or None)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def draft(self, tag: str, **more: Any) -> Any:
        fields = {"tag_name": tag, "target_commitish": self.head, "name": tag, "draft": True}
        return await self.ask("POST", "/releases", 201, **(fields | more))

    async def upload(self, release_id: int, name: str, content: bytes) -> Any:
        kind = {"Content-Type": "application/octet-stream"}
        path = f"/repos/{self.repo}/releases/{release_id}/assets"
        answer = await self.api.post(path, params={"name": name}, content=content, headers=kind)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def hook(self, url: str, **more: Any) -> Any:
        """A new hook for everything that we listen to."""
        fields = {"type": "gitea", "config": {"url": url, "content_type": "json"}, "active": True}
        events = ["create", "push", "release"]
        return await self.ask("POST", "/hooks", 201, **(fields | {"events": events} | more))


@dataclass(frozen=True)
class Delivery:
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> str:
        return self.headers["x-gitea-event"]

    @property
    def content(self) -> Any:
        return json.loads(self.body)

    @property
    def is_of_the_first_push(self) -> bool:
        return self.event in ("create", "push") and self.content["ref"].removeprefix("refs/heads/") == FIRST_BRANCH


@dataclass
class Receiver:
    """Takes webhooks at `url` and answers them with `status`."""

    url: str
    status: int = 202
    _came: queue.Queue[Delivery] = field(default_factory=queue.Queue)

    async def next(self, *events: str) -> Delivery:
        """The next delivery of one of `events`; others before it are passed over.

        So is that of the push that the repository began with: a forge that is busy works it off only after the
        hook was made.
        """
        while True:
            found = await asyncio.to_thread(self._came.get, timeout=SECONDS)
            if found.event in events and not found.is_of_the_first_push:
                return found

    def took(self, delivery: Delivery) -> int:
        self._came.put(delivery)
        return self.status


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(found.took(Delivery(headers, body)))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hooks/forge")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


@pytest.fixture(
    scope="module",
    params=["forgejo", "gitea", pytest.param("real gitea", marks=[needs_gitea, pytest.mark.slow])],
)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    if request.param == "real gitea":
        with running_gitea(folder) as real:
            asking = {"Authorization": f"token {real.token}"}
            made = httpx.post(
                f"{real.url}/api/v1/orgs",
                json={"username": ORGANISATION},
                headers=asking,
                timeout=SECONDS,
                trust_env=False,
            )
            assert made.status_code == 201, made.text
            yield Site(real.url, real.token, "gitea", partial(account, real.url, real.admin))
        return
    with running_server(folder, request.param) as server:
        server.world.organisations.add(ORGANISATION)
        stranger = partial(server.world.account, writer=False)
        yield Site(server.url, server.world.account("mik"), request.param, stranger)


@pytest.fixture
async def ground(site: Site, tmp_path: Path) -> AsyncIterator[Ground]:
    name = f"hero_{uuid.uuid4().hex[:12]}"
    headers = {"Authorization": f"token {site.token}"}
    forge = Forgejo(site.url, site.token)
    async with httpx.AsyncClient(base_url=f"{site.url}/api/v1", headers=headers, trust_env=False) as api:
        made = await api.post(
            f"/orgs/{ORGANISATION}/repos", json={"name": name, "private": True, "default_branch": FIRST_BRANCH}
        )
        assert made.status_code == 201, made.text
        work = new_repository(tmp_path / "work")
        found = Ground(site, f"{ORGANISATION}/{name}", work, run_git(work, "rev-parse", "HEAD"), api, forge)
        found.push(FIRST_BRANCH)
        async with asyncio.timeout(SECONDS):
            while (await found.ask("GET", "", 200))["empty"]:
                await asyncio.sleep(0.05)
        yield found
    await forge.aclose()
