import re
from uuid import UUID

import pytest

from app.client_drafts.pairing import ALPHABET, is_same_code, pairing_code

CLIENT = UUID("8a8b4d1c-63b4-4f0e-9a53-0d5d0f5e7f11")
SECRET = "a secret that only this test knows"


def test_a_code_is_two_groups_of_four_without_lookalikes() -> None:
    code = pairing_code(CLIENT, "thumbprint", secret_key=SECRET)
    assert re.fullmatch(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", code)
    assert not set(ALPHABET) & set("0O1IL5U8AEUY2")


def test_the_same_draft_always_has_the_same_code() -> None:
    first = pairing_code(CLIENT, "thumbprint", secret_key=SECRET)
    assert first == pairing_code(CLIENT, "thumbprint", secret_key=SECRET)


@pytest.mark.parametrize(
    "other",
    [
        pairing_code(UUID(int=CLIENT.int + 1), "thumbprint", secret_key=SECRET),
        pairing_code(CLIENT, "another", secret_key=SECRET),
        pairing_code(CLIENT, "thumbprint", secret_key=SECRET[::-1]),
    ],
)
def test_another_client_key_or_service_has_another_code(other: str) -> None:
    assert other != pairing_code(CLIENT, "thumbprint", secret_key=SECRET)


@pytest.mark.parametrize("typed", ["KRTM-4W7H", "krtm4w7h", " krtm 4w7h ", "KRTM\u20134W7H"])
def test_a_person_may_type_it_in_any_way(typed: str) -> None:
    assert is_same_code(typed, "KRTM-4W7H")


@pytest.mark.parametrize("typed", ["", "KRTM", "KRTM-4W7J", "KRTM-4W7HH", "æøå"])
def test_anything_else_is_another_code(typed: str) -> None:
    assert not is_same_code(typed, "KRTM-4W7H")
