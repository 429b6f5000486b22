"""The pairing code: what a person compares, or types, to know which installation asks.

It is made again from what the draft is, so nothing of it is stored. Whoever made the draft knows
it: it binds the page to one installation and proves nothing about who sits at it.
"""

import hmac
from hashlib import sha256
from uuid import UUID

# No vowels, so that no words come out, and no two that look or sound alike in capitals.
ALPHABET = "BCDFGHJKMNPQRSTVWXZ34679"
GROUP = 4


def pairing_code(client_id: UUID, thumbprint: str, *, secret_key: str) -> str:
    """Two groups of four characters, for instance `KRTM-4W7H`."""
    said = b"pairing code\0" + client_id.bytes + thumbprint.encode()
    number = int.from_bytes(hmac.digest(secret_key.encode(), said, sha256))
    characters = ""
    for _ in range(2 * GROUP):
        number, rest = divmod(number, len(ALPHABET))
        characters += ALPHABET[rest]
    return f"{characters[:GROUP]}-{characters[GROUP:]}"


def is_same_code(typed: str, code: str) -> bool:
    """Whether a person has typed this code; case, spaces and hyphens do not matter."""
    return hmac.compare_digest(_plain(typed), _plain(code))


def _plain(code: str) -> bytes:
    return "".join(filter(str.isalnum, code)).upper().encode()
