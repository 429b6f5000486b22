"""Bodies as an enemy writes them: refused in the one form, with the place, and nothing stored."""

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.installers.keys import ec_key
from tests.installers.plain import CLIENT_SCOPE, PlainInstaller
from tests.journeys.refusals import found_errors, problem_of
from tests.journeys.stored import Stored
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
LIMIT = 64 * 1024
JSON = "application/json"


@pytest.fixture(scope="module")
def client(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    return PlainInstaller(sandbox, http).set_up()


@pytest.fixture
def nothing_stored(stored: Stored, client: PlainInstaller) -> Iterator[None]:
    before = stored.everything()
    yield
    assert stored.everything() == before


def put(client: PlainInstaller, body: bytes, content_type: str) -> httpx2.Response:
    return client.call("PUT", "client", body, {"Content-Type": content_type})


def post_key(client: PlainInstaller, body: bytes, content_type: str) -> httpx2.Response:
    return client.call("POST", "client-secret", body, {"Content-Type": content_type})


def draft(client: PlainInstaller, body: bytes, content_type: str) -> httpx2.Response:
    return client.post_draft(body, {"Content-Type": content_type})


Send = Callable[[PlainInstaller, bytes, str], httpx2.Response]
EVERYWHERE = pytest.mark.parametrize("send", [draft, put, post_key])
# Fine for none of the three, so that nothing is stored should all else be let through.
BODY = json.dumps(
    {
        "organizationNumber": "310000019",
        "publicJwk": "{}",
        "apiScopes": [CLIENT_SCOPE],
        "redirectUris": 7,
        "kty": "EC",
        "other": "PLACE",
    }
)


def with_other(text: str) -> bytes:
    return BODY.replace('"PLACE"', text).encode()


NO_JSON: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "missing"),
    ("white space", b" \r\n\t", "missing"),
    ("half an object", b'{"a": ', "not_json"),
    ("two values", b"{} {}", "not_json"),
    ("single quotes", b"{'a': 1}", "not_json"),
    ("a trailing comma", b'{"a": 1,}', "not_json"),
    ("a control character", b'{"a": "\x01"}', "not_json"),
    ("no UTF-8", b'{"a": "\xff\xfe"}', "not_utf8"),
    ("Latin-1", '{"a": "æ"}'.encode("latin-1"), "not_utf8"),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), "not_utf8"),
    ("a surrogate in UTF-8", b'{"a": "\xed\xa0\x80"}', "not_utf8"),
    ("gzip", gzip.compress(b"{}"), "not_utf8"),
    ("NUL octets", b"\0" * 1000, "not_json"),
    ("60,000 lists", b"[" * 60_000, "too_deep"),
    ("30,000 lists that end", b"[" * 30_000 + b"]" * 30_000, "too_deep"),
    ("10,000 objects", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too_deep"),
]
BAD_PARTS: list[tuple[str, str, str, str]] = [
    ("33 lists", "[" * 33 + "]" * 33, "#/other" + "/0" * 31, "too_deep"),
    ("a NUL", r'"a\u0000b"', "#/other", "nul_character"),
    ("half a pair", r'"\ud800"', "#/other", "lone_surrogate"),
    ("the other half", r'"\udfff x"', "#/other", "lone_surrogate"),
    ("a pair the wrong way", r'"\udc00\ud800"', "#/other", "lone_surrogate"),
    ("a NUL in a name", r'{"\u0000": 1}', "#/other/%00", "nul_character"),
    ("a member twice", '{"x": 1, "x": 1}', "#/other/x", "duplicate_member"),
    ("a member twice, once escaped", r'{"x": 1, "\u0078": 1}', "#/other/x", "duplicate_member"),
    ("infinity", "1e999", "#/other", "not_a_number"),
    ("NaN", "NaN", "#/other", "not_a_number"),
    ("-Infinity", "-Infinity", "#/other", "not_a_number"),
    ("10,000 digits", "9" * 10_000, "#/other", "not_a_number"),
]


@pytest.mark.usefixtures("nothing_stored")
@EVERYWHERE
@pytest.mark.parametrize(("body", "code"), [c[1:] for c in NO_JSON], ids=[c[0] for c in NO_JSON])
def test_what_is_no_json_is_refused(
    client: PlainInstaller, send: Send, body: bytes, code: str
) -> None:
    problem = problem_of(send(client, body, JSON), 400)
    assert found_errors(problem) == [("#", code)]


@pytest.mark.usefixtures("nothing_stored")
@EVERYWHERE
@pytest.mark.parametrize(
    ("part", "pointer", "code"), [c[1:] for c in BAD_PARTS], ids=[c[0] for c in BAD_PARTS]
)
def test_json_that_means_trouble_is_refused(
    client: PlainInstaller, send: Send, part: str, pointer: str, code: str
) -> None:
    problem = problem_of(send(client, with_other(part), JSON), 400)
    assert (pointer, code) in found_errors(problem)


@pytest.mark.usefixtures("nothing_stored")
@EVERYWHERE
@pytest.mark.parametrize("body", [b"[]", b"7", b"true", b"null", b'"x"', b"[[{}]]"])
def test_bodies_of_another_kind_are_refused(
    client: PlainInstaller, send: Send, body: bytes
) -> None:
    problem = problem_of(send(client, body, JSON), 400)
    assert [pointer for pointer, _ in found_errors(problem)] == ["#"]


WRONG: list[Any] = [7, -1.5, True, "x", [], {}, [None], [[]], {"a": 1}]
# By the members that are there for each, and what of the above is right for one.
MEMBERS: dict[str, dict[str, list[Any]]] = {
    "draft": {
        "organizationNumber": [],
        "publicJwk": [],
        "apiScopes": [],
        "audienceSpecificClientClaims": [[]],
        "redirectUris": [[]],
        "postLogoutRedirectUris": [[]],
        "childOrganizationNumbers": [[]],
        "postClientConfirmationRedirectUri": [],
        "externalRef": ["x"],
        "pairing": [True],
    },
    "put": {
        "apiScopes": [],
        "audienceSpecificClientClaims": [[]],
        "redirectUris": [[]],
        "postLogoutRedirectUris": [[]],
        "childOrganizationNumbers": [[]],
    },
    # What is empty in a JWK counts as absent.
    "post_key": {
        "kty": [],
        "crv": [],
        "x": [],
        "y": [],
        "alg": [[], {}],
        "use": [[], {}],
        "key_ops": [[], {}],
        "kid": ["x", [], {}],
        "d": [[], {}],
    },
}


def is_right(value: object, right: list[Any]) -> bool:
    return any(type(value) is type(one) and value == one for one in right)


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(
    ("where", "member"), [(where, member) for where, each in MEMBERS.items() for member in each]
)
def test_members_of_a_wrong_type_are_named(client: PlainInstaller, where: str, member: str) -> None:
    send, fine = {
        "draft": (draft, PlainInstaller(client.service, client.http).body()),
        "put": (put, {"apiScopes": [CLIENT_SCOPE], "redirectUris": []}),
        "post_key": (post_key, ec_key().members),
    }[where]
    for value in WRONG:
        if is_right(value, MEMBERS[where][member]):
            continue
        answer = send(client, json.dumps(fine | {member: value}).encode(), JSON)
        problem = problem_of(answer, 400)
        pointers = [pointer for pointer, _ in found_errors(problem)]
        assert len(set(pointers)) == len(pointers)
        assert {pointer.split("/")[1] for pointer in pointers} == {member}, value
        assert problem["property"] == ("publicJwk" if where == "post_key" else member)


@pytest.mark.usefixtures("nothing_stored")
@EVERYWHERE
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/xml",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "json",
        ";;;=",
        "application/json, text/plain",
        "x" * 5000,
    ],
)
def test_what_does_not_say_that_it_is_json_is_refused(
    client: PlainInstaller, send: Send, content_type: str
) -> None:
    problem = problem_of(send(client, BODY.encode(), content_type), 415, "not-json")
    assert "application/json" in problem["detail"] or "UTF-8" in problem["detail"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=UTF-8", 'application/json;charset="utf-8"', "APPLICATION/JSON"],
)
def test_json_may_be_said_in_other_ways(client: PlainInstaller, content_type: str) -> None:
    assert post_key(client, json.dumps(client.key.members).encode(), content_type).is_success


@pytest.mark.usefixtures("nothing_stored")
@EVERYWHERE
def test_the_limit_is_64_kib(client: PlainInstaller, send: Send) -> None:
    fitting = with_other(json.dumps("x" * (LIMIT - len(BODY) + len("PLACE"))))
    assert len(fitting) == LIMIT
    problem_of(send(client, fitting, JSON), 400)
    problem_of(send(client, fitting + b" ", JSON), 413, "body-too-large")
