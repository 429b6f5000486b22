"""What may be asked for, of what the system may ask for; tables of cases."""

import pytest
from msgspec.structs import replace

from app.apis.catalogue import ClientSystem, RedirectUriRule, SystemScope, Tenancy
from app.client_configurations.asking import (
    child_errors,
    claim_errors,
    distinct,
    redirect_errors,
    scope_errors,
    tenancy_errors,
)
from tests.approvals.examples import CATALOGUE, CLIENT_SCOPE
from tests.serving import settings_for

MSH = "nhn:msh/api"
SYSTEM = ClientSystem(
    id="epj",
    name="Fjord EPJ",
    supplier_name="Fjord Systemer AS",
    supplier_organization_number="310700029",
    scopes=[SystemScope(CLIENT_SCOPE), SystemScope(MSH)],
    grant_types=["client_credentials"],
    redirect_uri_rule=RedirectUriRule.PER_CLIENT,
    redirect_origins=["https://fjord.example"],
)


@pytest.mark.parametrize(
    ("scopes", "kept", "errors"),
    [
        ([CLIENT_SCOPE], set(), []),
        ([MSH, CLIENT_SCOPE, MSH], set(), []),
        ([], set(), [("#/apiScopes", "empty")]),
        (["nhn:pit/read"], set(), [("#/apiScopes/0", "scope_not_in_client_system")]),
        (["nhn:pit/read"], {"nhn:pit/read"}, []),
        ([CLIENT_SCOPE, MSH.upper()], set(), [("#/apiScopes/1", "scope_not_in_client_system")]),
    ],
)
def test_scopes_are_those_of_the_system(
    scopes: list[str], kept: set[str], errors: list[tuple[str, str]]
) -> None:
    found = scope_errors(scopes, SYSTEM, kept=kept)
    assert [(error.pointer, error.code) for error in found] == errors


@pytest.mark.parametrize(
    ("claims", "scopes", "codes"),
    [
        ([], [], []),
        ([("herid", "0")], [MSH], []),
        ([("herid", "0")], ["nhn:msh/open"], []),
        ([("herid", "0")], [CLIENT_SCOPE], ["claim_without_scope"]),
        ([("herid", "0")], ["nhn:no/such"], ["claim_without_scope"]),
        ([("HerId", "0")], [MSH], ["unknown_claim"]),
        ([("herid", "0"), ("herid", "0")], [MSH], ["repeated_claim"]),
    ],
)
def test_a_claim_belongs_to_an_api_that_is_asked_for(
    claims: list[tuple[str, str]], scopes: list[str], codes: list[str]
) -> None:
    assert [error.code for error in claim_errors(claims, scopes, CATALOGUE)] == codes


@pytest.mark.parametrize("member", ["redirectUris", "postLogoutRedirectUris"])
def test_addresses_are_loopback_or_registered(member: str) -> None:
    uris = ["http://127.0.0.1:1/", "https://fjord.example/x", "https://evil.example/", "x"]
    found = redirect_errors(member, uris, SYSTEM)
    assert [(error.pointer, error.code) for error in found] == [
        (f"#/{member}/2", "unregistered_origin"),
        (f"#/{member}/3", "not_an_address"),
    ]
    assert redirect_errors(member, None, SYSTEM) == redirect_errors(member, [], SYSTEM) == []


def test_only_the_addresses_for_login_are_shared() -> None:
    shared = replace(SYSTEM, redirect_uri_rule=RedirectUriRule.SHARED)
    uris = ["http://127.0.0.1:1/"]
    assert [error.code for error in redirect_errors("redirectUris", uris, shared)] == [
        "redirect_uris_are_shared"
    ]
    assert redirect_errors("postLogoutRedirectUris", uris, shared) == []


def test_a_multi_tenant_system_has_no_drafts() -> None:
    assert tenancy_errors(SYSTEM) == []
    found = tenancy_errors(replace(SYSTEM, tenancy=Tenancy.MULTI))
    assert [(error.pointer, error.code) for error in found] == [("#", "multi_tenant_client_system")]


def test_sub_units_have_numbers_of_this_environment() -> None:
    settings = settings_for("postgresql://nowhere", allowed_organization_numbers=["998004993"])
    numbers = ["310000175", "310000018", "974760673", "998004993"]
    found = child_errors(numbers, settings)
    assert [(error.pointer, error.code) for error in found] == [
        ("#/childOrganizationNumbers/1", "wrong_check_digit"),
        ("#/childOrganizationNumbers/2", "wrong_environment"),
    ]
    assert child_errors(None, settings) == []


def test_each_value_counts_once_in_the_order_of_the_first() -> None:
    assert distinct(["b", "a", "b"]) == ["b", "a"]
    assert distinct(None) == []
