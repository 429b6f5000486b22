"""Who asks faster than he is told waits a little, and nobody else does."""

import time

import pytest

from app.onboardings import pace
from app.onboardings.pace import AT_ONCE, Buckets
from app.problems import TooManyRequests
from tests.serving import Service


def full(caller: bytes) -> Buckets:
    buckets = Buckets()
    for _ in range(AT_ONCE):
        buckets.count(caller)
    return buckets


def test_one_too_many_is_refused_and_others_are_not() -> None:
    buckets = full(b"one")
    for _ in range(2):  # what was refused is not counted
        with pytest.raises(TooManyRequests) as refused:
            buckets.count(b"one")
        assert refused.value.headers["Retry-After"] == "1"
    buckets.count(b"another")


def test_after_a_while_he_may_ask_again() -> None:
    buckets = full(b"one")
    time.sleep(0.55)  # two a second leak
    buckets.count(b"one")


def test_who_asked_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "MOST_REMEMBERED", 2)
    buckets = full(b"first")
    for caller in (b"second", b"third", b"first"):
        buckets.count(caller)


async def test_a_reader_of_an_onboarding_is_counted(service: Service) -> None:
    client, other = await service.client(), await service.client()
    path = f"/v1/onboardings/{client.client_id}"
    headers = {"Authorization": f"Bearer {client.token(cnf=None)}"}
    # Some have leaked before the last is asked.
    answers = [await service.http.get(path, headers=headers) for _ in range(2 * AT_ONCE)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:AT_ONCE] == [200] * AT_ONCE
    refused = answers[statuses.index(429)]
    assert refused.headers["retry-after"] == "1"
    assert (await other.get(f"/v1/onboardings/{other.client_id}")).status_code == 200
