import base64
import time
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey

from tests.sandbox.installer import (
    CREDENTIAL,
    EC_KEY,
    ISSUER,
    OTHER_EC_KEY,
    PAR,
    REGISTER,
    RSA_KEY,
    TOKEN,
    Installer,
    assert_refused,
    challenge_of,
    claims_of,
)


@pytest.mark.parametrize("audience", [ISSUER, f"{ISSUER}/", [ISSUER]])
async def test_the_issuer_is_the_audience_with_or_without_a_slash(
    installer: Installer, audience: object
) -> None:
    answer = await installer.send(client_assertion=installer.assertion(aud=audience))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("typ", [None, "JWT"])
@pytest.mark.parametrize("audience", [TOKEN, PAR, ISSUER])
async def test_old_assertions_may_name_the_endpoint(
    installer: Installer, typ: str | None, audience: str
) -> None:
    assertion = installer.assertion(header={"typ": typ}, aud=audience)
    assert (await installer.send(client_assertion=assertion)).status_code == 200


@pytest.mark.parametrize(
    "audience", [TOKEN, PAR, "https://elsewhere.example", [ISSUER, TOKEN], None, 7]
)
async def test_new_assertions_name_the_issuer_alone(installer: Installer, audience: object) -> None:
    answer = await installer.send(client_assertion=installer.assertion(aud=audience))
    assert_refused(answer, "invalid_client", "aud")


@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_times_may_be_strings(installer: Installer, name: str) -> None:
    claims: dict[str, Any] = {name: str(int(time.time()))}
    assertion = installer.assertion(**claims)
    assert (await installer.send(client_assertion=assertion)).status_code == 200


@pytest.mark.parametrize("value", ["soon", "", [], True, "9" * 20])
async def test_other_things_are_not_times(installer: Installer, value: object) -> None:
    answer = await installer.send(client_assertion=installer.assertion(iat=value))
    assert_refused(answer, "invalid_client", "iat")


@pytest.mark.parametrize("seconds", [2, 5, 60, 64])
async def test_lives_of_real_clients_are_accepted(installer: Installer, seconds: int) -> None:
    assertion = installer.assertion(exp=int(time.time()) + seconds)
    assert (await installer.send(client_assertion=assertion)).status_code == 200


async def test_a_clock_a_few_seconds_behind_does_not_matter(installer: Installer) -> None:
    now = int(time.time()) - 8
    assertion = installer.assertion(iat=now, nbf=now, exp=now + 5)
    assert (await installer.send(client_assertion=assertion)).status_code == 200


@pytest.mark.parametrize(("seconds", "text"), [(70, "longer"), (3_600, "longer"), (-6, "expired")])
async def test_too_long_and_expired_assertions_are_refused(
    installer: Installer, seconds: int, text: str
) -> None:
    assertion = installer.assertion(exp=int(time.time()) + seconds)
    assert_refused(await installer.send(client_assertion=assertion), "invalid_client", text)


@pytest.mark.parametrize("value", [None, "soon", 1e400, float("nan")])
async def test_an_assertion_has_an_end(installer: Installer, value: object) -> None:
    answer = await installer.send(client_assertion=installer.assertion(exp=value))
    assert_refused(answer, "invalid_client", "exp")


async def test_an_assertion_is_used_once(installer: Installer) -> None:
    assertion = installer.assertion()
    assert (await installer.send(client_assertion=assertion)).status_code == 200
    again = await installer.send(client_assertion=assertion)
    assert_refused(again, "invalid_client", "used before")


async def test_two_clients_may_have_the_same_jti(
    installer: Installer, http: httpx2.AsyncClient
) -> None:
    other = await Installer(http).register()
    for client in (installer, other):
        answer = await client.send(client_assertion=client.assertion(jti="the same"))
        assert answer.status_code == 200


@pytest.mark.parametrize("jti", [None, "", 7, "x" * 257])
async def test_an_assertion_has_a_jti(installer: Installer, jti: object) -> None:
    answer = await installer.send(client_assertion=installer.assertion(jti=jti))
    assert_refused(answer, "invalid_client", "jti")


@pytest.mark.parametrize("kid", [None, "the server's own", "second"])
async def test_kid_is_only_a_hint(http: httpx2.AsyncClient, kid: str | None) -> None:
    installer = Installer(http, RSA_KEY)
    keys = [
        OTHER_EC_KEY.as_dict(private=False) | {"kid": "second"},
        RSA_KEY.as_dict(private=False) | {"kid": "first", "alg": "RS512", "use": "sig"},
    ]
    await installer.register(jwks={"keys": keys})
    answer = await installer.send(client_assertion=installer.assertion(header={"kid": kid}))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
async def test_rsa_keys_sign_with_all_their_algorithms(
    http: httpx2.AsyncClient, algorithm: str
) -> None:
    installer = await Installer(http, RSA_KEY).register()
    assertion = installer.assertion(header={"alg": algorithm})
    assert (await installer.send(client_assertion=assertion)).status_code == 200


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
async def test_ec_keys_sign_with_the_algorithm_of_their_curve(
    http: httpx2.AsyncClient, curve: str
) -> None:
    installer = await Installer(http, ECKey.generate_key(curve)).register()
    assert (await installer.send()).status_code == 200


async def test_another_key_is_refused(installer: Installer) -> None:
    assertion = installer.assertion(key=OTHER_EC_KEY)
    assert_refused(await installer.send(client_assertion=assertion), "invalid_client", "key")


@pytest.mark.parametrize(
    ("end", "accepted"), [("2020-01-01T00:00:00Z", False), ("2999-01-01T00:00:00Z", True)]
)
async def test_a_key_past_its_end_is_refused(
    http: httpx2.AsyncClient, end: str, accepted: bool
) -> None:
    installer = await Installer(http).register(key_ends={EC_KEY.thumbprint(): end})
    answer = await installer.send()
    if accepted:
        assert answer.status_code == 200
    else:
        assert_refused(answer, "invalid_client", "ended")


async def test_a_blocked_client_is_refused(http: httpx2.AsyncClient) -> None:
    installer = await Installer(http).register(blocked=True)
    assert_refused(await installer.send(), "invalid_client", "blocked")


async def test_an_unknown_client_is_refused(http: httpx2.AsyncClient) -> None:
    assert_refused(await Installer(http).send(), "invalid_client", "unknown")


async def test_the_client_id_may_be_absent(installer: Installer) -> None:
    answer = await installer.send(client_id=None)
    assert claims_of(answer.json()["access_token"])["client_id"] == installer.client_id


async def test_the_client_id_is_the_assertions(installer: Installer) -> None:
    assert_refused(await installer.send(client_id="another"), "invalid_client", "client_id")


async def test_issuer_and_subject_of_an_assertion_are_the_same(installer: Installer) -> None:
    answer = await installer.send(client_assertion=installer.assertion(iss="another"))
    assert_refused(answer, "invalid_client", "iss and sub")


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", 7])
async def test_other_kinds_of_tokens_are_no_assertions(installer: Installer, typ: object) -> None:
    answer = await installer.send(client_assertion=installer.assertion(header={"typ": typ}))
    assert_refused(answer, "invalid_client", "typ")


def unsigned(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "assertion",
    [
        "nonsense",
        "a.b.c",
        f"{unsigned('[]')}.{unsigned('{}')}.x",
        f"{unsigned('7')}.{unsigned('{}')}.x",
        unsigned('{"alg":"none"}') + f".{unsigned('{}')}.",
        unsigned('{"alg":"HS256"}') + f".{unsigned('{}')}.x",
        unsigned('{"alg":["RS256"]}') + f".{unsigned('{}')}.x",
        unsigned('{"alg":"ES256"}') + f".{unsigned('[1]')}.x",
        unsigned('{"alg":"ES256"}') + "." + unsigned("[" * 3_000) + ".x",
        unsigned('{"alg":"ES256","crit":["x"]}') + f".{unsigned('{}')}.x",
        "x" * 9_000,
    ],
)
async def test_hostile_assertions_are_refused(installer: Installer, assertion: str) -> None:
    assert_refused(await installer.send(client_assertion=assertion), "invalid_client")


@pytest.mark.parametrize("kind", [None, "another"])
async def test_only_assertions_authenticate(installer: Installer, kind: str | None) -> None:
    answer = await installer.send(client_assertion_type=kind)
    assert_refused(answer, "invalid_client", "jwt-bearer")


async def test_pushed_requests_take_the_same_assertions(installer: Installer) -> None:
    assertion = installer.assertion(header={"typ": "JWT"}, aud=PAR)
    assert (await installer.push(client_assertion=assertion)).status_code == 201
    again = await installer.push(client_assertion=assertion)
    assert_refused(again, "invalid_client", "used before")


async def test_a_new_key_counts_from_its_registration(installer: Installer) -> None:
    keys = {"keys": [OTHER_EC_KEY.as_dict(private=False)]}
    answer = await installer.http.put(
        f"{REGISTER}/{installer.client_id}",
        json=installer.metadata | {"jwks": keys},
        headers=CREDENTIAL,
    )
    assert answer.status_code == 200
    assert_refused(await installer.send(), "invalid_client", "no key")
    new = installer.assertion(key=OTHER_EC_KEY)
    assert (await installer.send(client_assertion=new)).status_code == 200


def test_the_challenge_of_the_specifications_example() -> None:
    """RFC 7636, appendix B: these tests' own client is right."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
