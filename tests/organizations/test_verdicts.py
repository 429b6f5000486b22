import pytest

from app.organizations.register import RegisterEntry, Verdict
from app.organizations.verdicts import Above, verdict_error, winding_up_warning

NUMBER, POINTER = "310000175", "#/organizationNumber"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_main_unit_may_own_a_client(verdict: Verdict) -> None:
    error = verdict_error(RegisterEntry(verdict), NUMBER, pointer=POINTER)
    assert (error is None) == (verdict == Verdict.MAIN_UNIT)
    if error:
        assert error.pointer == POINTER
        assert NUMBER in error.detail


@pytest.mark.parametrize("verdict", [Verdict.SUB_UNIT, Verdict.ORGANIZATIONAL_PART])
def test_the_number_to_use_instead_is_named(verdict: Verdict) -> None:
    entry = RegisterEntry(verdict, name="Avd. Sentrum", main_unit="310000019")
    error = verdict_error(entry, NUMBER, pointer=POINTER)
    assert error is not None
    assert "310000019" in error.detail
    assert "Avd. Sentrum" in error.detail


PART, TOP = "310900079", "310900060"


@pytest.mark.parametrize(
    ("above", "advice"),
    [
        ([], f"use the number of its main unit, {PART}."),
        ([Above(PART, Verdict.MAIN_UNIT)], f"use the number of its main unit, {PART}."),
        (
            [Above(PART, Verdict.ORGANIZATIONAL_PART), Above(TOP, Verdict.MAIN_UNIT)],
            f"use the number of its main unit, {TOP}. Not {PART}, which it stands below",
        ),
        (
            [Above(PART, Verdict.ORGANIZATIONAL_PART)],
            f"use the number of its main unit. Not {PART}",
        ),
        ([Above(PART, Verdict.BANKRUPT)], f"{PART}, would have to be used, but that is bankrupt"),
        (
            [Above(PART, Verdict.ORGANIZATIONAL_PART), Above(TOP, Verdict.DELETED)],
            f"{TOP}, would have to be used, but that has been deleted",
        ),
    ],
)
def test_no_number_is_named_that_would_be_refused_too(above: list[Above], advice: str) -> None:
    entry = RegisterEntry(Verdict.SUB_UNIT, main_unit=PART)
    error = verdict_error(entry, NUMBER, pointer=POINTER, above=above)
    assert error is not None
    assert advice in error.detail


def test_a_part_that_is_allowed_is_named() -> None:
    entry = RegisterEntry(Verdict.SUB_UNIT, main_unit=PART)
    above = [Above(PART, Verdict.ORGANIZATIONAL_PART), Above(TOP, Verdict.MAIN_UNIT)]
    error = verdict_error(
        entry, NUMBER, pointer=POINTER, above=above, organisasjonsledd_allowed=[PART]
    )
    assert error is not None
    assert f"use the number of its main unit, {PART}." in error.detail


def test_an_organizational_part_may_be_allowed_by_its_number() -> None:
    entry = RegisterEntry(Verdict.ORGANIZATIONAL_PART)
    assert verdict_error(entry, NUMBER, pointer=POINTER, organisasjonsledd_allowed=[NUMBER]) is None
    sub_unit = RegisterEntry(Verdict.SUB_UNIT)
    assert verdict_error(sub_unit, NUMBER, pointer=POINTER, organisasjonsledd_allowed=[NUMBER])


def test_winding_up_is_a_warning() -> None:
    entry = RegisterEntry(Verdict.MAIN_UNIT, name="Gammelt AS", winding_up=True)
    assert verdict_error(entry, NUMBER, pointer=POINTER) is None
    assert "Gammelt AS" in (winding_up_warning(entry, NUMBER) or "")
    assert winding_up_warning(RegisterEntry(Verdict.MAIN_UNIT), NUMBER) is None
