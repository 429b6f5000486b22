import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from app.apis.differences import differences
from app.apis.rules import CatalogueRefused, read_catalogue

SEED = Path(__file__).parents[2] / "app" / "sandbox" / "catalogue.json"
TEXT = {"nb": "tekst", "nn": "tekst", "en": "text"}
JWK = json.loads(SEED.read_text(encoding="utf-8"))["clients"][0]["publicJwks"][0]
CLIENT = {
    "clientId": "3c0a7c1e-5d2f-4b6a-9e41-7f10c2a4d8b5",
    "clientSystem": "many",
    "organizationNumber": "310000019",
    "organizationName": "Fjord",
    "apiScopes": ["a/1"],
    "publicJwks": [JWK],
}
RIGHT = {
    "name": "some-right",
    "title": TEXT,
    "kind": "maskinportenSchema",
    "resourceId": "r",
    "maskinportenScope": "a:r",
}
FILE: dict[str, Any] = {
    "rights": [RIGHT],
    "apis": [
        {
            "audience": "a",
            "name": "A",
            "owner": "O",
            "scopes": [{"scope": "a/1", "title": TEXT}, {"scope": "a/2", "title": TEXT}],
            "claims": [{"claimType": "c", "title": TEXT}],
        }
    ],
    "clientSystems": [
        {
            "id": system,
            "name": "S",
            "supplierName": "S AS",
            "supplierOrganizationNumber": "310700029",
            "grantTypes": ["client_credentials"],
            "tenancy": tenancy,
            "scopes": [{"scope": "a/1", "preselected": True}],
        }
        for system, tenancy in (("one", "single-tenant"), ("many", "multi-tenant"))
    ],
    "organizationRules": [{"organizationNumber": "310000051", "scopes": {"which": "all"}}],
    "clients": [CLIENT],
}


def changed(*path: str | int, to: object) -> dict[str, Any]:
    """The good file with one part replaced, or added behind the end of a list."""
    document = deepcopy(FILE)
    part: Any = document
    for step in path[:-1]:
        part = part[step]
    if isinstance(part, list) and path[-1] == len(part):
        part.append(to)
    else:
        part[path[-1]] = to
    return document


def faults(document: object) -> list[str]:
    with pytest.raises(CatalogueRefused) as refused:
        read_catalogue(json.dumps(document).encode())
    return list(refused.value.faults)


def test_the_sandboxs_catalogue_holds_together() -> None:
    catalogue = read_catalogue(SEED.read_bytes())
    assert {"fjord-epj", "edi-klient", "velferd-vkp"} < catalogue.systems.keys()


def test_the_example_of_these_tests_holds_together() -> None:
    assert read_catalogue(json.dumps(FILE).encode()).systems.keys() == {"one", "many"}


SYSTEM = FILE["clientSystems"][0]


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "#: The body must be a JSON object."),
        ({}, "#/apis: `apis` is missing."),
        ({**FILE, "packages": []}, "#/packages: `packages` is not known here"),
        (
            changed("apis", 0, "scopes", 1, "title", to={"nb": "x"}),
            "#/apis/0/scopes/1/title/nn: `apis[0].scopes[1].title.nn` is missing.",
        ),
        (changed("apis", 0, "owner", to=5), "#/apis/0/owner: `apis[0].owner` must be a string."),
        (changed("apis", 1, to=FILE["apis"][0]), "apis[1].audience: a stands at apis[0]"),
        (
            changed("apis", 0, "scopes", 2, to={"scope": "a/1", "title": TEXT}),
            "apis[0].scopes[2].scope: a/1 stands at apis[0].scopes[0].scope already",
        ),
        (
            changed("apis", 0, "claims", 1, to={"claimType": "c", "title": TEXT}),
            "apis[0].claims[1].claimType: c stands",
        ),
        (changed("apis", 0, "scopes", 1, "scope", to="b/2"), "does not begin with the audience"),
        (
            changed("apis", 0, "scopes", 0, "title", "nn", to=" "),
            "apis[0].scopes[0].title.nn: The text is empty",
        ),
        (changed("rights", 1, to=RIGHT), "rights[1].name: some-right stands at rights[0].name"),
        (
            changed("rights", 0, "maskinportenScope", to=None),
            "rights[0].maskinportenScope: Only a right of the kind maskinportenSchema",
        ),
        (
            changed("rights", 0, "kind", to="role"),
            "#/rights/0/kind: `rights[0].kind` must be one of ",
        ),
        (
            changed("clientSystems", 0, "scopes", 0, "right", to="another"),
            "clientSystems[0].scopes[0].right: The catalogue has no right another",
        ),
        ({**FILE, "personRight": {"resourceId": "p"}}, "`personRight.title` is missing."),
        (changed("clientSystems", 2, to=SYSTEM), "clientSystems[2].id: one stands"),
        (
            changed("clientSystems", 0, "scopes", 1, to={"scope": "a/3"}),
            "clientSystems[0].scopes[1].scope: No API",
        ),
        (
            changed("clientSystems", 0, "scopes", 1, to={"scope": "a/1"}),
            "clientSystems[0].scopes[1]: a/1 stands",
        ),
        (
            changed("clientSystems", 0, "scopes", 0, "preselected", to=False),
            "clientSystems[0].scopes: At least one must be preselected",
        ),
        (
            changed("clientSystems", 0, "sharedRedirectUris", to=["http://example.org/x"]),
            "clientSystems[0].sharedRedirectUris[0]: Only https",
        ),
        (
            changed("clientSystems", 0, "redirectOrigins", to=["https://example.org/"]),
            "clientSystems[0].redirectOrigins[0]: An origin",
        ),
        (
            changed("clientSystems", 0, "supplierOrganizationNumber", to="310700028"),
            "clientSystems[0].supplierOrganizationNumber: The check digit",
        ),
        (
            changed("organizationRules", 1, to={"organizationNumber": "310000051"}),
            "organizationRules[1].organizationNumber: 310000051 stands",
        ),
        (changed("clients", 0, "clientSystem", to="none"), "clients[0].clientSystem: There is no"),
        (changed("clients", 0, "apiScopes", to=["a/2"]), "clients[0].apiScopes[0]: many may not"),
        (
            changed(
                "clients",
                0,
                to=CLIENT
                | {
                    "clientSystem": "one",
                    "delegations": [
                        {"delegator": {"organizationNumber": "310000019", "name": "X"}}
                    ],
                },
            ),
            "clients[0].delegations: one is not multi-tenant",
        ),
        (
            changed("clients", 0, "publicJwks", 0, to=JWK | {"x": "AAAA"}),
            "clients[0].publicJwks[0]/x: ",
        ),
        (changed("clients", 0, "publicJwks", 1, to=JWK), "clients[0].publicJwks[1]: "),
    ],
)
def test_every_fault_is_named_with_its_place(document: object, fault: str) -> None:
    assert any(fault in line for line in faults(document))


def test_all_faults_are_named_at_once() -> None:
    document = changed("apis", 0, "scopes", 1, "scope", to="b/2")
    document["clients"][0]["apiScopes"] = ["a/2"]
    assert len(faults(document)) == 2


def test_what_is_no_json_is_said_to_be_so() -> None:
    with pytest.raises(CatalogueRefused):
        read_catalogue(b'{"apis": [,')


def test_differences_name_what_comes_goes_and_changes() -> None:
    old = read_catalogue(json.dumps(FILE).encode())
    document = changed("apis", 0, "scopes", 1, to={"scope": "a/3", "title": TEXT})
    document["apis"][0]["scopes"][0]["policy"] = "automatic"
    document["clientSystems"][0]["scopes"].append({"scope": "a/3", "right": "some-right"})
    new = read_catalogue(json.dumps(document).encode())
    assert differences(old, new) == [
        "+ scope a/3",
        "+ client system one, scope a/3",
        "- scope a/2",
        '~ scope a/1: policy: "manual" -> "automatic"',
    ]


def test_an_other_order_is_a_difference_and_the_same_catalogue_is_none() -> None:
    old = read_catalogue(json.dumps(FILE).encode())
    document = deepcopy(FILE)
    document["apis"][0]["scopes"].reverse()
    assert differences(old, old) == []
    assert differences(old, read_catalogue(json.dumps(document).encode())) == [
        "~ the order of entries"
    ]
