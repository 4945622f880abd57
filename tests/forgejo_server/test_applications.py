"""A user's OAuth2 applications: our server answers as the real Gitea does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.forgejo_server.sites import Site
from tests.forgejo_server.sites import site as site

PATH = "/user/applications/oauth2"
REDIRECT = "https://box.example/admin/login/callback"


def api_of(site: Site, token: str) -> httpx.Client:
    headers = {"Authorization": f"token {token}"}
    return httpx.Client(base_url=f"{site.url}/api/v1", headers=headers, trust_env=False)


@pytest.fixture
def api(site: Site) -> Iterator[httpx.Client]:
    with api_of(site, site.token) as client:
        yield client


def fields(**more: object) -> dict[str, object]:
    return {"name": uuid.uuid4().hex, "redirect_uris": [REDIRECT], "confidential_client": True, **more}


def test_a_secret_is_told_once_and_another_with_each_change(api: httpx.Client) -> None:
    answer = api.post(PATH, json=fields(skip_secondary_authorization=True))
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {
        "id", "name", "client_id", "client_secret", "confidential_client", "skip_secondary_authorization",
        "redirect_uris", "created",
    }  # fmt: skip
    assert made["client_secret"].startswith("gto_")
    answer = api.get(PATH, params={"limit": 50})
    (listed,) = [one for one in answer.json() if one["id"] == made["id"]]
    assert listed | {"created": ""} == made | {"client_secret": "", "created": ""}
    assert int(answer.headers["X-Total-Count"]) == len(answer.json())
    answer = api.patch(f"{PATH}/{made['id']}", json=fields(redirect_uris=[REDIRECT, "https://two.example/"]))
    assert answer.status_code == 200
    changed = answer.json()
    assert changed["client_id"] == made["client_id"]
    assert changed["client_secret"].startswith("gto_")
    assert changed["client_secret"] != made["client_secret"]
    assert (changed["skip_secondary_authorization"], len(changed["redirect_uris"])) == (False, 2)
    assert api.get(f"{PATH}/{made['id']}").json()["client_secret"] == ""
    assert api.delete(f"{PATH}/{made['id']}").status_code == 204
    for method in ("GET", "DELETE"):
        assert api.request(method, f"{PATH}/{made['id']}").status_code == 404
    assert api.patch(f"{PATH}/{made['id']}", json=fields()).status_code == 404


def test_pages_are_as_long_as_was_asked_for_and_begin_with_the_newest(api: httpx.Client) -> None:
    made = [api.post(PATH, json=fields()).json()["id"] for _ in range(3)]
    first, second = (api.get(PATH, params={"limit": 2, "page": page}).json() for page in (1, 2))
    assert [one["id"] for one in first + second][:3] == made[::-1]
    for number in made:
        api.delete(f"{PATH}/{number}")


@pytest.mark.parametrize("lacks", ["name", "redirect_uris"])
def test_without_a_name_or_an_address_there_is_none(api: httpx.Client, lacks: str) -> None:
    answer = api.post(PATH, json={name: value for name, value in fields().items() if name != lacks})
    assert answer.status_code == 422
    assert "Required" in answer.json()["message"]


def test_those_of_others_are_not_seen_and_not_touched(site: Site, api: httpx.Client) -> None:
    number = api.post(PATH, json=fields()).json()["id"]
    with api_of(site, site.account("sara")) as sara:
        assert sara.get(PATH).json() == []
        assert sara.get(f"{PATH}/{number}").status_code == 404
        assert sara.delete(f"{PATH}/{number}").status_code == 404
        assert sara.patch(f"{PATH}/{number}", json=fields()).status_code == 500
    assert api.get(f"{PATH}/{number}").status_code == 200
    api.delete(f"{PATH}/{number}")


def test_an_application_is_told_apart_from_none_by_what_its_refusal_says(site: Site, api: httpx.Client) -> None:
    made = api.post(PATH, json=fields()).json()

    def refused(client: str, secret: str) -> tuple[int, str, str]:
        asked = {"grant_type": "authorization_code", "client_id": client, "client_secret": secret, "code": "none"}
        answer = httpx.post(f"{site.url}/login/oauth/access_token", data=asked, trust_env=False)
        return answer.status_code, answer.json()["error"], answer.json()["error_description"]

    gone = str(uuid.uuid4())
    assert refused(gone, "") == (400, "invalid_client", f"cannot load client with client id: '{gone}'")
    assert refused(made["client_id"], "") == (400, "unauthorized_client", "invalid empty client secret")
    assert refused(made["client_id"], "x") == (400, "unauthorized_client", "invalid client secret")
    known = refused(made["client_id"], made["client_secret"])
    assert known == (400, "unauthorized_client", "client is not authorized")
    api.delete(f"{PATH}/{made['id']}")
