"""Where logins are renewed, and the way there: the hosts of the outside over a proxy, with a test's own TLS."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

HOSTS = ("api.anthropic.com", "platform.claude.com")
_NAMES = ",".join(f"DNS:{host}" for host in HOSTS)
TOKEN_PATH = "/v1/oauth/token"


@dataclass
class Logins:
    """Renews one login. A refresh token is good once: whoever comes with a used one is refused.

    `renewed` has the refresh tokens that were taken, `refused` those that were not. `gate` holds the answer back
    until it is set, when the token is used up already; `used` tells that it is.
    """

    refresh: str
    renewed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    gate: threading.Event | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.access = ""
        self.used = threading.Event()

    def answer(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and body for a request of a new access token."""
        given = str(asked.get("refresh_token"))
        with self._lock:
            if asked.get("grant_type") != "refresh_token" or given != self.refresh:
                self.refused.append(given)
                return 400, {"error": "invalid_grant", "error_description": "Refresh token not found or invalid"}
            self.renewed.append(given)
            number = len(self.renewed)
            self.access, self.refresh = f"sk-ant-oat01-renewed-{number}", f"sk-ant-ort01-renewed-{number}"
            told = {"access_token": self.access, "refresh_token": self.refresh, "token_type": "Bearer"}
        self.used.set()
        if self.gate is not None:
            self.gate.wait(60)
        return 200, {**told, "expires_in": 28800, "scope": "user:inference user:profile"}


class Outside:
    """A proxy that leads HOSTS to the server at `port`, and everything else nowhere. Use it with `with`."""

    def __init__(self, port: int):
        self.refused: list[str] = []
        self._port = port

    def __enter__(self) -> Outside:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Proxy", (_Proxy,), {"outside": self}))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reach(self, host: str) -> socket.socket | None:
        """A connection to what stands for `host`; None where nothing does."""
        if host not in HOSTS:
            self.refused.append(host)
            return None
        return socket.create_connection(("127.0.0.1", self._port))


class _Proxy(BaseHTTPRequestHandler):
    outside: Outside

    def do_CONNECT(self) -> None:
        there = self.outside.reach(self.path.rpartition(":")[0])
        if there is None:
            self.send_error(403)
            return
        self.send_response(200)
        self.end_headers()
        with there:
            back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
            back.start()
            _pump(self.connection, there)
            back.join()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is kept elsewhere."""


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def certificate(folder: Path, names: str = _NAMES) -> Path:
    """A certificate for `names` with its key, in one file; whoever trusts it sees the stand-in in their place."""
    made = folder / "outside.pem"
    words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(made), "-out", str(folder / "crt.pem")]
    argv = ["openssl", "req", *words, "-subj", "/CN=outside.example", "-addext", f"subjectAltName={names}", *files]
    subprocess.run(argv, check=True, capture_output=True)
    made.write_text(made.read_text() + (folder / "crt.pem").read_text())
    return made


def shown(made: Path) -> ssl.SSLContext:
    """What a server needs to show the certificate `made`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made)
    return context


def login_file(home: Path, logins: Logins, expires_at: int) -> Path:
    """The login of `logins` in `home`, good until `expires_at` (ms since 1970)."""
    file = home / ".claude" / ".credentials.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    oauth = {"accessToken": "sk-ant-oat01-first", "refreshToken": logins.refresh, "expiresAt": expires_at}
    oauth |= {"scopes": ["user:inference", "user:profile"], "subscriptionType": "max"}
    file.write_text(json.dumps({"claudeAiOauth": oauth}))
    file.chmod(0o600)
    return file
