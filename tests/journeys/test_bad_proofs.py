"""Proofs that do not go with their request (2 of the security rules), and those that do."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.installers.keys import InstallersKey, ec_key, proof, rsa_key, token_hash
from tests.installers.plain import CLIENT_SCOPE, PlainInstaller
from tests.journeys.refusals import check_proof_refused, check_token_refused
from tests.journeys.stored import Stored
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
OTHER = ec_key()
SMALL = {"kty": "RSA", "e": "AQAB", "n": "gA" + 168 * "A" + "AB"}  # 1024 bits
MakeProof: TypeAlias = Callable[[PlainInstaller], str]


@pytest.fixture(scope="module")
def client(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    return PlainInstaller(sandbox, http, ec_key()).set_up()


def claims(**changes: Any) -> MakeProof:
    return lambda client: client.proof("GET", "client", **changes)


def header(**changes: Any) -> MakeProof:
    return lambda client: client.proof("GET", "client", header=changes)


def url(change: Callable[[str], object]) -> MakeProof:
    return lambda client: client.proof("GET", "client", htu=change(client.url("client")))


def with_key(key: InstallersKey, **changes: Any) -> MakeProof:
    """Signed with `key`, whichever the header shows."""
    return lambda client: proof(key, "GET", client.url("client"), token=client.token, **changes)


def unsigned(alg: str) -> MakeProof:
    """The algorithm says that no key of the client's is needed."""

    def make(client: PlainInstaller) -> str:
        head = encoded({"typ": "dpop+jwt", "alg": alg, "jwk": client.key.bare})
        body = client.proof("GET", "client").split(".")[1]
        return f"{head}.{body}." + ("" if alg == "none" else "c2lnbmF0dXJl")

    return make


def encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def now(seconds: float) -> Callable[[PlainInstaller], str]:
    return lambda client: client.proof("GET", "client", iat=int(time.time() + seconds))


def another_signature(client: PlainInstaller) -> str:
    one, other = client.proof("GET", "client"), client.proof("GET", "client")
    return one.rpartition(".")[0] + "." + other.rpartition(".")[2]


BAD: list[tuple[str, MakeProof, str]] = [
    ("typ of a JWT", header(typ="JWT"), "typ"),
    ("no typ", header(typ=None), "typ"),
    ("no key", header(jwk=None), "jwk"),
    ("a key that is no object", header(jwk="x"), "jwk"),
    ("a private key", lambda c: header(jwk=c.key.private())(c), "secret"),
    ("a symmetric key", header(jwk={"kty": "oct", "k": "c2VjcmV0"}), "jwk"),
    ("a key of 1024 bits", header(jwk=SMALL), "bits"),
    ("a point beside the curve", lambda c: header(jwk=beside_the_curve(c))(c), "point"),
    ("a key for encryption", lambda c: header(jwk={**c.key.bare, "use": "enc"})(c), "use"),
    ("alg none", unsigned("none"), "signed"),
    ("alg HS256", unsigned("HS256"), "alg"),
    ("alg of another curve", unsigned("ES384"), "alg"),
    ("alg of another kind", unsigned("RS256"), "alg"),
    ("another's signature", lambda c: with_key(OTHER, header={"jwk": c.key.bare})(c), "signature"),
    ("another proof's signature", another_signature, "signature"),
    ("critical extensions", header(crit=["exp"]), "crit"),
    ("no htm", claims(htm=None), "htm"),
    ("another method", claims(htm="POST"), "htm"),
    ("a method in small letters", claims(htm="get"), "htm"),
    ("no htu", claims(htu=None), "htu"),
    ("htu that is no text", claims(htu=7), "htu"),
    ("another path", url(lambda u: u + "-secret"), "htu"),
    ("a path with a slash more", url(lambda u: u + "/"), "htu"),
    ("a path in capitals", url(lambda u: u.replace("client", "Client")), "htu"),
    ("another host", url(lambda u: u.replace("127.0.0.1", "127.0.0.2")), "htu"),
    ("another port", url(lambda u: u.replace(":", ":1", 2).replace(":1//", "://")), "htu"),
    ("another scheme", url(lambda u: u.replace("http:", "https:")), "htu"),
    ("a name in the host", url(lambda u: u.replace("127.", "me@127.")), "htu"),
    ("no iat", claims(iat=None), "iat"),
    ("iat as text", claims(iat=str(int(time.time()))), "iat"),
    ("iat as an endless number", claims(iat=10**30), "iat"),
    ("older than a minute", now(-63), "iat"),
    ("of the future", now(13), "iat"),
    ("no ath", claims(token=None), "ath"),
    ("another token's hash", claims(ath=token_hash("another")), "ath"),
    ("no jti", claims(jti=None), "jti"),
    ("an empty jti", claims(jti=""), "jti"),
    ("an endless jti", claims(jti="j" * 257), "jti"),
    ("jti that is no text", claims(jti=7), "jti"),
    ("longer than 8 KiB", claims(more="x" * 9000), "8192"),
    ("no JWT", lambda c: "proof", "JWT"),
    ("nothing", lambda c: "", "JWT"),
    ("claims that are no object", lambda c: proof_of(c, "W10"), "object"),
    ("claims that are no JSON", lambda c: proof_of(c, "eA"), "JWT"),
]


def beside_the_curve(client: PlainInstaller) -> dict[str, Any]:
    return {**client.key.bare, "y": client.key.bare["x"]}


def proof_of(client: PlainInstaller, body: str) -> str:
    head, _, signature = client.proof("GET", "client").split(".")
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize(("make", "says"), [c[1:] for c in BAD], ids=[c[0] for c in BAD])
def test_bad_proofs_are_refused(client: PlainInstaller, make: MakeProof, says: str) -> None:
    answer = client.call("GET", "client", headers={"DPoP": make(client)})
    assert says in check_proof_refused(answer)["detail"]


@pytest.mark.parametrize("number", [0, 2])
def test_there_is_exactly_one_proof(client: PlainInstaller, number: int) -> None:
    proofs = [("DPoP", client.proof("GET", "client")) for _ in range(number)]
    headers = [("Authorization", f"DPoP {client.token}"), *proofs]
    answer = client.http.get(client.url("client"), headers=headers)
    assert "exactly one" in check_proof_refused(answer)["detail"]


def test_all_that_is_wrong_with_a_proof_is_told_at_once(client: PlainInstaller) -> None:
    bad = client.proof("GET", "client", htm="PUT", htu="x", iat=1, jti="", ath="x")
    answer = client.call("GET", "client", headers={"DPoP": bad})
    detail = check_proof_refused(answer)["detail"]
    assert all(name in detail for name in ("htm", "htu", "iat", "jti", "ath"))


def test_a_bad_proof_changes_nothing(client: PlainInstaller, stored: Stored) -> None:
    before = stored.everything()
    body = {"apiScopes": [CLIENT_SCOPE], "redirectUris": ["http://localhost:1/x"]}
    for_another_method = {"DPoP": client.proof("GET", "client")}
    check_proof_refused(client.put_client(body, for_another_method))
    check_proof_refused(client.post_key(ec_key().members, for_another_method))
    path = f"client-secret/{client.key.thumbprint}"
    check_proof_refused(client.call("DELETE", path, headers=for_another_method))
    assert stored.everything() == before


def test_a_proof_of_another_key_does_not_fit_the_token(client: PlainInstaller) -> None:
    answer = client.call("GET", "client", headers={"DPoP": with_key(OTHER)(client)})
    assert "another key" in check_token_refused(answer)["detail"]


def test_a_proof_of_a_retired_key_is_refused_at_once(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    assert client.post_key(OTHER_NEW.members).status_code == 200
    path = f"client-secret/{client.key.thumbprint}?graceSeconds=0"
    assert client.call("DELETE", path).status_code == 204
    for method, path in (("GET", "client"), ("GET", "client-secret"), ("GET", "client-status")):
        assert "retired" in check_proof_refused(client.call(method, path))["detail"]


OTHER_NEW = ec_key()

GOOD: list[tuple[str, MakeProof]] = [
    ("a query", url(lambda u: f"{u}?a=b")),
    ("a fragment", url(lambda u: f"{u}#a")),
    ("scheme in capitals", url(lambda u: u.replace("http", "HTTP"))),
    ("the other public base", url(lambda u: u.replace("127.0.0.1", "localhost"))),
    ("a base in capitals", url(lambda u: u.replace("127.0.0.1", "LOCALHOST"))),
    ("escapes that need not be", url(lambda u: u.replace("client", "%63lient"))),
    ("dots in the path", url(lambda u: u.replace("/v1/", "/v1/./x/../"))),
    ("half a minute old", now(-50)),
    ("a clock ahead", now(8)),
    ("iat with a fraction", lambda c: c.proof("GET", "client", iat=time.time())),
    ("a nonce", claims(nonce="of another server")),
    ("a kid beside the key", header(kid="mine")),
    ("members that nobody knows", claims(more={"a": [1]})),
]


@pytest.mark.parametrize("make", [c[1] for c in GOOD], ids=[c[0] for c in GOOD])
def test_what_does_not_matter_in_a_proof_is_let_through(
    client: PlainInstaller, make: MakeProof
) -> None:
    answer = client.call("GET", "client", headers={"DPoP": make(client)})
    assert answer.status_code == 200, answer.text
    assert "dpop-nonce" not in answer.headers


def test_the_requests_own_query_does_not_matter(client: PlainInstaller) -> None:
    assert client.call("GET", "client-secret?include=all").status_code == 200


@pytest.mark.parametrize("key", [ec_key("P-521"), rsa_key(4096, "PS256"), rsa_key(2048, "RS512")])
def test_a_proof_may_have_a_key_of_its_own(client: PlainInstaller, key: InstallersKey) -> None:
    """Only `cnf.jkt` ties it to the token."""
    bound = PlainInstaller(client.service, client.http, key)
    bound.client_id = client.client_id
    nonce = client.http.post(
        client.token_endpoint,
        data=client.form(),
        headers={"DPoP": proof(key, "POST", client.token_endpoint)},
    ).headers["DPoP-Nonce"]
    answer = client.http.post(
        client.token_endpoint,
        data=client.form(),
        headers={"DPoP": proof(key, "POST", client.token_endpoint, nonce=nonce)},
    )
    bound.token = answer.json()["access_token"]
    assert bound.call("GET", "client").status_code == 200
    assert bound.post_key(ec_key().members).status_code == 200
    assert urlsplit(bound.url("client")).path == "/v1/client"
