"""The register's JSON, member for member as far as anybody reads it."""

from datetime import timedelta
from typing import Any

from app.sandbox.enhetsregisteret.organizations import (
    FORMS,
    INDUSTRIES,
    Organization,
    Standing,
)


def unit(organization: Organization, api: str) -> dict[str, Any]:
    """A main unit, an organisational part, a sub-unit, or the little that is left of one."""
    if organization.is_deleted:
        return _deleted(organization, api)
    if organization.is_sub_unit:
        return _sub_unit(organization, api)
    return _main_unit(organization, api)


def removed(organization: Organization) -> dict[str, Any]:
    ended = organization.ended.isoformat() if organization.ended else None
    return {"organisasjonsnummer": organization.number, "slettedato": ended}


def search_result(
    organizations: list[Organization], *, kind: str, number: int, size: int, address: str, api: str
) -> dict[str, Any]:
    """A page in HAL; `_embedded` is left out when nothing was found."""
    on_page = organizations[number * size : (number + 1) * size]
    found = {"_embedded": {kind: [unit(one, api) for one in on_page]}} if on_page else {}
    return {
        **found,
        "_links": {"self": {"href": address}},
        "page": {
            "size": size,
            "totalElements": len(organizations),
            "totalPages": -(-len(organizations) // size) if size else 0,
            "number": number,
        },
    }


def _common(organization: Organization, response_class: str, api: str) -> dict[str, Any]:
    path = "underenheter" if organization.is_sub_unit else "enheter"
    return {
        "respons_klasse": response_class,
        "organisasjonsnummer": organization.number,
        "navn": organization.name,
        "organisasjonsform": {
            "kode": organization.form,
            "beskrivelse": FORMS[organization.form],
            "_links": {},
        },
        "_links": {"self": {"href": f"{api}/{path}/{organization.number}"}},
    }


def _deleted(organization: Organization, api: str) -> dict[str, Any]:
    sort = "SlettetUnderenhet" if organization.is_sub_unit else "SlettetEnhet"
    ended = organization.ended.isoformat() if organization.ended else None
    return _common(organization, sort, api) | {"slettedato": ended}


def _details(organization: Organization) -> dict[str, Any]:
    parent = {"overordnetEnhet": organization.parent} if organization.parent else {}
    return {
        "registreringsdatoEnhetsregisteret": organization.registered.isoformat(),
        "naeringskode1": {
            "kode": organization.industry,
            "beskrivelse": INDUSTRIES[organization.industry],
        },
        "antallAnsatte": organization.employees,
        "harRegistrertAntallAnsatte": True,
        **parent,
    }


def _main_unit(organization: Organization, api: str) -> dict[str, Any]:
    founded = organization.registered - timedelta(days=12)
    return {
        **_common(organization, "Enhet", api),
        **_details(organization),
        "forretningsadresse": _address(organization),
        "stiftelsesdato": founded.isoformat(),
        "konkurs": organization.standing is Standing.BANKRUPT,
        "underAvvikling": organization.standing is Standing.BEING_WOUND_UP,
        "underTvangsavviklingEllerTvangsopplosning": False,
        "maalform": "Bokmål",
    }


def _sub_unit(organization: Organization, api: str) -> dict[str, Any]:
    return {
        **_common(organization, "Underenhet", api),
        **_details(organization),
        "oppstartsdato": organization.registered.isoformat(),
        "beliggenhetsadresse": _address(organization),
    }


def _address(organization: Organization) -> dict[str, Any]:
    place = organization.place
    return {
        "land": "Norge",
        "landkode": "NO",
        "postnummer": place.post_code,
        "poststed": place.town,
        "adresse": ["Storgata 1"],
        "kommune": place.town,
        "kommunenummer": place.municipality_number,
    }
