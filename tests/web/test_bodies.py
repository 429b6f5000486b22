"""The reader of bodies: one row for each thing that is refused, and what no body can do."""

import json
import time
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Struct, UnsetType

from app.problems import InvalidRequest, NotJson, Problem
from app.web.bodies import body_of, check_content_type, fields_of, read_body
from app.web.json_text import DEEPEST, read_json


class Colour(StrEnum):
    RED = "red"


class Claim(Struct, rename="camel"):
    key: str
    value: str


class Body(Struct, rename="camel", kw_only=True):
    organization_number: Annotated[str, Meta(pattern=r"^[0-9]{9}$", examples=["310000019"])]
    redirect_uris: list[Annotated[str, Meta(min_length=1, max_length=30)]] | None = None
    client_claims: list[Claim] = []
    scopes: Annotated[list[str], Meta(min_length=1, max_length=2)] | UnsetType = UNSET
    count: Annotated[int, Meta(ge=1, le=9)] = 5
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    yes: bool = False
    colour: Colour = Colour.RED
    mode: Literal["a", "b"] = "a"
    id: UUID | None = None
    at: datetime | None = None
    day: date | None = None
    names: dict[Annotated[str, Meta(max_length=3)], str] = {}
    key: str | Claim | None = None
    anything: object = None


class Strict(Struct, rename="camel", forbid_unknown_fields=True):
    wanted: str = ""


GOOD: dict[str, Any] = {"organizationNumber": "310000019"}


def raw(**members: Any) -> bytes:
    return json.dumps(GOOD | members).encode()


def faults(text: bytes, kind: type[Struct] = Body) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        read_body(text, kind)
    assert all(error.detail for error in refused.value.errors)
    return [(error.pointer, error.code) for error in refused.value.errors]


DEEP = b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)


@pytest.mark.parametrize(
    ("text", "pointer", "code"),
    [
        (b"", "#", "missing"),
        (b" \n", "#", "missing"),
        (b"{", "#", "not_json"),
        (b'{"a":1,}', "#", "not_json"),
        (b"{'a':1}", "#", "not_json"),
        (b'{"a":1}{}', "#", "not_json"),
        (b'"a\x00b"', "#", "not_json"),
        (b'"a\nb"', "#", "not_json"),
        (b"\x00", "#", "not_json"),
        (b'{"a":1,"a":2,}', "#", "not_json"),
        (b"\xff\xfe{\x00", "#", "not_utf8"),
        (b'"\xe6"', "#", "not_utf8"),
        (b'"\xed\xa0\x80"', "#", "not_utf8"),
        (b'{"a":{"b":1,"b":1}}', "#/a/b", "duplicate_member"),
        (b'{"\\u0061":1,"a":1}', "#/a", "duplicate_member"),
        (b'{"a":["\\u0000"]}', "#/a/0", "nul_character"),
        (b'{"a\\u0000":1}', "#/a%00", "nul_character"),
        (b'{"a/b~c":"\\u0000"}', "#/a~1b~0c", "nul_character"),
        ('{"æ":"\\u0000"}'.encode(), "#/%C3%A6", "nul_character"),
        (b'{"a":"\\ud800"}', "#/a", "lone_surrogate"),
        (b'{"a":"\\uDC00\\uD800"}', "#/a", "lone_surrogate"),
        (b'{"a":NaN}', "#/a", "not_a_number"),
        (b'{"a":-Infinity}', "#/a", "not_a_number"),
        (b'{"a":1e999}', "#/a", "not_a_number"),
        (b'{"a":-1e999}', "#/a", "not_a_number"),
        (b'{"a":' + b"1" * 30 + b"}", "#/a", "not_a_number"),
        (b'{"a":' + b"1" * 60_000 + b"}", "#/a", "not_a_number"),
        (DEEP, "#" + "/0" * DEEPEST, "too_deep"),
        (b"[" * 60_000, "#", "too_deep"),
        (b'{"a":' * 10_000, "#", "too_deep"),
    ],
)
def test_text_that_is_refused(text: bytes, pointer: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_json(text)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"{}", {}),
        (b"\xef\xbb\xbf{}", {}),
        (b"12", 12),
        (b"-1.5e3", -1500.0),
        (b'"\\u0022\\u002B"', '"+'),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'{"a":null,"b":{"c":null}}', {"b": {}}),
        (b'{"a":null,"b":"\\\\u0000"}', {"b": "\\u0000"}),
        (b"[null]", [None]),
        (DEEP[1:-1], json.loads(DEEP[1:-1])),
        (b"[" + b"{}," * 50 + b"{}]", [{}] * 51),
    ],
)
def test_text_that_is_read(text: bytes, value: object) -> None:
    assert read_json(text) == value


@pytest.mark.parametrize(
    ("members", "pointer", "code"),
    [
        ({"organizationNumber": None}, "#/organizationNumber", "missing"),
        ({"organizationNumber": 310000019}, "#/organizationNumber", "wrong_type"),
        ({"organizationNumber": "1"}, "#/organizationNumber", "pattern_mismatch"),
        ({"redirectUris": "x"}, "#/redirectUris", "wrong_type"),
        ({"redirectUris": {}}, "#/redirectUris", "wrong_type"),
        ({"redirectUris": [""]}, "#/redirectUris/0", "too_short"),
        ({"redirectUris": ["a", "x" * 31]}, "#/redirectUris/1", "too_long"),
        ({"redirectUris": ["a", None]}, "#/redirectUris/1", "wrong_type"),
        ({"clientClaims": [{"key": "a"}]}, "#/clientClaims/0/value", "missing"),
        ({"clientClaims": [{"key": "a", "value": None}]}, "#/clientClaims/0/value", "missing"),
        ({"clientClaims": [[]]}, "#/clientClaims/0", "wrong_type"),
        ({"scopes": []}, "#/scopes", "too_short"),
        ({"scopes": ["a", "b", "c"]}, "#/scopes", "too_long"),
        ({"count": 0}, "#/count", "too_small"),
        ({"count": 10}, "#/count", "too_large"),
        ({"count": 1.5}, "#/count", "wrong_type"),
        ({"count": True}, "#/count", "wrong_type"),
        ({"share": 0}, "#/share", "too_small"),
        ({"share": 1}, "#/share", "too_large"),
        ({"share": "1"}, "#/share", "wrong_type"),
        ({"yes": 1}, "#/yes", "wrong_type"),
        ({"colour": "blue"}, "#/colour", "not_a_choice"),
        ({"colour": []}, "#/colour", "not_a_choice"),
        ({"mode": "c"}, "#/mode", "not_a_choice"),
        ({"id": "x"}, "#/id", "not_a_uuid"),
        ({"at": "tomorrow"}, "#/at", "not_a_time"),
        ({"day": "2026-13-01"}, "#/day", "not_a_date"),
        ({"names": {"long": "x"}}, "#/names/long", "too_long"),
        ({"names": {"a": 1}}, "#/names/a", "wrong_type"),
        ({"key": 1}, "#/key", "wrong_type"),
        ({"key": {"key": "a"}}, "#/key/value", "missing"),
    ],
)
def test_one_field_is_wrong(members: dict[str, Any], pointer: str, code: str) -> None:
    assert faults(raw(**members)) == [(pointer, code)]


def test_all_errors_come_together() -> None:
    members = {"redirectUris": ["", 1], "count": 0, "clientClaims": [{}]}
    assert faults(raw(organizationNumber="1", **members)) == [
        ("#/organizationNumber", "pattern_mismatch"),
        ("#/redirectUris/0", "too_short"),
        ("#/redirectUris/1", "wrong_type"),
        ("#/clientClaims/0/key", "missing"),
        ("#/clientClaims/0/value", "missing"),
        ("#/count", "too_small"),
    ]


def test_an_error_tells_what_to_do() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_body(raw(organizationNumber="1", redirectUris=["a", 1]), Body)
    assert [error.detail for error in refused.value.errors] == [
        (
            "`organizationNumber` does not have the form that is asked for (^[0-9]{9}$), such as"
            " `310000019`."
        ),
        "`redirectUris[1]` must be a string.",
    ]


@pytest.mark.parametrize("text", [b"[]", b'"x"', b"null", b"1", b"true"])
def test_a_body_is_an_object(text: bytes) -> None:
    assert faults(text) == [("#", "wrong_type")]


def test_null_and_absent_are_the_same() -> None:
    fields = ("redirectUris", "clientClaims", "scopes", "count", "yes", "colour", "id", "names")
    assert read_body(raw(**dict.fromkeys(fields)), Body) == read_body(raw(), Body)


def test_unknown_members_are_ignored_or_all_named() -> None:
    assert read_body(raw(more=1), Body).organization_number == "310000019"
    assert read_body(b'{"wanted":"x","more":null}', Strict).wanted == "x"
    assert faults(b'{"a":1,"wanted":1,"b/c":2}', Strict) == [
        ("#/wanted", "wrong_type"),
        ("#/a", "unknown_member"),
        ("#/b~1c", "unknown_member"),
    ]


def test_what_was_read_before_is_converted_alike() -> None:
    assert body_of(GOOD, Body) == read_body(raw(), Body)
    with pytest.raises(InvalidRequest):
        body_of(12, Body)


def test_the_fields_that_are_right_are_handed_out_with_all_errors() -> None:
    values, errors = fields_of(raw(redirectUris=["a", 1], count=7), Body)
    assert [error.pointer for error in errors] == ["#/redirectUris/1"]
    assert "redirect_uris" not in values
    assert (values["organization_number"], values["count"]) == ("310000019", 7)
    assert (values["client_claims"], values["yes"]) == ([], False)


def test_all_fields_of_a_body_without_errors() -> None:
    values, errors = fields_of(raw(clientClaims=[{"key": "a", "value": "b"}]), Body)
    assert errors == []
    assert Body(**values) == read_body(raw(clientClaims=[{"key": "a", "value": "b"}]), Body)


@pytest.mark.parametrize(
    "header",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'Application/JSON; charset="utf-8"',
        "application/merge-patch+json",
        "application/json; other=1",
    ],
)
def test_content_types_that_are_accepted(header: str) -> None:
    check_content_type(header)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "application/json, text/plain",
        "application/json\r\nx: y",
        "json",
        "\udcff",
    ],
)
def test_content_types_that_are_refused(header: str | None) -> None:
    with pytest.raises(NotJson):
        check_content_type(header)


@pytest.mark.parametrize(
    "text",
    [
        b'{"redirectUris":[' + b"1," * 30_000 + b"1]}",
        b"{" + b",".join(b'"%d":1' % number for number in range(6_000)) + b"}",
        b"{" + b'"a":1,' * 10_000 + b'"a":1}',
        b"[" + b"[]," * 20_000 + b"[]]",
        b"[" + b"1e999," * 9_000 + b"1]",
        b'["' + b"\\u0000" * 10_000 + b'"]',
        b'["' + b"\\ud83d\\ude00" * 5_000 + b'"]',
        b'{"' + b"\\ud800" * 10_000 + b'":1}',
        b"1" * 65_000,
        b'"' + b"a" * 65_000,
        b'{"organizationNumber":"' + b"1" * 65_000 + b'"}',
    ],
)
@pytest.mark.parametrize("kind", [Body, Strict])
@pytest.mark.usefixtures("heap_of_others_set_aside")
def test_hostile_bodies_cost_little(text: bytes, kind: type[Struct]) -> None:
    started = time.process_time()  # others on this machine do not count
    with pytest.raises(InvalidRequest) as refused:
        read_body(text, kind)
    assert time.process_time() - started < 0.25
    assert len(refused.value.errors) <= 120


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(Body.__struct_encode_fields__), inner)
    ),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_refused(value: object) -> None:
    text = json.dumps(value).encode()
    for read in (read_json, lambda raw: read_body(raw, Body), lambda raw: read_body(raw, Strict)):
        try:
            read(text)
        except Problem as refused:
            json.dumps([error.detail for error in refused.errors]).encode()
            assert refused.errors  # noqa: PT017


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        read_json(text)
    except InvalidRequest as refused:
        assert refused.errors  # noqa: PT017


@given(JSON)
@settings(deadline=None)
def test_what_is_read_can_be_stored(value: object) -> None:
    try:
        clean = read_json(json.dumps(value).encode())
    except InvalidRequest:
        return
    stored = json.dumps(clean, ensure_ascii=False, allow_nan=False).encode()
    assert json.loads(stored) == clean
    assert "\\u0000" not in stored.decode().replace("\\\\", "")
