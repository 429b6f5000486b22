import pytest

from app.web.conditional import PreconditionFailed, check_if_match, etag, is_known
from app.web.preferences import prefers

TAG = etag(7, "nb")


@pytest.mark.parametrize("sent", [TAG, f'W/"1-en", {TAG}', "*", f" {TAG} ", '"7-nb"'])
def test_a_version_that_the_caller_has(sent: str) -> None:
    assert is_known(sent, TAG)


@pytest.mark.parametrize("sent", [None, "", 'W/"7-en"', 'W/"70-nb"', "7-nb", "W/", ",,,"])
def test_a_version_that_the_caller_has_not(sent: str | None) -> None:
    assert not is_known(sent, TAG)


@pytest.mark.parametrize("sent", [None, "*", TAG, 'W/"7-en"', '"7-nb"', f'"1-nb", {TAG}'])
def test_a_change_of_what_the_caller_has_seen(sent: str | None) -> None:
    check_if_match(sent, 7)


@pytest.mark.parametrize("sent", ["", 'W/"6-nb"', 'W/"77-nb"', "W/", '"', "\xff", "7" * 9000])
def test_a_change_of_what_the_caller_has_not_seen(sent: str) -> None:
    with pytest.raises(PreconditionFailed):
        check_if_match(sent, 7)


@pytest.mark.parametrize(
    "sent",
    [
        ["return=representation"],
        ["Return=Representation"],
        ["respond-async, return=representation; wait=1"],
        ["wait=5", 'return = "representation"'],
    ],
)
def test_what_a_caller_prefers(sent: list[str]) -> None:
    assert prefers(sent, "return", "representation")


@pytest.mark.parametrize(
    "sent",
    [
        [],
        ["return=minimal"],
        ["return=minimal, return=representation"],
        ["no-return=representation"],
        ["return=representations"],
        ["handling=lenient; return=representation"],
    ],
)
def test_what_a_caller_does_not_prefer(sent: list[str]) -> None:
    assert not prefers(sent, "return", "representation")
