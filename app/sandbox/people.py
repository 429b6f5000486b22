"""The persons at the issuer's login page. All are synthetic: 80 is added to the month of birth."""

from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256
from itertools import count
from typing import Annotated

from msgspec import Meta, Struct

FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


class Person(Struct, frozen=True):
    slug: str
    """What the login page's button sends."""
    name: str
    pid: str
    """National identity number."""
    about: str
    hpr_number: str | None = None
    manages: Collection[str] | None = ()
    """Organizations whose access management the person holds. None: all."""

    @property
    def subject(self) -> str:
        """Tells nothing of the person to who does not know the number already."""
        return sha256(f"sandbox:{self.pid}".encode()).hexdigest()[:40]

    def manages_access(self, number: str) -> bool:
        return self.manages is None or number in self.manages


class AddedPerson(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """As a seed file has it."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    may_set_up_clients_for: list[str] = []
    may_give_rights_for: list[str] = []


KARI = Person(
    "kari",
    "Kari Nordmann",
    "12838540056",
    "kan sette opp klienter for alle virksomheter",
    hpr_number="431001110",
)
OLA = Person("ola", "Ola Uten Rett", "03817940160", "arbeider der, men har ingen rett")
SYNNE = Person(
    "synne",
    "Synne Leder",
    "21907640059",
    "har tilgangsstyring: kan gi andre retter",
    manages=None,
)
FIXED = (KARI, OLA, SYNNE)


class People:
    def __init__(self, added: Iterable[AddedPerson] = ()) -> None:
        self._by_slug = {person.slug: person for person in FIXED}
        for number, one in enumerate(added, start=1):
            slug = f"person-{number}"
            self._by_slug[slug] = self._person(slug, one)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_slug.values())

    def at(self, slug: str) -> Person | None:
        return self._by_slug.get(slug)

    def named(self, text: str) -> Person | None:
        """By the whole name, or by the short one of the buttons."""
        return next((one for one in self if text in (one.name, one.slug)), None)

    def managers_of(self, number: str) -> list[Person]:
        return [one for one in self if one.manages_access(number)]

    def _person(self, slug: str, added: AddedPerson) -> Person:
        taken = {person.pid for person in self}
        numbers = _identity_numbers(added.name)
        pid = next(number for number in numbers if number not in taken)
        manages = tuple(added.may_give_rights_for)
        return Person(slug, added.name, pid, _about(added), manages=manages)


def _about(person: AddedPerson) -> str:
    rights = {
        "kan sette opp klienter for": person.may_set_up_clients_for,
        "har tilgangsstyring for": person.may_give_rights_for,
    }
    said = [f"{right} {', '.join(numbers)}" for right, numbers in rights.items() if numbers]
    return "; ".join(said) or "har ingen rett"


def _identity_numbers(name: str) -> Iterator[str]:
    """Valid ones of somebody born in the 20th century, the same for a name each time."""
    for attempt in count():
        chance = int.from_bytes(sha256(f"{name} {attempt}".encode()).digest())
        chance, day = divmod(chance, 28)
        chance, month = divmod(chance, 12)
        chance, year = divmod(chance, 100)
        number = f"{day + 1:02}{month + 81}{year:02}{chance % 500:03}"
        number += _check_digit(number, FIRST_WEIGHTS)
        number += _check_digit(number, SECOND_WEIGHTS)
        if len(number) == 11:
            yield number


def _check_digit(digits: str, weights: Iterable[int]) -> str:
    """Two digits where there is none that holds."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
    return str(-total % 11)
