from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from app.sandbox.token_issuer.client_store import ClientMetadata, ClientStore
from tests.sandbox.installer import (
    CREDENTIAL,
    EC_KEY,
    ISSUER,
    NEIGHBOURS,
    REGISTER,
    Installer,
    assert_refused,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def change(installer: Installer, **changes: Any) -> Any:
    return await installer.http.put(
        f"{REGISTER}/{installer.client_id}", json=installer.metadata | changes, headers=CREDENTIAL
    )


async def test_discovery_says_where_clients_are_registered(http: httpx2.AsyncClient) -> None:
    document = (await http.get(f"{ISSUER}/.well-known/openid-configuration")).json()
    assert document["registration_endpoint"] == REGISTER


async def test_a_client_is_registered_under_the_id_that_was_asked_for(
    http: httpx2.AsyncClient,
) -> None:
    installer = Installer(http)
    answer = await http.post(REGISTER, json=installer.metadata, headers=CREDENTIAL)
    assert answer.status_code == 201
    body = answer.json()
    assert body.items() >= installer.metadata.items()
    assert body["registration_client_uri"] == f"{REGISTER}/{installer.client_id}"
    assert (await installer.send()).status_code == 200


async def test_a_client_without_a_wish_gets_an_id(http: httpx2.AsyncClient) -> None:
    answer = await http.post(REGISTER, json={"scope": "nhn:msh/api"}, headers=CREDENTIAL)
    assert answer.status_code == 201
    assert answer.json()["client_id"]


async def test_a_client_is_registered_once(installer: Installer) -> None:
    again = await installer.http.post(REGISTER, json=installer.metadata, headers=CREDENTIAL)
    assert again.status_code == 400
    assert again.json() == {
        "error": "invalid_client_metadata",
        "error_description": "client_id exists",
    }


async def test_a_change_replaces_everything(installer: Installer) -> None:
    answer = await change(installer, scope="nhn:deft/api", client_claims={})
    assert answer.status_code == 200
    assert answer.json()["scope"] == "nhn:deft/api"
    assert_refused(await installer.send(), "invalid_scope")
    assert (await installer.send(scope="nhn:deft/api")).status_code == 200


async def test_a_client_can_be_blocked_and_let_in_again(installer: Installer) -> None:
    await change(installer, blocked=True)
    assert_refused(await installer.send(), "invalid_client", "blocked")
    await change(installer, blocked=False)
    assert (await installer.send()).status_code == 200


async def test_the_id_cannot_be_changed(installer: Installer) -> None:
    answer = await change(installer, client_id="another")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client_metadata"


async def test_a_registration_can_be_read(installer: Installer) -> None:
    answer = await installer.http.get(f"{REGISTER}/{installer.client_id}", headers=CREDENTIAL)
    assert answer.status_code == 200
    assert answer.json().items() >= installer.metadata.items()


async def test_a_client_can_be_removed(installer: Installer) -> None:
    address = f"{REGISTER}/{installer.client_id}"
    answer = await installer.http.delete(address, headers=CREDENTIAL)
    assert (answer.status_code, answer.content) == (204, b"")
    assert_refused(await installer.send(), "invalid_client", "unknown")
    assert (await installer.http.delete(address, headers=CREDENTIAL)).status_code == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_client_is_401_as_the_specification_says(
    http: httpx2.AsyncClient, method: str
) -> None:
    answer = await http.request(method, f"{REGISTER}/unknown", json={}, headers=CREDENTIAL)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_token"
    assert "invalid_token" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("credential", [{}, {"Authorization": "Bearer x"}, {"Authorization": "æ"}])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_registration_needs_the_credential(
    installer: Installer, method: str, credential: dict[str, str]
) -> None:
    address = REGISTER if method == "POST" else f"{REGISTER}/{installer.client_id}"
    headers = {name.encode(): value.encode() for name, value in credential.items()}
    answer = await installer.http.request(method, address, json={}, headers=headers)
    assert answer.status_code == 401
    assert (await installer.send()).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, "invalid_client_metadata"),
        ({"jwks": {"keys": [EC_KEY.as_dict(private=True)]}}, "invalid_client_metadata"),
        ({"jwks": {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]}}, "invalid_client_metadata"),
        ({"jwks": {"keys": [EC_KEY.as_dict(kid=7)]}}, "invalid_client_metadata"),
        ({"jwks": []}, "invalid_client_metadata"),
        ({"key_ends": {"x": "soon"}}, "invalid_client_metadata"),
        ({"key_ends": {"x": "2027-01-01T00:00:00"}}, "invalid_client_metadata"),
        ({"organization_number": "12"}, "invalid_client_metadata"),
        ({"client_tenancy": "many"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "invalid_client_metadata"),
        ({"scope": 7}, "invalid_client_metadata"),
        ({"redirect_uris": ["/relative"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example/#x"]}, "invalid_redirect_uri"),
    ],
)
async def test_bad_metadata_is_refused_and_nothing_is_kept(
    http: httpx2.AsyncClient, changes: dict[str, Any], error: str
) -> None:
    installer = Installer(http)
    answer = await http.post(REGISTER, json=installer.metadata | changes, headers=CREDENTIAL)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert_refused(await installer.send(), "invalid_client", "unknown")


async def test_no_json_is_refused(http: httpx2.AsyncClient) -> None:
    for content in (b"", b"{", b"\xff", b"[]"):
        answer = await http.post(REGISTER, content=content, headers=CREDENTIAL)
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_client_metadata"


async def test_the_services_login_client_is_there_from_the_start(
    http: httpx2.AsyncClient,
) -> None:
    assert NEIGHBOURS.login_client
    client_id = NEIGHBOURS.login_client["client_id"]
    answer = await http.get(f"{REGISTER}/{client_id}", headers=CREDENTIAL)
    assert answer.json()["grant_types"] == ["authorization_code", "refresh_token"]


async def test_the_late_organisations_client_is_answered_but_not_known_yet(
    http: httpx2.AsyncClient,
) -> None:
    installer = await Installer(http).register(organization_number="310000108")
    assert_refused(await installer.send(), "invalid_client", "unknown")


def test_only_the_first_registration_is_late() -> None:
    store = ClientStore()
    first = ClientMetadata(organization_number="310000108", scope="a/b")
    store.put("late", first, NOW)
    seconds = [NOW + timedelta(seconds=n) for n in (19.9, 20, 21)]
    assert store.in_effect("late", seconds[0]) is None
    store.put("late", ClientMetadata(organization_number="310000108", scope="c/d"), seconds[0])
    assert store.in_effect("late", seconds[0]) is None
    found = store.in_effect("late", seconds[1])
    assert found is not None
    assert found.api_scopes == ["c/d"]
    store.put("late", ClientMetadata(organization_number="310000108", scope="e/f"), seconds[2])
    changed = store.in_effect("late", seconds[2])
    assert changed is not None
    assert changed.api_scopes == ["e/f"]
