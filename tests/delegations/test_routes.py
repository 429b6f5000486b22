"""What the paths and queries of delegations may hold."""

import pytest

from tests.serving import EDI, Service, problem_of

PATH = "/v1/client/delegations"


@pytest.mark.parametrize("cursor", ["x", "0" * 31, "0" * 33, "%00", "Ä"])
async def test_what_is_no_cursor_is_refused(service: Service, cursor: str) -> None:
    client = await service.client(EDI, apiScopes=None)
    answer = await client.get(f"{PATH}?cursor={cursor}")
    assert answer.status_code == 400
    assert problem_of(answer)["property"] == "cursor"


@pytest.mark.parametrize("cursor", ["", "%0A", f"{'0' * 32}%0A"])
async def test_a_line_break_at_the_end_does_no_harm(service: Service, cursor: str) -> None:
    client = await service.client(EDI, apiScopes=None)
    answer = await client.get(f"{PATH}?cursor={cursor}")
    assert answer.status_code == 200, answer.text
