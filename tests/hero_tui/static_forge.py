"""A forge of files: one private repository over plain HTTP, enough API to find it, for whoever has the token."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from backends.model.errors import HeroError

TOKEN = "3f" * 20
REPO = "lhumina_code/hero_team"


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        basic = base64.b64encode(f"hero:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") not in (f"token {TOKEN}", f"Bearer {TOKEN}", f"Basic {basic}"):
            self._json(401, {"message": "invalid token"}, ("WWW-Authenticate", 'Basic realm="forge"'))
        elif self.path.startswith("/api/v1/"):
            self._api(self.path.removeprefix("/api/v1").partition("?")[0])
        else:
            super().do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._json(403, {"message": "token does not have at least one of required scope(s): [write:repository]"})

    def _api(self, path: str) -> None:
        if path == f"/repos/{REPO}":
            self._json(200, {"full_name": REPO})
        elif path == "/user":
            self._json(200, {"id": 1, "login": "ann"})
        elif path == f"/repos/{REPO}/hooks":
            self._json(200, [])
        else:
            self._json(404, {"message": "not found"})

    def _json(self, status: int, value: object, *headers: tuple[str, str]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def static_forge(folder: Path, files: dict[str, str]) -> Iterator[str]:
    """The address of a forge whose REPO has one commit of `files`."""
    work, bare = folder / "work", folder / "served" / f"{REPO}.git"
    for name, text in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    person = ("-c", "user.name=Ann", "-c", "user.email=ann@team.example")
    _git("init", "--quiet", "-b", "development", str(work))
    _git("-C", str(work), "add", ".")
    _git("-C", str(work), *person, "commit", "--quiet", "-m", "The team")
    _git("clone", "--quiet", "--bare", str(work), str(bare))
    _git("-C", str(bare), "update-server-info")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder / "served")))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _git(*words: str) -> None:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HeroError("failed", done.stderr)
