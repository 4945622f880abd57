"""One release on a forge made of a function, for the tests of uploads and downloads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx

from tests.backends.forge.forgejo_wire import Answer, Wire, answer, release, streamed

REPO = "lhumina_code/hero_router"
COMMIT = "abcdef12" + "0" * 32
TAG = "development-abcdef12"
NAME = "hero_router-linux-musl-x86_64.tar.gz"
UUID = "f689e8e5-4441-4caa-b8e7-{:012x}"


class Hub:
    """One release with its files, as a forge keeps them; `before` may answer in its place, or act first."""

    def __init__(self) -> None:
        self.draft = True
        self.there = False
        self.tag: str | None = None
        self.files: dict[int, tuple[str, bytes]] = {}
        self.before: Callable[[httpx.Request], Answer | None] = lambda request: None
        self.wire = Wire(self.handle)
        self.forge = self.wire.forge()

    def add(self, name: str, content: bytes) -> dict[str, Any]:
        number = max(self.files, default=0) + 1
        self.files[number] = (name, content)
        return self.asset(number)

    def asset(self, number: int) -> dict[str, Any]:
        name, content = self.files[number]
        return {"id": number, "name": name, "size": len(content), "uuid": UUID.format(number)}

    def release(self) -> dict[str, Any]:
        assets = [self.asset(number) for number in self.files]
        return release(1, TAG, target_commitish=COMMIT, draft=self.draft, assets=assets)

    def handle(self, request: httpx.Request) -> Answer:
        if (said := self.before(request)) is not None:
            return said
        path = request.url.path
        if found := re.search(r"/attachments/.*-0*([0-9a-f]+)$", path):
            return streamed(self.files[int(found[1], 16)][1])
        if found := re.search(r"/releases/1/assets/(\d+)$", path):
            return httpx.Response(204 if self.files.pop(int(found[1]), None) else 404)
        if path.endswith("/releases/1/assets"):
            return answer(self.add(request.url.params["name"], request.content), 201)
        if path.endswith(f"/tags/{TAG}") and "/releases/" not in path:
            return answer({"name": TAG, "commit": {"sha": self.tag}}) if self.tag else answer({}, 404)
        if "/releases" in path:
            return self.releases(request)
        return answer({"full_name": REPO})

    def releases(self, request: httpx.Request) -> Answer:
        if request.method == "POST":
            if self.there:
                return answer({"message": "Release is has no Tag"}, 409)
            self.there = True
        if request.method == "PATCH":
            self.draft, self.tag = False, COMMIT
        if request.method == "GET" and request.url.path.endswith("/releases"):
            drafts = request.url.params.get("draft") == "true"
            return answer([self.release()] if self.there and self.draft == drafts else [])
        return answer(self.release(), 201) if self.there else answer({"message": "not found"}, 404)

    async def begin(self) -> str:
        made = await self.forge.create_draft(REPO, tag=TAG, commit=COMMIT, title="t", body="", author="mik")
        return made.id


def once(method: str, path: str, *said: Answer, first: Callable[[], object] = lambda: None) -> Any:
    """Answers the first requests to `path` by `said`, after doing `first`."""
    left = list(said)

    def before(request: httpx.Request) -> Answer | None:
        if request.method == method and request.url.path.endswith(path) and left:
            first()
            return left.pop(0)
        return None

    return before
