"""Calls about an onboarding, and about a new key in place of a lost one, with their answers."""

from collections.abc import Iterator
from uuid import UUID

import httpx2

from tests.installers.plain import PlainInstaller

Answered = tuple[str, httpx2.Response]
TIMES_TO_LENGTHEN = 5


def onboardings(client: PlainInstaller) -> Iterator[Answered]:
    other = PlainInstaller(client.service, client.http)
    drafted = other.draft().json()
    token = {"Authorization": f"Bearer {drafted['onboardingToken']}"}
    address = drafted["onboardingUrl"]
    foreign = client.url(f"onboardings/{UUID(int=1)}")

    def read(url: str, **headers: str) -> Answered:
        return "getOnboarding", client.http.get(url, headers=headers)

    first = client.http.get(address, headers=token)
    yield "getOnboarding", first
    known = {"If-None-Match": first.headers["etag"]}
    yield read(address, **token, **known)
    yield read(address, **token, **known, Prefer="wait=1")
    yield read(address)
    yield read(foreign, **token)
    yield "getOnboarding", client.call("GET", f"onboardings/{client.client_id}")

    def lengthen(url: str, **headers: str) -> Answered:
        return "lengthenConfirmLink", client.http.post(f"{url}/confirm-link", headers=headers)

    yield lengthen(address)
    yield lengthen(foreign, **token)
    yield lengthen(address, **token, **{"If-Match": 'W/"99-0"'})
    with_members = client.http.post(f"{address}/confirm-link", headers=token, content=b'{"why": 1}')
    yield "lengthenConfirmLink", with_members
    for _ in range(TIMES_TO_LENGTHEN + 1):
        yield lengthen(address, **token)


def replacements(client: PlainInstaller) -> Iterator[Answered]:
    """Of a client whose key was seen a moment ago, so that the exchange waits."""
    old = PlainInstaller(client.service, client.http).set_up()
    old.call("GET", "client")
    new = PlainInstaller(client.service, client.http)
    lost = {"postClientConfirmationRedirectUri": None}
    yield "createClientDraft", new.draft(replacesKeysOf=str(UUID(int=1)), **lost)
    yield "getKeyReplacement", old.call("GET", "client/key-replacement")
    yield "createClientDraft", new.draft(replacesKeysOf=old.client_id, **lost)
    assert new.decide().json()["status"] == "Pending"
    waiting = old.call("GET", "client/key-replacement")
    known = {"If-None-Match": waiting.headers["etag"]}
    yield "getKeyReplacement", waiting
    yield "getKeyReplacement", old.call("GET", "client/key-replacement", headers=known)
    stale = {"If-Match": 'W/"0-nb"'}
    yield "stopKeyReplacement", old.call("DELETE", "client/key-replacement", headers=stale)
    yield "stopKeyReplacement", old.call("DELETE", "client/key-replacement")
    yield "stopKeyReplacement", old.call("DELETE", "client/key-replacement")
