"""`POST /v1/client-drafts`: what is made of a request, and everything that refuses one."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from httpx2 import Response
from sqlalchemy import delete, func, select

from app.apis.models import CatalogueVersion
from app.apis.queries import newest_catalogue
from app.audit.models import AuditEvent
from app.audit.trail import Happened
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.client_keys.models import ClientKey
from app.organizations.models import Organization
from app.organizations.register import Verdict
from tests.examples import NOW, ORGANIZATION
from tests.installers.keys import ec_key, rsa_key
from tests.serving import (
    BASE,
    CLIENT_SCOPE,
    EDI,
    FJORD,
    Service,
    a_draft,
    an_organization,
    pointers,
    problem_of,
    serving,
)

RETURN = "http://localhost:8765/callback"


async def kept(service: Service) -> list[ClientDraft]:
    return await service.ask(select(ClientDraft))


async def test_the_least_that_an_installer_sends_is_enough(service: Service) -> None:
    key = ec_key()
    answer = await service.draft(a_draft(key, postClientConfirmationRedirectUri=RETURN))
    assert answer.status_code == 201
    body = answer.json()
    draft = (await kept(service))[0]
    assert body == {
        "clientId": str(draft.client_id),
        "draftId": str(draft.client_id),
        "confirmUrl": f"{BASE}/confirm-client/{draft.client_id}",
        "shareUrl": f"{BASE}/confirm-client/{draft.client_id}?shared=1",
        "expiresAt": "2026-11-23T12:00:00Z",
        "onboardingUrl": f"{BASE}/v1/onboardings/{draft.client_id}",
        "onboardingToken": body["onboardingToken"],
        "pairingCode": body["pairingCode"],
    }
    assert answer.headers["location"] == body["onboardingUrl"]
    assert UUID(body["clientId"]).version == 4
    assert draft.status == DraftStatus.PENDING
    assert draft.asked.api_scopes == [
        CLIENT_SCOPE,
        "nhn:kjernejournal/innlogging",
        "nhn:kjernejournal/tillitsrammeverk",
        "nhn:pit/api.read",
    ]
    assert draft.asked.redirect_uris == []
    assert draft.asked.post_client_confirmation_redirect_uri == RETURN
    assert draft.public_key.thumbprint == key.thumbprint
    assert draft.public_key.kid == key.members["kid"]
    assert not draft.pairing


async def test_everything_that_is_asked_for_is_kept(service: Service) -> None:
    await service.add(sub_unit("310000175"))
    members: dict[str, Any] = {
        "apiScopes": [CLIENT_SCOPE, "nhn:msh/api", CLIENT_SCOPE],
        "audienceSpecificClientClaims": [{"key": "herid", "value": "0"}],
        "redirectUris": ["http://localhost:1337/callback", "https://epj.fjord.example/callback"],
        "postLogoutRedirectUris": ["http://[::1]:1337/after"],
        "childOrganizationNumbers": ["310000175"],
        "externalRef": "Fjordbyen, maskin 7 æøå",
        "pairing": True,
    }
    answer = await service.draft(a_draft(**members))
    assert answer.json()["externalRef"] == members["externalRef"]
    draft = (await kept(service))[0]
    assert draft.pairing
    assert draft.asked.api_scopes == [CLIENT_SCOPE, "nhn:msh/api"]
    assert [(claim.key, claim.value) for claim in draft.asked.claims] == [("herid", "0")]
    assert draft.asked.redirect_uris == members["redirectUris"]
    assert draft.asked.post_logout_redirect_uris == members["postLogoutRedirectUris"]
    assert draft.asked.child_organization_numbers == ["310000175"]


async def test_absent_and_null_are_the_same_and_unknown_members_are_ignored(
    service: Service,
) -> None:
    nothing: dict[str, Any] = {
        "apiScopes": None,
        "audienceSpecificClientClaims": None,
        "redirectUris": None,
        "postLogoutRedirectUris": None,
        "childOrganizationNumbers": None,
        "postClientConfirmationRedirectUri": None,
        "externalRef": None,
        "pairing": None,
        "somethingNew": {"deep": [1]},
    }
    for body in (a_draft(), a_draft(**nothing)):
        assert (await service.draft(body)).status_code == 201
    one, other = await kept(service)
    assert one.asked == other.asked


@pytest.mark.parametrize("path", ["/v1", "/v0.1", "/v0.2"])
async def test_the_key_comes_as_text_and_as_an_object_on_every_path(
    service: Service, path: str
) -> None:
    for form in (lambda jwk: jwk, json.dumps, lambda jwk: json.dumps(jwk, indent=2) + "\n"):
        key = rsa_key(2048, "RS512")
        body = a_draft() | {"publicJwk": form(key.members)}
        answer = await service.draft(body, path=path)
        assert answer.status_code == 201, answer.text
        assert "RS512" in answer.json()["warnings"][0]


async def test_the_escapes_of_a_csharp_serialiser_are_read(service: Service) -> None:
    text = json.dumps(ec_key().members).replace('"', "\\u0022").replace("+", "\\u002B")
    raw = f'{{"organizationNumber":"{ORGANIZATION}","publicJwk":"{text}"}}'.encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert (await service.draft(raw, **headers)).status_code == 201


async def test_a_body_in_chunks_needs_no_length(service: Service) -> None:
    raw = msgspec.json.encode(a_draft())

    async def chunks() -> Any:
        for at in range(0, len(raw), 50):
            yield raw[at : at + 50]

    headers = {"api-key": FJORD, "Content-Type": "application/json"}
    answer = await service.http.post("/v1/client-drafts", content=chunks(), headers=headers)
    assert answer.status_code == 201


async def test_the_trail_tells_who_asked_for_it(service: Service) -> None:
    answer = await service.draft(a_draft())
    event = (await service.ask(select(AuditEvent).order_by(AuditEvent.id.desc())))[0]
    assert event.happened == Happened.DRAFT_CREATED
    assert event.actor == f"api-key:{FJORD}"
    assert event.subject == answer.json()["clientId"]
    assert event.source == "127.0.0.1"
    assert event.request_id in answer.headers["traceparent"]


async def test_a_system_may_want_another_life_and_the_code_typed(service: Service) -> None:
    await change_catalogue(
        service, lambda c: c["clientSystems"][0].update(draftLifeHours=2, pairing=True)
    )
    answer = await service.draft(a_draft(pairing=False))
    draft = (await kept(service))[0]
    assert draft.pairing
    assert draft.expires_at == NOW + timedelta(hours=2)
    assert answer.json()["expiresAt"] == "2026-11-22T14:00:00Z"


async def test_a_draft_for_the_number_that_expires_has_no_life(service: Service) -> None:
    answer = await service.draft(a_draft(organizationNumber="310000043"))
    assert answer.json()["expiresAt"] == "2026-11-22T12:00:00Z"


WRONG: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"organizationNumber": "310000018"}, [("#/organizationNumber", "wrong_check_digit")]),
    ({"organizationNumber": "998004993"}, [("#/organizationNumber", "wrong_environment")]),
    ({"organizationNumber": "31000001"}, [("#/organizationNumber", "pattern_mismatch")]),
    ({"organizationNumber": 310000019}, [("#/organizationNumber", "wrong_type")]),
    ({"organizationNumber": None}, [("#/organizationNumber", "missing")]),
    ({"publicJwk": None}, [("#/publicJwk", "missing")]),
    ({"publicJwk": "no JSON"}, [("#/publicJwk", "not_a_jwk")]),
    ({"publicJwk": 7}, [("#/publicJwk", "not_a_jwk")]),
    ({"apiScopes": []}, [("#/apiScopes", "empty")]),
    ({"apiScopes": "nhn:msh/api"}, [("#/apiScopes", "wrong_type")]),
    (
        {"apiScopes": [CLIENT_SCOPE, "nhn:cppa/access", "nhn:no/such"]},
        [
            ("#/apiScopes/1", "scope_not_in_client_system"),
            ("#/apiScopes/2", "scope_not_in_client_system"),
        ],
    ),
    (
        {
            "apiScopes": [CLIENT_SCOPE, 7],
            "audienceSpecificClientClaims": [{"key": "herid", "value": "0"}],
        },
        [("#/apiScopes/1", "wrong_type")],
    ),
    (
        {"audienceSpecificClientClaims": [{"key": "herid", "value": "0"}]},
        [("#/audienceSpecificClientClaims/0/key", "claim_without_scope")],
    ),
    (
        {"audienceSpecificClientClaims": [{"key": "no such", "value": "0"}]},
        [("#/audienceSpecificClientClaims/0/key", "unknown_claim")],
    ),
    (
        {
            "apiScopes": [CLIENT_SCOPE, "nhn:msh/api"],
            "audienceSpecificClientClaims": [{"key": "herid", "value": v} for v in "12"],
        },
        [("#/audienceSpecificClientClaims/1/key", "repeated_claim")],
    ),
    (
        {"redirectUris": ["http://localhost/", "http://evil.example/", "https://evil.example/"]},
        [("#/redirectUris/1", "not_loopback"), ("#/redirectUris/2", "unregistered_origin")],
    ),
    (
        {"postLogoutRedirectUris": ["javascript:alert(1)"]},
        [("#/postLogoutRedirectUris/0", "not_an_address")],
    ),
    (
        {"childOrganizationNumbers": ["310000175", "310000018"]},
        [("#/childOrganizationNumbers/1", "wrong_check_digit")],
    ),
    (
        {"postClientConfirmationRedirectUri": "https://evil.example/"},
        [("#/postClientConfirmationRedirectUri", "unregistered_origin")],
    ),
    ({"externalRef": "x" * 101}, [("#/externalRef", "too_long")]),
    ({"pairing": "yes"}, [("#/pairing", "wrong_type")]),
]


@pytest.mark.parametrize(("members", "errors"), WRONG)
async def test_one_thing_is_wrong(
    service: Service, members: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    answer = await service.draft(a_draft(**members))
    assert answer.status_code == 400
    found = pointers(answer)
    assert [pointer for pointer, _ in found] == [pointer for pointer, _ in errors]
    assert [code for _, code in found] == [code for _, code in errors]
    assert answer.json()["property"] == errors[0][0].split("/")[1]
    assert await kept(service) == []


async def test_everything_that_is_wrong_is_told_at_once(service: Service) -> None:
    body = a_draft(
        organizationNumber="310000018",
        apiScopes=["nhn:no/such"],
        redirectUris=["x"],
        externalRef="",
        childOrganizationNumbers=["310000018"],
    )
    answer = await service.draft(body)
    assert {pointer for pointer, _ in pointers(answer)} == {
        "#/externalRef",
        "#/organizationNumber",
        "#/apiScopes/0",
        "#/redirectUris/0",
        "#/childOrganizationNumbers/0",
    }


async def test_a_body_that_is_no_object_has_one_error(service: Service) -> None:
    for raw in (b"", b"[]", b'"x"', b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 40 + b"]" * 40):
        answer = await service.draft(raw)
        assert answer.status_code == 400, raw
        assert len(pointers(answer)) == 1


async def test_where_redirect_addresses_are_shared_a_draft_has_none(service: Service) -> None:
    nothing: list[list[str] | None] = [None, []]
    for fine in nothing:
        answer = await service.draft(a_draft(redirectUris=fine), api_key=EDI)
        assert answer.status_code == 201
    answer = await service.draft(a_draft(redirectUris=["http://localhost/"]), api_key=EDI)
    assert pointers(answer) == [("#/redirectUris", "redirect_uris_are_shared")]


async def test_a_private_key_is_refused_alone_and_nothing_of_it_is_kept(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await service.client()
    private = client.key.private()
    for form in (private, json.dumps(private)):
        answer = await service.draft(a_draft(organizationNumber="1", publicJwk=form))
        body = problem_of(answer)
        assert body["type"].endswith("/key-refused")
        assert pointers(answer) == [("#/publicJwk/d", "private_key")]
        assert "considered leaked" in body["detail"]
        assert private["d"] not in answer.text
    assert len(await kept(service)) == 1  # that of the client itself
    leaked = select(ClientKey.leaked_at).where(ClientKey.client_id == client.client_id)
    assert await service.ask(leaked) == [NOW]
    events = select(AuditEvent).where(AuditEvent.happened == Happened.KEY_LEAKED)
    trail = await service.ask(events)
    assert [(event.subject, event.details) for event in trail] == [
        (str(client.client_id), {"key": client.key.thumbprint})
    ]
    assert private["d"] not in "".join(capsys.readouterr())


async def test_a_private_key_of_nobody_here_leaves_no_trace(service: Service) -> None:
    answer = await service.draft(a_draft(publicJwk=rsa_key(2048, "PS256").private()))
    assert answer.status_code == 400
    assert await kept(service) == []
    count = select(func.count()).where(AuditEvent.happened == Happened.KEY_LEAKED)
    assert await service.ask(count) == [0]


async def test_the_key_of_a_client_is_taken_and_nothing_is_told_of_the_client(
    service: Service,
) -> None:
    client = await service.client()
    answer = await service.draft(a_draft(client.key), api_key=EDI)
    assert answer.status_code == 409
    assert problem_of(answer)["type"].endswith("/key-taken")
    assert str(client.client_id) not in answer.text


async def test_a_draft_reserves_nothing(service: Service) -> None:
    key = ec_key()
    for _ in range(2):
        answer = await service.draft(a_draft(key, externalRef="the same"))
        assert answer.status_code == 201


def sub_unit(number: str, parent: str = ORGANIZATION) -> Organization:
    unit = an_organization(number, Verdict.SUB_UNIT)
    unit.main_unit = parent
    return unit


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.SUB_UNIT, "sub_unit"),
        (Verdict.ORGANIZATIONAL_PART, "organizational_part"),
        (Verdict.BANKRUPT, "organization_bankrupt"),
        (Verdict.DELETED, "organization_deleted"),
        (Verdict.REMOVED, "organization_deleted"),
        (Verdict.UNKNOWN_NUMBER, "unknown_organization"),
    ],
)
async def test_an_organization_that_cannot_own_a_client(
    service: Service, verdict: Verdict, code: str
) -> None:
    await service.add(an_organization("310000108", verdict))
    answer = await service.draft(a_draft(organizationNumber="310000108"))
    assert pointers(answer) == [("#/organizationNumber", code)]
    assert await kept(service) == []


async def test_an_organization_that_is_wound_up_gives_a_warning(service: Service) -> None:
    organization = an_organization("310000108")
    organization.winding_up = True
    await service.add(organization)
    answer = await service.draft(a_draft(organizationNumber="310000108"))
    assert answer.status_code == 201
    assert "being wound up" in answer.json()["warnings"][0]


async def test_a_draft_is_made_while_the_register_is_away(service: Service) -> None:
    answer = await service.draft(a_draft(organizationNumber="310000108"))
    assert answer.status_code == 201
    assert await service.ask(select(Organization).where(Organization.name.is_(None))) == []


async def test_a_sub_unit_stands_below_the_organization(service: Service) -> None:
    await service.add(sub_unit("310000175"), sub_unit("310000108", "310000051"))
    body = a_draft(childOrganizationNumbers=["310000175", "310000108"])
    assert pointers(await service.draft(body)) == [
        ("#/childOrganizationNumbers/1", "not_below_organization")
    ]
    assert (await service.draft(a_draft(childOrganizationNumbers=["310000175"]))).is_success


async def change_catalogue(service: Service, change: Any) -> None:
    """A new version without the checks that an operator's would have to pass."""
    async with service.database.sessions.begin() as db:
        newest = await newest_catalogue(db)
        assert newest is not None
        content = msgspec.to_builtins(newest.content)
        change(content)
        catalogue = msgspec.convert(content, type(newest.content))
        db.add(CatalogueVersion(content=catalogue, applied_at=NOW))


async def test_a_multi_tenant_client_is_not_made_by_api(service: Service) -> None:
    await change_catalogue(service, lambda c: c["clientSystems"][0].update(tenancy="multi-tenant"))
    answer = await service.draft(a_draft())
    assert pointers(answer) == [("#", "multi_tenant_client_system")]
    assert answer.json()["property"] == ""


async def test_an_api_key_whose_system_is_gone_opens_nothing(service: Service) -> None:
    await change_catalogue(service, lambda c: c["clientSystems"].pop(0))
    answer = await service.draft(a_draft())
    assert answer.status_code == 401
    assert problem_of(answer)["type"].endswith("/api-key-rejected")


async def test_a_service_without_a_catalogue_says_that_it_is_not_ready(service: Service) -> None:
    async with service.database.sessions.begin() as db:
        await db.execute(delete(CatalogueVersion))
    answer = await service.draft(a_draft())
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    problem_of(answer)


async def test_keys_that_a_setting_refuses(seeded_url: str) -> None:
    async with serving(seeded_url, refuse_rs_algorithms=True) as service:
        body = a_draft(rsa_key(2048, "RS256"))
        assert pointers(await service.draft(body)) == [("#/publicJwk/alg", "wrong_alg")]


async def test_an_oddity_may_be_allowed(seeded_url: str) -> None:
    async with serving(seeded_url, allowed_organization_numbers=["998004993"]) as service:
        await service.add(an_organization("998004993"))
        assert (await service.draft(a_draft(organizationNumber="998004993"))).is_success


@pytest.mark.usefixtures("early_in_the_minute")
async def test_an_answer_hints_at_what_the_limits_leave(service: Service) -> None:
    first = await service.draft(a_draft())
    again = await service.draft(a_draft())
    limits = service.settings
    assert again.headers["ratelimit-policy"] == (
        f'"address";q={limits.drafts_per_minute_and_address};w=60, '
        f'"organization";q={limits.drafts_per_hour_organization_and_key};w=3600'
    )
    left = [_left(answer) for answer in (first, again)]
    assert left[1]["organization"] == left[0]["organization"] - 1


async def test_a_refusal_by_a_limit_hints_too(seeded_url: str) -> None:
    async with serving(seeded_url, drafts_per_hour_organization_and_key=0) as service:
        answer = await service.draft(a_draft())
    assert answer.status_code == 429
    assert _left(answer)["organization"] == 0
    assert f"t={answer.headers['retry-after']}" in answer.headers["ratelimit"]


def _left(answer: Response) -> dict[str, int]:
    """By the name of the limit; each is `"name";r=left;t=seconds`."""
    entries = [entry.split(";") for entry in answer.headers["ratelimit"].split(", ")]
    return {name.strip('"'): int(left.removeprefix("r=")) for name, left, _ in entries}
