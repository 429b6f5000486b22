import httpx2
import pytest

from tests.sandbox.installer import (
    ISSUER,
    OTHER_EC_KEY,
    PAR,
    TOKEN,
    Installer,
    assert_refused,
    claims_of,
)

CLIENT = "helseid://claims/client/"
PARENT = f"{CLIENT}claims/orgnr_parent"
SUPPLIER = f"{CLIENT}claims/orgnr_supplier"


async def test_a_token_holds_helseids_claims(installer: Installer) -> None:
    answer = await installer.bound()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    claims = claims_of(answer.json()["access_token"])
    assert claims["exp"] - claims["iat"] == 600
    assert claims["nbf"] == claims["iat"]
    assert claims.pop("jti")
    for name in ("iat", "nbf", "exp"):
        del claims[name]
    assert claims == {
        "iss": ISSUER,
        "aud": "nhn:selvbetjening",
        "client_id": installer.client_id,
        "scope": ["nhn:selvbetjening/client"],
        "client_amr": "private_key_jwt",
        f"{CLIENT}client_name": "Fjord EPJ, Fjordbyen legesenter AS",
        f"{CLIENT}client_tenancy": "single-tenant",
        PARENT: "310000019",
        SUPPLIER: "310700029",
        "herid": "0",
        "cnf": {"jkt": OTHER_EC_KEY.thumbprint()},
    }


async def test_absent_scope_means_all_the_clients_scopes(installer: Installer) -> None:
    body = (await installer.send(scope=None)).json()
    assert body["scope"] == "nhn:selvbetjening/client nhn:msh/api"
    assert "rejected_scope" not in body
    assert "id_token" not in body
    assert "refresh_token" not in body


async def test_several_audiences_are_a_list(installer: Installer) -> None:
    body = (await installer.send(scope=None)).json()
    assert claims_of(body["access_token"])["aud"] == ["nhn:selvbetjening", "nhn:msh"]


async def test_resource_picks_one_audience(installer: Installer) -> None:
    body = (await installer.send(scope=None, resource="nhn:msh")).json()
    assert body["scope"] == "nhn:msh/api"
    assert claims_of(body["access_token"])["aud"] == "nhn:msh"


async def test_an_unknown_resource_is_refused(installer: Installer) -> None:
    answer = await installer.send(scope=None, resource="nhn:deft")
    assert_refused(answer, "invalid_target", "nhn:deft")


@pytest.mark.parametrize(
    "scope",
    ["nhn:deft/api", "nhn:msh/api nhn:deft/api", "openid nhn:msh/api", "helseid://scopes/hpr/x"],
)
async def test_scopes_that_are_not_the_clients_are_refused(
    installer: Installer, scope: str
) -> None:
    assert_refused(await installer.send(scope=scope), "invalid_scope")


async def test_a_client_without_scopes_gets_no_token(http: httpx2.AsyncClient) -> None:
    installer = await Installer(http).register(scope="")
    assert_refused(await installer.send(scope=None), "invalid_scope")


async def test_claims_of_an_api_are_for_that_api(http: httpx2.AsyncClient) -> None:
    vkp_id = "nhn:vkp/client/claims/vkp-id"
    installer = await Installer(http).register(
        scope="nhn:msh/api nhn:vkp/api/user/patient.read",
        client_claims={vkp_id: "fjord-test", "herid": "0"},
    )
    to_vkp = await installer.send(scope="nhn:vkp/api/user/patient.read")
    assert claims_of(to_vkp.json()["access_token"])[vkp_id] == "fjord-test"
    to_msh = await installer.send(scope="nhn:msh/api")
    assert vkp_id not in claims_of(to_msh.json()["access_token"])


async def test_only_registered_grants_are_used(http: httpx2.AsyncClient) -> None:
    installer = await Installer(http).register(grant_types=["authorization_code"])
    assert_refused(await installer.send(), "unauthorized_client")


@pytest.mark.parametrize(
    ("grant_type", "error"), [(None, "invalid_request"), ("password", "unsupported_grant_type")]
)
async def test_only_three_grants_exist(
    installer: Installer, grant_type: str | None, error: str
) -> None:
    assert_refused(await installer.send(grant_type=grant_type), error)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("url", [TOKEN, PAR])
async def test_wrong_methods_are_invalid_requests(
    http: httpx2.AsyncClient, method: str, url: str
) -> None:
    assert_refused(await http.request(method, url), "invalid_request", "POST")


async def test_wrong_content_types_are_invalid_requests(installer: Installer) -> None:
    answer = await installer.http.post(TOKEN, json=installer.form())
    assert_refused(answer, "invalid_request", "x-www-form-urlencoded")


@pytest.mark.parametrize(
    "body",
    [b"grant_type=a&grant_type=b", b"\xff\xfe", b"&".join([b"a=1"] * 101), b"x" * 70_000],
    ids=["twice", "no text", "many", "large"],
)
async def test_hostile_forms_are_invalid_requests(http: httpx2.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await http.post(TOKEN, content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


async def test_client_information_tells_of_the_client_and_its_keys(
    http: httpx2.AsyncClient,
) -> None:
    installer = Installer(http)
    ends = {installer.key.thumbprint(): "2999-01-01T00:00:00Z"}
    await installer.register(key_ends=ends)
    token = (await installer.send(scope="helseid://scopes/client/info")).json()["access_token"]
    assert claims_of(token)["aud"] == ISSUER
    answer = await http.post(
        f"{ISSUER}/connect/clientinfo", headers={"Authorization": f"Bearer {token}"}
    )
    body = answer.json()
    assert body["ClientId"] == installer.client_id
    assert body["RedirectUris"] == installer.metadata["redirect_uris"]
    assert body["Secrets"] == [
        {"Kid": installer.key.thumbprint(), "Expiration": "2999-01-01T00:00:00+00:00"}
    ]


async def test_client_information_needs_its_scope(installer: Installer) -> None:
    token = (await installer.send()).json()["access_token"]
    for value in (f"Bearer {token}", "Bearer nonsense", "Basic x", ""):
        answer = await installer.http.post(
            f"{ISSUER}/connect/clientinfo", headers={"Authorization": value}
        )
        assert answer.status_code == 401
