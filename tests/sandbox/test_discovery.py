import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox.installer import ISSUER, Installer

DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"


async def test_the_issuer_is_named_without_a_slash_at_the_end(http: httpx2.AsyncClient) -> None:
    document = (await http.get(DISCOVERY)).json()
    assert document["issuer"] == ISSUER
    assert document["jwks_uri"] == f"{DISCOVERY}/jwks"
    assert document["token_endpoint"] == f"{ISSUER}/connect/token"
    assert document["pushed_authorization_request_endpoint"] == f"{ISSUER}/connect/par"
    assert document["authorization_response_iss_parameter_supported"] is True


async def test_every_endpoint_is_on_the_issuers_origin(http: httpx2.AsyncClient) -> None:
    document = (await http.get(DISCOVERY)).json()
    addresses = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) > 10
    assert all(address.startswith(f"{ISSUER}/") for address in addresses)


async def test_tokens_verify_with_the_published_keys(installer: Installer) -> None:
    published = (await installer.http.get(f"{DISCOVERY}/jwks")).json()
    (jwk,) = published["keys"]
    assert jwk["kty"] == "RSA"
    assert (jwk["use"], jwk["alg"]) == ("sig", "RS256")
    assert not {"d", "p", "q"} & jwk.keys()
    token = (await installer.send()).json()["access_token"]
    read = jwt.decode(token, KeySet.import_key_set(published), algorithms=["RS256"])
    assert read.header == {"alg": "RS256", "kid": jwk["kid"], "typ": "at+jwt"}


async def test_an_endpoint_the_sandbox_lacks_says_so(http: httpx2.AsyncClient) -> None:
    answer = await http.get(f"{ISSUER}/connect/ciba")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
