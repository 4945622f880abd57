"""Routes of the server's OAuth 2: consent that is given at once, codes, tokens, who somebody is."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route


@dataclass(frozen=True)
class Application:
    """`secret` is "" for a public one that was not made by the API, which gives one to each."""

    client: str
    secret: str
    redirects: tuple[str, ...]
    id: int = 0
    name: str = ""
    owner: str = ""
    public: bool = False
    skips_consent: bool = False


@dataclass(frozen=True)
class _Code:
    application: Application
    redirect: str
    challenge: str
    login: str
    scope: str


@dataclass
class OAuth:
    """`signed_in` is who sits at the browser that is sent here; "" says no to every application."""

    signed_in: str = "mik"
    applications: dict[str, Application] = field(default_factory=dict)
    codes: dict[str, _Code] = field(default_factory=dict)
    tokens: dict[str, _Code] = field(default_factory=dict)

    def register(self, *redirects: str, public: bool = False) -> Application:
        """A new application."""
        secret = "" if public else secrets.token_hex(20)
        made = Application(secrets.token_hex(8), secret, redirects, public=public)
        self.applications[made.client] = made
        return made

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/login/oauth/authorize", self._authorize, methods=["GET"]),
            Route("/login/oauth/access_token", self._token, methods=["POST"]),
            Route("/login/oauth/userinfo", self._userinfo, methods=["GET"]),
        ]

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        application = self.applications.get(asked.get("client_id", ""))
        redirect = asked.get("redirect_uri", "")
        if application is None or redirect not in application.redirects:
            return PlainTextResponse("Unregistered Redirect URI", 400)  # never sent back there
        told = {"state": asked.get("state", "")}
        if not self.signed_in:
            return RedirectResponse(f"{redirect}?{urlencode({**told, 'error': 'access_denied'})}", 303)
        challenge = asked.get("code_challenge", "")
        if application.public and (not challenge or asked.get("code_challenge_method") != "S256"):
            return RedirectResponse(f"{redirect}?{urlencode({**told, 'error': 'invalid_request'})}", 303)
        code = secrets.token_urlsafe(24)
        self.codes[code] = _Code(application, redirect, challenge, self.signed_in, asked.get("scope", ""))
        return RedirectResponse(f"{redirect}?{urlencode({**told, 'code': code})}", 303)

    async def _token(self, request: Request) -> Response:
        asked = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        application = self.applications.get(asked.get("client_id", ""))
        if application is None:
            return _refused("invalid_client", f"cannot load client with client id: '{asked.get('client_id')}'")
        secret = asked.get("client_secret", "")
        if not application.public and secret != application.secret:
            return _refused("unauthorized_client", f"invalid {'' if secret else 'empty '}client secret")
        given = self.codes.pop(asked.get("code", ""), None)
        if given is None or not _is_right(given, asked):
            return _refused("unauthorized_client", "client is not authorized")
        token = secrets.token_hex(20)
        self.tokens[token] = given
        return JSONResponse(
            {"access_token": token, "token_type": "bearer", "expires_in": 3600, "refresh_token": "r"}
        )

    async def _userinfo(self, request: Request) -> Response:
        held = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if held is None:
            return PlainTextResponse("no valid authorization", 401)
        told: dict[str, Any] = {"sub": "1", "name": held.login.title(), "preferred_username": held.login}
        return JSONResponse(told)


def _refused(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, 400)


def _is_right(given: _Code, asked: dict[str, str]) -> bool:
    """Whether the same application asks, with the verifier of its challenge."""
    digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return (
        asked.get("grant_type") == "authorization_code"
        and asked.get("client_id") == given.application.client
        and asked.get("redirect_uri") == given.redirect
        and (not given.challenge or challenge == given.challenge)
    )
