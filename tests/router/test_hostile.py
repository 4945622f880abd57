"""What a stranger's request, or a user's own folder, may not bring the router to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backends.box.edge import absent
from backends.model import names, team_files
from tests.backends.box.edge.conftest import Served
from tests.router.caddy import CADDYFILE, Router
from tests.router.servers import Service, serving

AMBIGUOUS = (
    "/alice/..%2fbob%2fslides/",
    "/alice/..%2Fbob%2Fslides/",
    "/alice/%2e%2e/bob/slides/",
    "/alice/%2E./bob/slides/",
    "/alice/slides/../../bob/slides/",
    "/alice/./slides/",
    "/alice/slides/..",
    "/alice/slides/.",
    "/alice/slides/..?x",
    "//bob//slides/",
    "/bob//slides/",
    "/bob/slides//x",
    "/bob/slides/%5c..%5cx",
    "/bob/slides/%5Cx",
    "/bob/slides/a\\b",
    "/bob/slides/x%00.html",
    "http://elsewhere.example/bob/slides/",
    "http://bob/slides/",
    "*",
)
UNKNOWN = (
    "/%62ob/slides/",
    "/bob/%73lides/",
    "/bob%20/slides/",
    "/Bob/slides/",
    "/bob/Slides/",
    "/bob/slides.sock/",
    "/bob/.web/slides/",
    "/bob/-slides/",
    "/bob/" + "s" * 31 + "/",
    "/" + "b" * 32 + "/slides/",
    "/{env.HOME}/slides/",
    "/bob/slides;x/",
    "/bob:/slides/",
)


@pytest.fixture
async def bob(router: Router) -> Service:
    """The name of bob's service, which hostile requests try to reach; only its folder is there."""
    (router.web("bob") / "hero_slides").mkdir()
    (router.web("alice") / "hero_slides").mkdir()
    for user in ("alice", "bob"):
        (router.web(user) / "slides.sock").symlink_to("hero_slides/web.sock")
    return Service("bob")


async def test_a_path_that_can_be_read_in_two_ways_is_refused(router: Router, bob: Service) -> None:
    async with (
        serving(router.web("bob") / "hero_slides" / "web.sock", bob),
        serving(router.web("alice") / "hero_slides" / "web.sock", Service("alice")),
    ):
        for target in AMBIGUOUS:
            answer = await router.ask(target)
            assert (target, answer.status) == (target, 400)
        for target in UNKNOWN:
            answer = await router.ask(target)
            assert (target, answer.status) == (target, 404)
        assert (await router.ask("/bob/slides/%252e%252e/?x=/../&y=%2f")).status == 200


async def test_there_is_no_admin_api(router: Router) -> None:
    own = {
        line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if str(router.folder) in line
    }
    assert own == {str(router.folder / "away.sock")}
    listening = _listening(router.process.pid)
    assert listening == {router.port}
    for target in ("/config/", "/load", "/stop", "/id/x"):
        assert (await router.ask(target)).status in (404, 503, 308)


async def test_a_link_to_the_boxs_own_socket_leads_to_nothing(router: Router, box: Served) -> None:
    (router.web("alice") / "box.sock").symlink_to(router.edge)
    for target in ("metrics", "healthz", "absent", "hooks/forge"):
        answer = await router.ask(f"/alice/box/{target}", "X-Hero-User: bob")
        assert answer.status == 404
    assert (await box.client.get("/healthz")).status_code == 200


async def test_a_link_to_the_routers_own_sockets_leads_to_a_page_and_no_further(router: Router) -> None:
    (router.web("alice") / "away.sock").symlink_to(router.folder / "away.sock")
    assert (await router.ask("/alice/away/config/")).status == 503


async def test_links_in_a_circle_and_to_files_are_a_service_that_is_not_there(router: Router, box: Served) -> None:
    folder = router.web("alice")
    (folder / "slides.sock").symlink_to("slides.sock")
    (folder / "web.sock").symlink_to("/etc/passwd")
    (folder / "chat.sock").mkdir()
    for short in ("slides", "web", "chat"):
        answer = await router.ask(f"/alice/{short}/")
        assert answer.status == 503
        assert "alice's hero_" in answer.text


async def test_metrics_and_health_of_the_box_are_not_for_everybody(router: Router, box: Served) -> None:
    for target in ("/metrics", "/healthz", "/absent", "/hooks/forge/x", "/hooks/other/"):
        assert (await router.ask(target)).status == 404


def test_names_are_those_of_the_team_repo() -> None:
    text = CADDYFILE.read_text()
    user, short = names._LOGIN.pattern, team_files._SHORT.pattern
    assert len(re.findall(re.escape(f"^/({user})/({short})"), text)) == 2
    assert absent._USER.pattern == user
    assert absent._SHORT.pattern == short


def _listening(pid: int) -> set[int]:
    """The TCP ports at which a process listens."""
    inodes = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir()}
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in inodes:
                ports.add(int(words[1].rpartition(":")[2], 16))
    return ports
