"""What can be said of an RSA modulus in microseconds: is it weak, does this secret belong to it?"""

from math import gcd, isqrt, prod


def _primes_below(limit: int) -> list[int]:
    return [n for n in range(2, limit) if all(n % p for p in range(2, isqrt(n) + 1))]


_SMALL_FACTORS = prod(_primes_below(752))

# ROCA (CVE-2017-15361): the primes of the affected chips are powers of 65537 modulo every
# small prime, and so are their products. These are the primes where that says most.
_FINGERPRINT = {
    r: frozenset(pow(65537, exponent, r) for exponent in range(r - 1))
    for r in (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
}
_FINGERPRINT_PRODUCT = prod(_FINGERPRINT)

# Nearly every number that is no square is no square modulo one of these: `isqrt` is spared.
_SQUARES_64 = frozenset(n * n % 64 for n in range(64))
_SQUARES_45045 = frozenset(n * n % 45045 for n in range(45045))
FERMAT_ROUNDS = 100


def weakness(modulus: int) -> str | None:
    """What makes the modulus weak, for the one who made it; None when nothing was found."""
    if gcd(modulus, _SMALL_FACTORS) > 1:
        return "The modulus has a small factor"
    if has_roca_fingerprint(modulus):
        return "The modulus comes from a generator with a known flaw (ROCA, CVE-2017-15361)"
    if has_close_factors(modulus):
        return "The two primes of the modulus are too close to each other"
    return None


def has_roca_fingerprint(modulus: int) -> bool:
    rest = modulus % _FINGERPRINT_PRODUCT
    return all(rest % r in powers for r, powers in _FINGERPRINT.items())


def has_close_factors(modulus: int) -> bool:
    """Fermat's method, for a while: a² - n = b² gives the factors a + b and a - b.

    Nearly every a² - n shows by a small rest that it is no square: only the rests are counted on.
    """
    a = isqrt(modulus - 1) + 1
    rest, twice = (a * a - modulus) % (64 * 45045), 2 * a % (64 * 45045)
    for further in range(FERMAT_ROUNDS):
        small = rest + further * (twice + further)
        may_be = small & 63 in _SQUARES_64 and small % 45045 in _SQUARES_45045
        if may_be and _is_square((a + further) ** 2 - modulus):
            return True
    return False


def is_private_exponent(d: int, modulus: int) -> bool:
    """Whether `d` undoes 65537 for `modulus`, without an exponentiation (which takes 0.1 s).

    65537·d - 1 is a small multiple of phi, or of phi / gcd(p - 1, q - 1); phi is so close below
    the modulus that a division tells the multiple. From phi follow p + q, and p and q.
    """
    for common in (1, *range(2, 257, 2)):
        product = (65537 * d - 1) * common
        phi, rest = divmod(product, -(-product // modulus))
        if rest == 0:
            factors_sum = modulus + 1 - phi
            square = factors_sum * factors_sum - 4 * modulus
            if square >= 0 and _is_square(square):
                return True
    return False


def _is_square(number: int) -> bool:
    return isqrt(number) ** 2 == number
