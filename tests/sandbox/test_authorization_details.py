from typing import Any

import httpx2
import pytest

from tests.sandbox.installer import (
    Installer,
    assert_refused,
    claims_of,
    details,
)

CLIENT = "helseid://claims/client/"
PARENT = f"{CLIENT}claims/orgnr_parent"
SUPPLIER = f"{CLIENT}claims/orgnr_supplier"
CHILD = f"{CLIENT}claims/orgnr_child"
SINGLE = "urn:oid:2.16.578.1.12.4.1.4.101"
OLD_SINGLE = "urn:oid:2.16.578.1.12.4.1.2.101"
JOURNAL = "0b7dc5f8-8d1e-4b0a-9f0e-2a4a8f6b1c3d"
MULTI_TENANT = {
    "client_tenancy": "multi-tenant",
    "organization_number": "310700029",
    "scope": "nhn:selvbetjening/client nhn:msh/api nhn:deft/api",
    "delegators": ["310000019", "310000027"],
    "unsigned_scopes": {"310000027": ["nhn:deft/api"]},
}


@pytest.fixture
async def multi_tenant(http: httpx2.AsyncClient) -> Installer:
    return await Installer(http).register(**MULTI_TENANT)


@pytest.mark.parametrize("member", ["assertion_details", "authorization_details"])
@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize(
    ("system", "value"),
    [
        (SINGLE, "310000175"),
        (SINGLE, "310000175:"),
        (OLD_SINGLE, "310000175"),
        ("urn:oid:1.0.6523", "NO:ORGNR:310000019:310000175"),
    ],
)
async def test_a_single_tenant_client_names_its_child(
    installer: Installer, member: str, as_list: bool, system: str, value: str
) -> None:
    detail = details(value, system)
    claims: dict[str, Any] = {member: [detail] if as_list else detail}
    answer = await installer.send(client_assertion=installer.assertion(**claims))
    read = claims_of(answer.json()["access_token"])
    assert (read[PARENT], read[CHILD]) == ("310000019", "310000175")


@pytest.mark.parametrize(
    ("value", "child"),
    [
        ("NO:ORGNR:310000019", None),
        ("NO:ORGNR:310000019:", None),
        ("NO:ORGNR:310000019:310000175", "310000175"),
        ("NO:ORGNR:310000019:999999999", "999999999"),
    ],
)
async def test_a_multi_tenant_client_names_parent_and_child(
    multi_tenant: Installer, value: str, child: str | None
) -> None:
    answer = await multi_tenant.bound(
        scope="nhn:msh/api", assertion={"assertion_details": details(value)}
    )
    read = claims_of(answer.json()["access_token"])
    assert (read[PARENT], read.get(CHILD)) == ("310000019", child)
    assert read[SUPPLIER] == "310700029"
    assert read[f"{CLIENT}client_tenancy"] == "multi-tenant"


async def test_a_multi_tenant_client_may_name_nobody(multi_tenant: Installer) -> None:
    read = claims_of((await multi_tenant.send()).json()["access_token"])
    assert PARENT not in read


async def test_scopes_without_signed_terms_are_left_out(multi_tenant: Installer) -> None:
    assertion = multi_tenant.assertion(assertion_details=details("NO:ORGNR:310000027"))
    body = (await multi_tenant.send(scope=None, client_assertion=assertion)).json()
    assert body["scope"] == "nhn:selvbetjening/client nhn:msh/api"
    assert body["rejected_scope"] == "nhn:deft/api"
    assert claims_of(body["access_token"])["aud"] == ["nhn:selvbetjening", "nhn:msh"]


async def test_scopes_without_a_delegation_are_left_out(multi_tenant: Installer) -> None:
    assertion = multi_tenant.assertion(assertion_details=details("NO:ORGNR:310000035"))
    body = (await multi_tenant.send(scope=None, client_assertion=assertion)).json()
    assert body["scope"] == "nhn:selvbetjening/client"
    assert body["rejected_scope"] == "nhn:msh/api nhn:deft/api"


async def test_when_nothing_is_left_there_is_no_token(multi_tenant: Installer) -> None:
    assertion = multi_tenant.assertion(assertion_details=details("NO:ORGNR:310000035"))
    answer = await multi_tenant.send(scope="nhn:msh/api", client_assertion=assertion)
    assert_refused(answer, "invalid_scope")


async def test_the_journal_id_becomes_a_claim(multi_tenant: Installer) -> None:
    journal = {"type": "nhn:sfm:journal-id", "value": {"journal_id": JOURNAL}}
    both = [details("NO:ORGNR:310000019"), journal]
    assertion = multi_tenant.assertion(assertion_details=both)
    answer = await multi_tenant.send(client_assertion=assertion)
    assert claims_of(answer.json()["access_token"])["nhn:sfm:journal-id"] == JOURNAL


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"assertion_details": details("310000183", SINGLE)}, "HID-1002"),
        ({"assertion_details": details("NO:ORGNR:310000019:310000183")}, "HID-1003"),
        ({"assertion_details": details("NO:ORGNR:310000027")}, "HID-1005"),
        ({"assertion_details": details("31000017", SINGLE)}, "HID-1004"),
        ({"assertion_details": details("310 000 175", SINGLE)}, "HID-1004"),
        ({"assertion_details": details("NO:ORGNR:31000001x")}, "HID-1004"),
        ({"assertion_details": details("NO:ORGNR:310000019:1")}, "HID-1004"),
        ({"assertion_details": details("310000019")}, "HID-1007"),
        ({"assertion_details": details("310000175", "urn:oid:1.2.3")}, "HID-1007"),
        ({"assertion_details": "text"}, "HID-1007"),
        ({"assertion_details": [1]}, "HID-1007"),
        ({"assertion_details": {"type": "another"}}, "HID-1007"),
        ({"assertion_details": {"type": "helseid_authorization"}}, "HID-1007"),
        ({"assertion_details": {"type": ["x"]}}, "HID-1007"),
        ({"assertion_details": [details("310000175", SINGLE)] * 2}, "HID-1007"),
        ({"assertion_details": {"type": "nhn:sfm:journal-id", "value": "x"}}, "HID-1007"),
        (
            {"assertion_details": {"type": "nhn:sfm:journal-id", "value": {"journal_id": "x"}}},
            "HID-1007",
        ),
        (
            {
                "assertion_details": details("310000175", SINGLE),
                "authorization_details": details("310000175", SINGLE),
            },
            "HID-1007",
        ),
    ],
)
async def test_wrong_details_are_refused_with_their_number(
    installer: Installer, claims: dict[str, Any], code: str
) -> None:
    assertion = installer.assertion(**claims)
    answer = await installer.send(client_assertion=assertion)
    assert_refused(answer, "invalid_request", code)


async def test_a_multi_tenant_client_must_name_the_parent(multi_tenant: Installer) -> None:
    assertion = multi_tenant.assertion(assertion_details=details("310000175", SINGLE))
    answer = await multi_tenant.send(client_assertion=assertion)
    assert_refused(answer, "invalid_request", "HID-1007")


async def test_a_client_of_no_organisation_takes_no_details(http: httpx2.AsyncClient) -> None:
    installer = await Installer(http).register(client_tenancy="none")
    assertion = installer.assertion(assertion_details=details("310000175", SINGLE))
    answer = await installer.send(client_assertion=assertion)
    assert_refused(answer, "invalid_request", "HID-1010")
