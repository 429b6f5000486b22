"""Clients that renew keys, or only fetch tokens: the libraries, helseid-cli, NAV and fiks."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from tests.installers import nav_snippet
from tests.installers.dotnet_library import DotnetLibrary, SecretUpdateFailed
from tests.installers.fhi_cli import FhiCli
from tests.installers.fiks import FiksClient
from tests.installers.java_library import (
    JavaLibrary,
    java,
    posted_as_java,
    posted_by_java,
    read_expiration,
    read_problem,
)
from tests.installers.keys import InstallersKey, claims_of, ec_key, rsa_key
from tests.installers.person import Person
from tests.installers.plain import PlainInstaller
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
PROBLEM = "application/problem+json"


def test_the_dotnet_library_renews_a_key(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http, ec_key("P-384")).set_up()
    library = DotnetLibrary(sandbox, http, client.client_id, client.key)
    new = library.new_key()
    assert is_midnight_to_come(library.update_secret(new))
    assert claims_of(library.fetch_token())["cnf"]["jkt"] == new.thumbprint
    assert [key["kid"] for key in client.live_keys()] == [client.key.thumbprint, new.members["kid"]]


def test_the_dotnet_library_shows_why_a_key_was_refused(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = PlainInstaller(sandbox, http).set_up()
    library = DotnetLibrary(sandbox, http, client.client_id, client.key)
    with pytest.raises(SecretUpdateFailed) as failed:
        library.update_secret(rsa_key(2048, "PS256", use="enc"))
    told = json.loads(str(failed.value))
    assert told["property"] == "publicJwk"
    assert told["errors"] == [
        {"pointer": "#/use", "code": "wrong_use", "detail": "`use` must be `sig`, or left out."}
    ]
    assert library.fetch_token()


@pytest.fixture
def java_library(sandbox: Ready, http: httpx2.Client) -> JavaLibrary:
    client = PlainInstaller(sandbox, http).set_up()
    return JavaLibrary(sandbox, http, client.client_id, client.key, list(client.scopes()))


def test_the_java_library_renews_a_key(java_library: JavaLibrary) -> None:
    new = java_library.new_key()
    answer = posted_as_java(*java_library.secret_request(new.members))
    assert answer.status == 200, answer
    assert answer.content_type == "application/json; charset=utf-8"
    assert is_midnight_to_come(read_expiration(answer))
    java_library.key = new
    assert set(claims_of(java_library.fetch_token())["scope"]) == set(java_library.scopes)


def test_the_java_library_reads_refusals(java_library: JavaLibrary) -> None:
    url, body, headers = java_library.secret_request({"kty": "oct"})
    refusals = [posted_as_java(url, body, headers), posted_as_java(url, body, {})]
    for answer, status in zip(refusals, (400, 401), strict=True):
        assert (answer.status, answer.content_type) == (status, PROBLEM)
        problem = read_problem(answer)
        assert problem.status == status
        assert problem.detail
        assert problem.instance == "/v1/client-secret"


@pytest.mark.skipif(java() is None, reason="no Java: posted_as_java has sent the same bytes")
def test_a_real_java_posts_a_draft_and_a_key(
    sandbox: Ready, java_library: JavaLibrary, tmp_path: Path
) -> None:
    installer = PlainInstaller(sandbox, java_library.http)
    headers = {"api-key": sandbox.api_key, "Content-Type": "application/json"}
    body = json.dumps(installer.body()).encode()
    drafted = posted_by_java(f"{sandbox.base_url}/v1/client-drafts", body, headers, tmp_path)
    assert drafted.status == 201, drafted
    installer.client_id = json.loads(drafted.body)["clientId"]
    assert installer.decide().json()["status"] == "Success"

    new = java_library.new_key()
    answer = posted_by_java(*java_library.secret_request(new.members), tmp_path)
    assert answer.status == 200, answer
    assert is_midnight_to_come(read_expiration(answer))


@pytest.mark.parametrize("alg", ["RS512", None])
def test_helseid_cli_renews_a_key_and_reads_its_end(
    sandbox: Ready, http: httpx2.Client, alg: str | None
) -> None:
    client = PlainInstaller(sandbox, http, rsa_key(2048, alg)).set_up()
    cli = FhiCli(sandbox, http, client.client_id, client.key)
    new = cli.new_key() if alg else rsa_key(2048, None, kid="vår egen nøkkel 2")
    answer = cli.update_client_key(new)
    assert answer.status_code == 200, answer.text
    assert answer.json()["kid"] == new.members.get("kid", new.thumbprint)
    cli.key = new
    code, printed = cli.read_client_secret_expiration()
    assert code == 0, printed
    assert is_midnight_to_come(datetime.fromtimestamp(int(printed), UTC))


def test_helseid_cli_finds_no_key_that_is_not_registered(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = PlainInstaller(sandbox, http, rsa_key(2048, "RS512")).set_up()
    cli = FhiCli(sandbox, http, client.client_id, client.key)
    cli.key = InstallersKey(client.key.key, client.key.alg, client.key.members | {"kid": "another"})
    assert cli.read_client_secret_expiration() == (1, "No secret with the kid another")


def test_navs_snippet_prints_a_link_that_a_person_can_confirm(
    sandbox: Ready, http: httpx2.Client
) -> None:
    key = nav_snippet.new_key()
    link, answer = nav_snippet.create_draft(sandbox, http, key)
    assert answer.status_code == 201
    with Person() as kari:
        page = kari.log_in(kari.open(link))
        assert "nhn:pit/api.read" in page.text
        with pytest.raises(httpx2.ConnectError):
            kari.press(page, "Bekreft")  # nothing listens there
    client = PlainInstaller(sandbox, http, key)
    client.client_id = answer.json()["clientId"]
    client.log_in()
    assert {status for status, _ in client.scopes().values()} == {"ok"}
    assert [entry["kid"] for entry in client.live_keys()] == [key.members["kid"]]


@pytest.mark.parametrize(
    ("changes", "property_"),
    [
        ({"organizationNumber": "310000018"}, "organizationNumber"),
        ({"publicJwk": "{"}, "publicJwk"),
    ],
)
def test_navs_snippet_prints_what_is_wrong(
    sandbox: Ready, http: httpx2.Client, changes: dict[str, str], property_: str
) -> None:
    printed, answer = nav_snippet.create_draft(sandbox, http, nav_snippet.new_key(), **changes)
    assert answer.status_code == 400
    name, _, message = printed.partition(": ")
    assert name == property_
    assert message == answer.json()["errors"][0]["detail"]


def test_fiks_fetches_tokens_of_both_kinds(sandbox: Ready, http: httpx2.Client) -> None:
    client = PlainInstaller(sandbox, http, rsa_key(2048, "RS256")).set_up()
    fiks = FiksClient(sandbox, http, client.client_id, client.key)
    scopes = set(client.scopes())
    assert set(fiks.fetch_token()["scope"].split()) == scopes
    bound = fiks.fetch_bound_token()
    assert set(bound["scope"].split()) == scopes
    assert claims_of(bound["access_token"])["cnf"]["jkt"] == client.key.thumbprint


def is_midnight_to_come(end: datetime) -> bool:
    midnight = (end.hour, end.minute, end.second, end.utcoffset()) == (0, 0, 0, UTC.utcoffset(None))
    return midnight and end > datetime.now(UTC)
