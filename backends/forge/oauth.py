"""Who somebody is, by the word of a Forgejo or Gitea: OAuth 2, an authorization code with PKCE."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Literal
from urllib.parse import urlencode

from backends.forge.lean_httpx import httpx
from backends.forge.trust import machine_trust
from backends.model.errors import HeroError
from backends.version import VERSION

SCOPE = "openid profile read:user"
"""Without one of the forge's own scopes a Gitea would make a token that may everything."""
_SECONDS = 15.0
_LIMIT = 256 << 10
_REFUSALS = (400, 401, 403)

Standing = Literal["unknown", "wants_secret", "known"]
"""What an application is to the forge when it comes without a secret."""


class ForgeOAuth:
    """An application `client` of the forge at `url`; `secret` is "" for a public one, which PKCE protects."""

    def __init__(self, url: str, client: str, secret: str = ""):
        self._url = url.rstrip("/")
        self._client = client
        self._secret = secret

    def ask_address(self, redirect: str, state: str, verifier: str) -> str:
        """Where a browser is sent, to come back to `redirect` with a code and `state`."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "client_id": self._client,
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": SCOPE,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._url}/login/oauth/authorize?{urlencode(asked)}"

    async def who(self, code: str, redirect: str, verifier: str) -> str:
        """The name that the forge knows the person by, who brought `code`. The token is kept nowhere.

        Raises HeroError: `denied` where the forge does not take the code, `unreachable`, `failed`.
        """
        fields = {
            "grant_type": "authorization_code",
            "client_id": self._client,
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
        }
        if self._secret:
            fields["client_secret"] = self._secret
        async with await _client() as client:
            told = await self._ask(client, "POST", "/login/oauth/access_token", data=fields)
            token = told.get("access_token")
            if not isinstance(token, str) or not token.isascii() or not token.isprintable():
                raise _nonsense()
            bearer = {"Authorization": f"Bearer {token}"}
            found = await self._ask(client, "GET", "/login/oauth/userinfo", headers=bearer)
        name = found.get("preferred_username")
        if not isinstance(name, str) or not name:
            raise _nonsense()
        return name

    async def standing(self) -> Standing:
        """Whether the forge knows the application, and wants a secret of it: asked for nothing, with no code.

        Raises HeroError: `unreachable`, `failed`.
        """
        fields = {"grant_type": "authorization_code", "client_id": self._client, "code": "none"}
        async with await _client() as client:
            status, body = await self._answer(client, "POST", "/login/oauth/access_token", data=fields)
        if status not in _REFUSALS:
            raise HeroError("failed", f"The forge answered {status}.", hint="Does it let applications sign in?")
        return _standing(_parsed(body))

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, **content: Any) -> dict[str, Any]:
        return _document(*await self._answer(client, method, path, **content))

    async def _answer(
        self, client: httpx.AsyncClient, method: str, path: str, **content: Any
    ) -> tuple[int, bytes]:
        headers = {"Accept": "application/json", **content.pop("headers", {})}
        try:
            async with client.stream(method, f"{self._url}{path}", headers=headers, **content) as answer:
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _LIMIT:
                        raise _nonsense()
        except httpx.HTTPError as error:
            raise HeroError(
                "unreachable", f"The forge cannot be asked: {type(error).__name__}.", hint="Try again in a moment."
            ) from None
        return answer.status_code, body


async def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=await machine_trust(),
        timeout=_SECONDS,
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": f"hero-team-box/{VERSION}"},
    )


def _document(status: int, body: bytes) -> dict[str, Any]:
    if status in _REFUSALS:
        raise _refusal(body)
    if status != 200:
        raise HeroError("failed", f"The forge answered {status}.", hint="Try again in a moment.")
    return _parsed(body)


def _refusal(body: bytes) -> HeroError:
    try:
        standing = _standing(_parsed(body))
    except HeroError:
        standing = "known"
    if standing == "known":
        return HeroError("denied", "The forge did not take the code.", hint="Sign in again.")
    what = "does not know this box" if standing == "unknown" else "does not take this box's secret"
    return HeroError("failed", f"The forge {what}.", hint="An admin mends that: `hero_dev web register`.")


def _standing(refused: dict[str, Any]) -> Standing:
    """What a refusal says of the application. Its secret is in words only: the codes differ between versions."""
    if "client secret" in str(refused.get("error_description", "")):
        return "wants_secret"
    return "unknown" if refused.get("error") == "invalid_client" else "known"


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = httpx.Response(200, content=body).json()
    except ValueError:
        raise _nonsense() from None
    if not isinstance(found, dict):
        raise _nonsense()
    return found


def _nonsense() -> HeroError:
    return HeroError("failed", "What the forge answered makes no sense.", hint="Is it a Forgejo or a Gitea?")
