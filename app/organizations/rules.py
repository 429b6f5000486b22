"""Which organization numbers are accepted: nine digits with a check digit, of this environment."""

from collections.abc import Collection

from app.problems import FieldError
from app.settings import Environment

# A sub-unit may stand below organizational parts, which stand below the main unit.
MOST_LEVELS = 5

_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)
# Real organizations, and the synthetic ones of Tenor.
FIRST_DIGITS = {Environment.PRODUCTION: ("8", "9"), Environment.TEST: ("2", "3")}


def organization_number_error(
    number: str, *, pointer: str, environment: Environment, allowed: Collection[str] = ()
) -> FieldError | None:
    """What is wrong with `number`, or None. `allowed` are accepted whatever the rules say."""
    if number in allowed:
        return None
    if not is_nine_digits(number):
        return FieldError(
            pointer,
            "not_nine_digits",
            "An organization number is nine digits, without spaces.",
        )
    if not has_check_digit(number):
        return FieldError(
            pointer,
            "wrong_check_digit",
            "This is no organization number: the last digit does not fit the others.",
        )
    if number[0] not in FIRST_DIGITS[environment]:
        return FieldError(pointer, "wrong_environment", _WRONG_ENVIRONMENT[environment])
    return None


_WRONG_ENVIRONMENT = {
    Environment.TEST: (
        "Only synthetic organizations are used in this environment; their numbers start with 2"
        " or 3."
    ),
    Environment.PRODUCTION: (
        "This is not the number of a real organization; those start with 8 or 9. Synthetic ones"
        " belong in the test environment."
    ),
}


def is_nine_digits(number: str) -> bool:
    return len(number) == 9 and number.isascii() and number.isdigit()


def has_check_digit(number: str) -> bool:
    """Modulus 11. A number whose check digit would be 10 is never given out."""
    digits = [int(digit) for digit in number]
    total = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits[:8], strict=True))
    return -total % 11 == digits[8]
