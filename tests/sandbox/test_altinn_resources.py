"""The register of resources, which anybody may read."""

import httpx2
import pytest

from tests.sandbox.service_owner import (
    GENERIC,
    PERSONS_RIGHT,
    PROCESSOR,
    SCOPE,
    WORLD,
    ServiceOwner,
)

REGISTRY = f"{WORLD.altinn_url}/resourceregistry/api/v1/resource"


@pytest.mark.parametrize(
    ("identifier", "kind", "scopes"),
    [
        (PROCESSOR, "MaskinportenSchema", [SCOPE, f"{SCOPE}.les"]),
        (PERSONS_RIGHT, "GenericAccessResource", []),
        (GENERIC, "GenericAccessResource", []),
    ],
)
async def test_a_resource_says_what_it_is(
    http: httpx2.AsyncClient, identifier: str, kind: str, scopes: list[str]
) -> None:
    body = (await http.get(f"{REGISTRY}/{identifier}")).json()
    assert (body["identifier"], body["resourceType"]) == (identifier, kind)
    assert body["title"].keys() == {"nb", "nn", "en"}
    assert [one["reference"] for one in body["resourceReferences"]] == scopes


async def test_an_unknown_resource_is_not_there(http: httpx2.AsyncClient) -> None:
    assert (await http.get(f"{REGISTRY}/nobody-knows")).status_code == 404


async def test_changes_of_rules_are_listed_since_a_time(http: httpx2.AsyncClient) -> None:
    body = (await http.get(f"{REGISTRY}/updated")).json()
    assert f"urn:altinn:resource:{PROCESSOR}" in [row["resourceUrn"] for row in body["data"]]
    assert body["links"] == {"next": None}
    later = await http.get(f"{REGISTRY}/updated", params={"since": "2026-10-01T00:00:00Z"})
    assert later.json()["data"] == []
    bad = await http.get(f"{REGISTRY}/updated", params={"since": "yesterday"})
    assert bad.status_code == 400


async def test_rules_that_change_stand_in_the_list(owner: ServiceOwner) -> None:
    before = owner.clock.now().isoformat()
    address = f"/altinn/resources/{PROCESSOR}/rules"
    assert (await owner.http.post(f"/_sandbox{address}")).status_code == 204
    listed = await owner.http.get(f"{REGISTRY}/updated", params={"since": before})
    [row] = listed.json()["data"]
    assert row["resourceUrn"] == f"urn:altinn:resource:{PROCESSOR}"
    again = await owner.http.get(f"{REGISTRY}/updated", params={"since": row["updatedAt"]})
    assert again.json()["data"] == []
    assert (await owner.http.post("/_sandbox/altinn/resources/x/rules")).status_code == 404
