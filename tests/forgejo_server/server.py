"""A server that behaves like a Forgejo or a Gitea, traps included, on loopback, in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from tests.forgejo_server import applications, commits, hooks, issues, pulls, releases, repositories, rights, web
from tests.forgejo_server.api import Handler, route
from tests.forgejo_server.faults import Faults, FaultyApp
from tests.forgejo_server.oauth import OAuth
from tests.forgejo_server.state import Flavour, World

SECONDS = 20.0
_R = "/repos/{owner}/{repo}"

_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/version", repositories.version),
    ("GET", "/user", repositories.user),
    ("GET", "/settings/api", repositories.settings),
    ("GET", "/repos/search", repositories.search),
    ("POST", "/user/repos", repositories.create_own),
    ("POST", "/orgs/{org}/repos", repositories.create_in_organisation),
    ("GET", "/orgs/{org}/repos", repositories.organisation_repositories),
    ("GET", _R, repositories.get),
    ("PATCH", _R, repositories.change),
    ("DELETE", _R, repositories.remove),
    ("GET", f"{_R}/branches", commits.branches),
    ("POST", f"{_R}/branches", commits.create_branch),
    ("GET", f"{_R}/branches/{{branch:path}}", commits.branch),
    ("DELETE", f"{_R}/branches/{{branch:path}}", commits.remove_branch),
    ("POST", f"{_R}/tags", commits.create_tag),
    ("GET", f"{_R}/tags/{{tag:path}}", commits.tag),
    ("GET", f"{_R}/git/refs/tags/{{prefix:path}}", commits.tag_refs),
    ("GET", f"{_R}/git/commits/{{sha}}", commits.git_commit),
    ("GET", f"{_R}/commits", commits.commits),
    ("GET", f"{_R}/commits/{{ref:path}}/status", commits.statuses),
    ("POST", f"{_R}/statuses/{{sha}}", commits.add_status),
    ("GET", f"{_R}/compare/{{span:path}}", commits.compare),
    ("GET", f"{_R}/raw/{{path:path}}", commits.raw),
    ("GET", f"{_R}/contents/{{path:path}}", commits.contents),
    ("POST", f"{_R}/contents/{{path:path}}", commits.put_contents),
    ("PUT", f"{_R}/contents/{{path:path}}", commits.put_contents),
    ("GET", f"{_R}/pulls", pulls.listed),
    ("POST", f"{_R}/pulls", pulls.create),
    ("GET", f"{_R}/pulls/{{number:int}}", pulls.get),
    ("POST", f"{_R}/pulls/{{number:int}}/merge", pulls.merge),
    ("GET", f"{_R}/pulls/{{base}}/{{head}}", pulls.find),
    ("GET", f"{_R}/releases", releases.listed),
    ("POST", f"{_R}/releases", releases.create),
    ("GET", f"{_R}/releases/tags/{{tag:path}}", releases.by_tag),
    ("GET", f"{_R}/releases/{{id:int}}", releases.get),
    ("PATCH", f"{_R}/releases/{{id:int}}", releases.change),
    ("DELETE", f"{_R}/releases/{{id:int}}", releases.remove),
    ("GET", f"{_R}/releases/{{id:int}}/assets", releases.assets),
    ("DELETE", f"{_R}/releases/{{id:int}}/assets/{{asset:int}}", releases.remove_asset),
    ("GET", f"{_R}/hooks", hooks.listed),
    ("POST", f"{_R}/hooks", hooks.create),
    ("PATCH", f"{_R}/hooks/{{id:int}}", hooks.change),
    ("DELETE", f"{_R}/hooks/{{id:int}}", hooks.remove),
    ("POST", f"{_R}/issues", issues.create),
    ("GET", f"{_R}/issues/{{number}}", issues.get),
    ("PUT", f"{_R}/issues/{{number}}/lock", issues.lock),
    ("GET", f"{_R}/issues/{{number}}/comments", issues.comments),
    ("POST", f"{_R}/issues/{{number}}/comments", issues.comment),
    ("GET", f"{_R}/collaborators", rights.collaborators),
    ("GET", f"{_R}/collaborators/{{user}}", rights.collaborator),
    ("PUT", f"{_R}/collaborators/{{user}}", rights.add_collaborator),
    ("DELETE", f"{_R}/collaborators/{{user}}", rights.remove_collaborator),
    ("GET", f"{_R}/collaborators/{{user}}/permission", rights.permission),
    ("GET", f"{_R}/branch_protections", rights.protections),
    ("POST", f"{_R}/branch_protections", rights.protect),
    ("GET", f"{_R}/branch_protections/{{rule:path}}", rights.protection),
    ("PATCH", f"{_R}/branch_protections/{{rule:path}}", rights.change_protection),
    ("DELETE", f"{_R}/branch_protections/{{rule:path}}", rights.unprotect),
)


class ForgejoServer:
    """A running server at `url`. `world` is what it knows, `faults` what goes wrong and what was asked, `oauth`
    who sits at the browser."""

    def __init__(self, folder: Path, flavour: Flavour = "forgejo"):
        self.world = World(folder, flavour)
        self.faults = Faults()
        self.oauth = OAuth()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.world.root_url = self.url
        config = uvicorn.Config(
            FaultyApp(self._app(), self.faults),
            log_level="critical",
            lifespan="off",
            http="h11",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def start(self) -> None:
        """Return once it answers: the socket listens already."""
        self._thread.start()

    def stop(self) -> None:
        """End it, and the connections that it has."""
        self._server.should_exit = True
        self._thread.join(SECONDS)
        self._socket.close()

    def _app(self) -> Starlette:
        world = self.world
        routes: list[BaseRoute] = [
            Route(f"/api/v1{path}", route(world, handler), methods=[method])
            for method, path, handler in (*_TABLE, *applications.table(self.oauth))
        ]
        assets = "/api/v1/repos/{owner}/{repo}/releases/{id:int}/assets"
        routes += [
            Route(assets, releases.upload(world), methods=["POST"]),
            Route("/{owner}/{repo}/releases/download/{rest:path}", web.by_name(world), methods=["GET", "HEAD"]),
            Route("/attachments/{uuid}", web.by_uuid(world), methods=["GET"]),
            Route("/{owner}/{repo}.git/{rest:path}", web.git(world), methods=["GET", "POST"]),
        ]
        return Starlette(routes=[*self.oauth.routes(), *routes])


@contextlib.contextmanager
def running_server(folder: Path, flavour: Flavour = "forgejo") -> Iterator[ForgejoServer]:
    """A started server with its repositories in `folder`, stopped at the end."""
    server = ForgejoServer(folder, flavour)
    server.start()
    try:
        yield server
    finally:
        server.stop()
