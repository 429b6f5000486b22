import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.organizations.rules import has_check_digit, organization_number_error
from app.settings import Environment

TEST, PRODUCTION = Environment.TEST, Environment.PRODUCTION


@pytest.mark.parametrize(
    ("number", "environment", "code"),
    [
        ("310000019", TEST, None),
        ("313325016", TEST, None),
        ("889640782", PRODUCTION, None),
        ("994598759", PRODUCTION, None),
        ("994598759", TEST, "wrong_environment"),
        ("310000019", PRODUCTION, "wrong_environment"),
        ("310000018", TEST, "wrong_check_digit"),
        ("310000091", TEST, "wrong_check_digit"),
        ("31000001", TEST, "not_nine_digits"),
        ("3100000190", TEST, "not_nine_digits"),
        ("310 000 019", TEST, "not_nine_digits"),
        ("31000001a", TEST, "not_nine_digits"),
        ("\uff1310000019", TEST, "not_nine_digits"),
        ("²10000019", TEST, "not_nine_digits"),
        ("310000019\n", TEST, "not_nine_digits"),
        ("", TEST, "not_nine_digits"),
    ],
)
def test_which_numbers_are_accepted(
    number: str, environment: Environment, code: str | None
) -> None:
    error = organization_number_error(number, pointer="#/n", environment=environment)
    assert (error and error.code) == code
    assert error is None or (error.pointer == "#/n" and error.detail.endswith("."))


def test_an_allowed_number_is_accepted_whatever_it_is() -> None:
    error = organization_number_error(
        "999999999", pointer="#", environment=TEST, allowed=["999999999"]
    )
    assert error is None


@given(st.integers(0, 99_999_999))
def test_at_most_one_check_digit_fits(start: int) -> None:
    assert sum(has_check_digit(f"{start:08}{last}") for last in range(10)) <= 1


@given(st.text(max_size=12), st.sampled_from(Environment))
def test_any_text_can_be_judged(text: str, environment: Environment) -> None:
    error = organization_number_error(text, pointer="#", environment=environment)
    assert error is None or error.code
