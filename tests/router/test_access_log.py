"""What the router writes down: who was asked for what and how it ended, and nothing that could be a secret."""

from __future__ import annotations

import asyncio
import json

from tests.router.caddy import SECONDS, Router
from tests.router.servers import Service, serving

HIDDEN = (
    "Authorization: Bearer SECRET",
    "Cookie: sid=SECRET",
    "X-Api-Key: SECRET",
    "Referer: http://x/?token=SECRET",
)


async def lines(router: Router, number: int) -> list[str]:
    async with asyncio.timeout(SECONDS):
        while not router.access_log.exists() or router.access_log.read_text().count("\n") < number:
            await asyncio.sleep(0.01)
    return router.access_log.read_text().splitlines()


async def test_requests_are_logged_as_json_without_query_and_headers(router: Router) -> None:
    folder = router.web("alice")
    async with serving(folder / "slides.sock", Service("x", "Set-Cookie: SECRET", "Location: /?code=SECRET")):
        await router.ask("/alice/slides/deck?token=SECRET&x", *HIDDEN)
    await router.ask("/alice/slides/deck?token=SECRET", *HIDDEN)
    await router.ask("/alice/%2e%2e/?token=SECRET", *HIDDEN)
    logged = await lines(router, 3)
    first = json.loads(logged[0])
    assert first["request"]["uri"] == "/alice/slides/deck?…"
    assert (first["request"]["method"], first["status"]) == ("GET", 200)
    assert "duration" in first
    assert [json.loads(line)["status"] for line in logged] == [200, 503, 400]
    assert "SECRET" not in "".join(logged)
    assert "SECRET" not in router.own_log.read_text()
