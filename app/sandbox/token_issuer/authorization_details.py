"""The organisation that a token is asked for, as it rides in an assertion or a request object."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.sandbox.token_issuer.client_store import Client
from app.sandbox.token_issuer.errors import OAuthError, invalid_request
from app.sandbox.token_issuer.grant_state import Organizations

MEMBERS = ("assertion_details", "authorization_details")
ORGANIZATION_TYPE = "helseid_authorization"
JOURNAL_TYPE = "nhn:sfm:journal-id"

MULTI_TENANT_SYSTEM = "urn:oid:1.0.6523"
SINGLE_TENANT_SYSTEMS = ("urn:oid:2.16.578.1.12.4.1.4.101", "urn:oid:2.16.578.1.12.4.1.2.101")
PREFIX = "NO:ORGNR:"
NUMBER = re.compile(r"[0-9]{9}", re.ASCII)


def refuse_details_in_code_flow(claims: Mapping[str, Any]) -> None:
    if any(name in claims for name in MEMBERS):
        raise invalid_request(
            "HID-1009: in the code flow the organisation stands in the request object, "
            "not in the client assertion"
        )


def read_organizations(client: Client, claims: Mapping[str, Any]) -> Organizations:
    """What the claims ask for, as far as this client may ask for it."""
    details = _by_type(_elements(claims))
    journal_id = _journal_id(details.get(JOURNAL_TYPE))
    if ORGANIZATION_TYPE not in details:
        return Organizations(journal_id=journal_id)
    system, value = _identifier(details[ORGANIZATION_TYPE])
    parent, child = _numbers(system, value)
    _check_allowed(client, parent, child)
    return Organizations(parent, child, journal_id)


def _malformed(how: str) -> OAuthError:
    return invalid_request(f"HID-1007: {how}")


def _elements(claims: Mapping[str, Any]) -> list[Any]:
    given = [name for name in MEMBERS if claims.get(name) is not None]
    if len(given) > 1:
        raise _malformed(f"either {MEMBERS[0]} or {MEMBERS[1]}, never both")
    value = claims[given[0]] if given else []
    return value if isinstance(value, list) else [value]


def _by_type(elements: list[Any]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for element in elements:
        kind = element.get("type") if isinstance(element, dict) else None
        if kind not in (ORGANIZATION_TYPE, JOURNAL_TYPE):
            raise _malformed(f"each detail is an object of type {ORGANIZATION_TYPE}")
        if kind in found:
            raise _malformed(f"there is more than one detail of type {kind}")
        found[kind] = element
    return found


def _identifier(detail: Mapping[str, Any]) -> tuple[str, str]:
    node: object = detail
    for name in ("practitioner_role", "organization", "identifier"):
        node = node.get(name) if isinstance(node, dict) else None
    if not isinstance(node, dict):
        raise _malformed("practitioner_role.organization.identifier is missing")
    system, value = node.get("system"), node.get("value")
    if node.get("type") != "ENH" or not isinstance(system, str) or not isinstance(value, str):
        raise _malformed("the identifier has a system, the type ENH and a value")
    return system, value


def _numbers(system: str, value: str) -> tuple[str | None, str | None]:
    """Parent and child. A library of .NET leaves a colon behind where there is no child."""
    if system in SINGLE_TENANT_SYSTEMS:
        return None, _number(value.removesuffix(":"))
    if system != MULTI_TENANT_SYSTEM:
        raise _malformed(f"unknown identifier system {system}")
    if not value.startswith(PREFIX):
        raise _malformed(f"the value is {PREFIX}<parent> or {PREFIX}<parent>:<child>")
    parent, _, child = value.removeprefix(PREFIX).partition(":")
    return _number(parent), _number(child) if child else None


def _number(text: str) -> str:
    if not NUMBER.fullmatch(text):
        raise invalid_request(f"HID-1004: an organisation number has nine digits: {text!r}")
    return text


def _journal_id(detail: Mapping[str, Any] | None) -> str | None:
    if detail is None:
        return None
    value = detail.get("value")
    text = value.get("journal_id") if isinstance(value, dict) else None
    try:
        return str(UUID(text))
    except (ValueError, TypeError, AttributeError) as error:
        raise _malformed(f"{JOURNAL_TYPE}: value.journal_id is a UUID") from error


def _check_allowed(client: Client, parent: str | None, child: str | None) -> None:
    tenancy = client.metadata.client_tenancy
    if tenancy == "none":
        raise invalid_request("HID-1010: this client cannot take organisation claims")
    if tenancy == "multi-tenant":
        if parent is None:
            raise _malformed(
                f"a multi-tenant client names the parent: system {MULTI_TENANT_SYSTEM}"
            )
        return
    if parent not in (None, client.metadata.organization_number):
        raise invalid_request("HID-1005: passing a parent is not enabled for this client")
    if child and child not in client.metadata.child_organization_numbers:
        code = "HID-1003" if parent else "HID-1002"
        raise invalid_request(f"{code}: {child} is not among the client's child organisations")
