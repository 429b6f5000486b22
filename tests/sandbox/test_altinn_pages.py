"""The human steps at Altinn's pages, pressed as a browser without scripts would."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from app.sandbox.people import KARI, OLA, SYNNE, Person
from tests.sandbox.service_owner import (
    CUSTOMER,
    GENERIC,
    ORGANIZATION,
    PERSON,
    PERSONS_RIGHT,
    PROCESSOR,
    SUPPLIER,
    WORLD,
    WRITE,
    ServiceOwner,
    person,
)

PAGES = WORLD.altinn_pages_url
ROOT = "/am-ui/accessmanagement/ui"
NOTHING_GIVEN = "310000183"
REQUESTS = f"{WORLD.altinn_url}/accessmanagement/api/v1/serviceowner/delegationrequests"


async def log_in(owner: ServiceOwner, who: Person) -> None:
    answer = await owner.http.post(f"{PAGES}/login", data={"person": who.slug, "next": ROOT})
    assert answer.status_code == 303


async def change(owner: ServiceOwner, action: str = "give", **fields: str) -> Any:
    standard = {"party": NOTHING_GIVEN, "to": SUPPLIER, "right": PROCESSOR, "action": action}
    return await owner.http.post(f"{PAGES}/delegations", data=standard | fields)


async def asked(owner: ServiceOwner, wanting: str, resource: str = GENERIC) -> tuple[str, str]:
    body = {"from": wanting, "to": f"{ORGANIZATION}:{CUSTOMER}", "resource": resource}
    answer = await owner.http.post(
        f"{REQUESTS}/resource", json=body, headers=await owner.headers(WRITE)
    )
    made = answer.json()
    return made["id"], made["links"]["detailsLink"]


async def press(owner: ServiceOwner, identifier: str, step: str) -> Any:
    form = {"requestId": identifier, "step": step}
    return await owner.http.post(f"{PAGES}/requests/resource", data=form)


def buttons(text: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'name="step"[^>]*>([^<]+)<', text)]


async def test_a_page_asks_who_one_is_and_leads_back(owner: ServiceOwner) -> None:
    address = f"{PAGES}/?party={NOTHING_GIVEN}&to={SUPPLIER}&right={PROCESSOR}"
    sent = await owner.http.get(address)
    assert sent.status_code == 303
    login = await owner.http.get(sent.headers["location"])
    for who in (KARI, OLA, SYNNE):
        assert who.name in login.text
    back = unescape(re.findall(r'name="next" value="([^"]+)"', login.text)[0])
    form = {"person": "synne", "next": back}
    answer = await owner.http.post(f"{PAGES}/login", data=form)
    page = await owner.http.get(answer.headers["location"])
    assert f'value="{NOTHING_GIVEN}"' in page.text
    assert f'value="{SUPPLIER}"' in page.text
    assert f'value="{PROCESSOR}" selected' in page.text


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", f"{ROOT}.evil.example", "", "/_sandbox/"]
)
async def test_the_way_back_never_leads_elsewhere(owner: ServiceOwner, back: str) -> None:
    page = await owner.http.get(f"{PAGES}/login?next={quote(back)}")
    assert f'name="next" value="{ROOT}"' in page.text
    answer = await owner.http.post(f"{PAGES}/login", data={"person": "kari", "next": back})
    assert answer.headers["location"] == ROOT


async def test_somebody_unknown_is_not_logged_in(owner: ServiceOwner) -> None:
    answer = await owner.http.post(f"{PAGES}/login", data={"person": "nobody", "next": ROOT})
    assert "set-cookie" not in answer.headers
    assert (await owner.http.get(f"{PAGES}/")).status_code == 303


async def test_who_logs_out_is_asked_again(owner: ServiceOwner) -> None:
    await log_in(owner, KARI)
    # As the service's plain link has it, without a slash at the end.
    assert (await owner.http.get(PAGES)).status_code == 200
    await owner.http.post(f"{PAGES}/logout")
    assert (await owner.http.get(f"{PAGES}/")).status_code == 303


async def test_synne_gives_a_right_to_an_organisation_and_takes_it_back(
    owner: ServiceOwner,
) -> None:
    await log_in(owner, SYNNE)
    answer = await change(owner)
    assert answer.status_code == 303
    assert await owner.is_delegated(NOTHING_GIVEN)
    page = await owner.http.get(answer.headers["location"])
    assert "FJORD SYSTEMER AS" in page.text
    await change(owner, "withdraw")
    assert not await owner.is_delegated(NOTHING_GIVEN)
    page = await owner.http.get(answer.headers["location"])
    assert "FJORD SYSTEMER AS" not in page.text


async def test_the_page_sees_a_change_before_the_look_ups_do(owner: ServiceOwner) -> None:
    await owner.set(propagationSeconds=60)
    await log_in(owner, SYNNE)
    answer = await change(owner)
    page = await owner.http.get(answer.headers["location"])
    assert "FJORD SYSTEMER AS" in page.text
    assert not await owner.is_delegated(NOTHING_GIVEN)


async def test_synne_gives_kari_her_right(owner: ServiceOwner) -> None:
    await log_in(owner, SYNNE)
    await change(owner, party="310000035", to=KARI.name, right=PERSONS_RIGHT)
    assert await owner.decision(person(KARI), "310000035") == "Permit"


async def test_what_has_been_given_from_the_beginning_is_shown(owner: ServiceOwner) -> None:
    await log_in(owner, OLA)
    page = (await owner.http.get(f"{PAGES}/?party={CUSTOMER}")).text
    for text in ("FJORDBYEN LEGESENTER AS", "FJORD SYSTEMER AS", "VARDE TEKNOLOGI AS", KARI.name):
        assert text in page


@pytest.mark.parametrize("who", [KARI, OLA])
async def test_who_may_not_give_is_told_who_can(owner: ServiceOwner, who: Person) -> None:
    await log_in(owner, who)
    page = await owner.http.get(f"{PAGES}/?party={NOTHING_GIVEN}")
    assert SYNNE.name in page.text
    assert "Gi rettigheten" not in page.text
    answer = await change(owner)
    assert answer.status_code == 403
    assert SYNNE.name in answer.text
    assert not await owner.is_delegated(NOTHING_GIVEN)


async def test_nobody_gives_without_logging_in(owner: ServiceOwner) -> None:
    answer = await change(owner)
    assert answer.status_code == 303
    assert "/login" in answer.headers["location"]
    assert not await owner.is_delegated(NOTHING_GIVEN)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"party": "310000124"}, "ingen virksomhet"),
        ({"to": "Per Ukjent"}, "Per Ukjent"),
        ({"right": "x"}, "Rettighetene er"),
        ({"to": KARI.name}, "bare gis til en virksomhet"),
        ({"party": "310000175"}, "hovedenhet"),
        ({"party": "310900079"}, "hovedenhet"),
    ],
)
async def test_what_cannot_be_given_is_explained(
    owner: ServiceOwner, fields: dict[str, str], text: str
) -> None:
    await log_in(owner, SYNNE)
    answer = await change(owner, **fields)
    assert answer.status_code == 400
    assert text in unescape(answer.text)


async def test_a_request_goes_from_draft_to_given(owner: ServiceOwner) -> None:
    identifier, link = await asked(owner, f"{ORGANIZATION}:{SUPPLIER}")
    await log_in(owner, SYNNE)
    page = (await owner.http.get(link)).text
    assert "FJORD SYSTEMER AS" in page
    assert "FJORDBYEN LEGESENTER AS" in page
    assert buttons(page) == ["Bekreft forespørselen"]
    answer = await press(owner, identifier, "confirm")
    page = (await owner.http.get(answer.headers["location"])).text
    assert buttons(page) == ["Godkjenn", "Avslå"]
    answer = await press(owner, identifier, "approve")
    page = (await owner.http.get(answer.headers["location"])).text
    assert buttons(page) == []
    assert "Rettigheten er gitt" in page
    assert (await owner.control("GET", "/altinn/requests"))[0]["lastUpdatedBy"] == SYNNE.name


async def test_a_request_can_be_refused(owner: ServiceOwner) -> None:
    identifier, link = await asked(owner, f"{ORGANIZATION}:{SUPPLIER}")
    await log_in(owner, SYNNE)
    await press(owner, identifier, "confirm")
    await press(owner, identifier, "reject")
    assert "avslått" in (await owner.http.get(link)).text


async def test_a_person_confirms_what_he_wants_but_does_not_give_it_to_himself(
    owner: ServiceOwner,
) -> None:
    identifier, link = await asked(owner, f"{PERSON}:{OLA.pid}", PERSONS_RIGHT)
    await log_in(owner, SYNNE)
    page = (await owner.http.get(link)).text
    assert buttons(page) == []
    assert OLA.name in page
    assert (await press(owner, identifier, "confirm")).status_code == 403
    await log_in(owner, OLA)
    assert (await press(owner, identifier, "confirm")).status_code == 303
    page = (await owner.http.get(link)).text
    assert buttons(page) == []
    assert SYNNE.name in page
    assert (await press(owner, identifier, "approve")).status_code == 403
    assert (await owner.control("GET", "/altinn/requests"))[0]["status"] == "Pending"


@pytest.mark.parametrize("step", ["approve", "reject", "dance", ""])
async def test_a_step_that_is_not_on_the_page_is_refused(owner: ServiceOwner, step: str) -> None:
    identifier, _ = await asked(owner, f"{ORGANIZATION}:{SUPPLIER}")
    await log_in(owner, SYNNE)
    assert (await press(owner, identifier, step)).status_code == 409


async def test_an_approval_that_fails_says_so_and_waits(owner: ServiceOwner) -> None:
    await owner.set(approvalFails=True)
    identifier, link = await asked(owner, f"{ORGANIZATION}:{SUPPLIER}")
    await log_in(owner, SYNNE)
    await press(owner, identifier, "confirm")
    answer = await press(owner, identifier, "approve")
    assert answer.status_code == 409
    assert "venter fortsatt" in answer.text
    assert buttons((await owner.http.get(link)).text) == ["Godkjenn", "Avslå"]


async def test_a_link_to_nothing_is_a_page_of_its_own(owner: ServiceOwner) -> None:
    await log_in(owner, SYNNE)
    answer = await owner.http.get(f"{PAGES}/requests/resource?requestId=x")
    assert answer.status_code == 404
    assert "finnes ikke" in answer.text


async def test_what_is_shown_is_escaped(owner: ServiceOwner) -> None:
    await log_in(owner, SYNNE)
    answer = await change(owner, to="<script>alert(1)</script>")
    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
