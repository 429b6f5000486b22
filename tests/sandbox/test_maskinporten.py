import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.sandbox.installer import assert_refused, claims_of
from tests.sandbox.processes import running
from tests.sandbox.service_owner import (
    CUSTOMER,
    DELEGATIONS,
    EXCHANGE,
    GRANT_TYPE,
    LOOK_UP,
    LOOK_UP_ADMIN,
    MASKINPORTEN,
    OTHER_KEY,
    SCOPE,
    SUPPLIER,
    WORLD,
    ServiceOwner,
    assertion,
    bearer,
)

NOW = int(time.time())


async def ask(owner: ServiceOwner, text: str, grant_type: str = GRANT_TYPE) -> Any:
    form = {"grant_type": grant_type, "assertion": text}
    return await owner.http.post(f"{MASKINPORTEN}token", data=form)


async def test_an_assertion_is_good_for_a_token(owner: ServiceOwner) -> None:
    body = (await ask(owner, assertion(scope=f"{LOOK_UP} {LOOK_UP_ADMIN}"))).json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 120)
    assert body["scope"] == f"{LOOK_UP} {LOOK_UP_ADMIN}"
    claims = claims_of(body["access_token"])
    assert claims["exp"] - claims["iat"] == 120
    assert claims["consumer"] == {"authority": "iso6523-actorid-upis", "ID": "0192:994598759"}
    assert claims["consumer_prefix"] == ["nhn"]
    assert (claims["iss"], claims["client_id"]) == (MASKINPORTEN, "our-client")


async def test_the_metadata_leads_to_the_keys(owner: ServiceOwner) -> None:
    address = f"{MASKINPORTEN}.well-known/oauth-authorization-server"
    metadata = (await owner.http.get(address)).json()
    assert metadata["issuer"] == MASKINPORTEN
    assert metadata["token_endpoint"] == f"{MASKINPORTEN}token"
    (jwk,) = (await owner.http.get(metadata["jwks_uri"])).json()["keys"]
    token = await owner.maskinporten_token(LOOK_UP)
    read = jwt.decode(token, RSAKey.import_key(jwk), algorithms=["RS256"])
    assert read.claims["scope"] == LOOK_UP


@pytest.mark.parametrize("audience", [f"{MASKINPORTEN}token", [MASKINPORTEN]])
async def test_the_audience_may_also_be_the_token_address(
    owner: ServiceOwner, audience: object
) -> None:
    assert (await ask(owner, assertion(aud=audience))).status_code == 200


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"aud": [MASKINPORTEN, f"{MASKINPORTEN}token"]}, "alone"),
        ({"aud": [MASKINPORTEN, MASKINPORTEN]}, "alone"),
        ({"aud": MASKINPORTEN.rstrip("/")}, "alone"),
        ({"aud": []}, "alone"),
        ({"aud": None}, "alone"),
        ({"iss": "somebody"}, "no client"),
        ({"iss": None}, "no client"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"exp": None}, "iat and exp"),
        ({"iat": None}, "iat and exp"),
        ({"iat": NOW, "exp": NOW + 121}, "longer"),
        ({"iat": NOW - 200, "exp": NOW - 100}, "expired"),
        ({"iat": NOW + 90, "exp": NOW + 150}, "future"),
    ],
)
async def test_an_assertion_with_a_wrong_claim_is_refused(
    owner: ServiceOwner, claims: dict[str, Any], text: str
) -> None:
    assert_refused(await ask(owner, assertion(**claims)), "invalid_grant", text)


async def test_an_assertion_lives_two_minutes_at_most(owner: ServiceOwner) -> None:
    now = int(time.time())
    assert (await ask(owner, assertion(iat=now, exp=now + 120))).status_code == 200


@pytest.mark.parametrize("scope", [None, "", "nhn:somebody/elses"])
async def test_a_scope_that_is_not_the_clients_is_refused(
    owner: ServiceOwner, scope: str | None
) -> None:
    assert_refused(await ask(owner, assertion(scope=scope)), "invalid_scope")


async def test_an_assertion_is_good_once(owner: ServiceOwner) -> None:
    text = assertion()
    assert (await ask(owner, text)).status_code == 200
    assert_refused(await ask(owner, text), "invalid_grant", "used before")


async def test_another_key_is_nobodys(owner: ServiceOwner) -> None:
    assert_refused(await ask(owner, assertion(OTHER_KEY)), "invalid_grant", "fits no key")


async def test_only_one_grant_type_is_served(owner: ServiceOwner) -> None:
    answer = await ask(owner, assertion(), "client_credentials")
    assert_refused(answer, "unsupported_grant_type")


async def test_what_is_no_assertion_is_refused(owner: ServiceOwner) -> None:
    assert_refused(await ask(owner, "x.y.z"), "invalid_grant", "not a signed")


async def test_a_world_without_a_client_gives_no_tokens(own_http: httpx2.AsyncClient) -> None:
    form = {"grant_type": GRANT_TYPE, "assertion": assertion()}
    answer = await own_http.post(f"{MASKINPORTEN}token", data=form)
    assert_refused(answer, "invalid_grant", "no client")


async def test_altinn_gives_its_own_token_for_maskinportens(owner: ServiceOwner) -> None:
    token = await owner.maskinporten_token(LOOK_UP)
    answer = await owner.http.get(EXCHANGE, headers=bearer(token))
    assert answer.headers["content-type"].startswith("text/plain")
    claims = claims_of(answer.text)
    assert claims["scope"] == LOOK_UP
    assert claims["urn:altinn:orgNumber"] == "994598759"
    assert claims["consumer_prefix"] == ["nhn"]
    assert claims["iss"] != MASKINPORTEN


@pytest.mark.parametrize("headers", [{}, bearer("x.y.z"), {"Authorization": "Basic eDp5"}])
async def test_without_a_token_of_maskinporten_there_is_none_of_altinn(
    owner: ServiceOwner, headers: dict[str, str]
) -> None:
    answer = await owner.http.get(EXCHANGE, headers=headers)
    assert (answer.status_code, answer.content) == (401, b"")


async def test_altinns_own_token_cannot_be_exchanged(owner: ServiceOwner) -> None:
    answer = await owner.http.get(EXCHANGE, headers=await owner.headers(LOOK_UP))
    assert answer.status_code == 401


async def test_the_look_up_takes_either_token(owner: ServiceOwner) -> None:
    headers = bearer(await owner.maskinporten_token(LOOK_UP_ADMIN))
    query = {"consumerOrg": "310000019"}
    answer = await owner.http.get(DELEGATIONS, params=query, headers=headers)
    assert answer.status_code == 200


async def test_tokens_pass_over_sockets(tmp_path: Path) -> None:
    """The client is read from the file that the process is started with."""
    with running(WORLD, tmp_path) as here:
        async with httpx2.AsyncClient(trust_env=False) as http:
            issuer = here.maskinporten_url
            form = {"grant_type": GRANT_TYPE, "assertion": assertion(aud=issuer)}
            issued = (await http.post(f"{issuer}token", data=form)).json()
            exchange = f"{here.altinn_url}/authentication/api/v1/exchange/maskinporten"
            token = (await http.get(exchange, headers=bearer(issued["access_token"]))).text
            address = f"{here.altinn_url}/accessmanagement/api/v1/maskinporten/delegations/"
            query = {"consumerOrg": CUSTOMER, "supplierOrg": SUPPLIER, "scope": SCOPE}
            answer = await http.get(address, params=query, headers=bearer(token))
    assert [row["consumer_org"] for row in answer.json()] == [CUSTOMER]
