"""The persons at the issuer's login page. All are synthetic: 80 is added to the month of birth."""

from hashlib import sha256

from msgspec import Struct


class Person(Struct, frozen=True):
    slug: str
    """What the login page's button sends."""
    name: str
    pid: str
    """National identity number."""
    about: str
    hpr_number: str | None = None

    @property
    def subject(self) -> str:
        """Tells nothing of the person to who does not know the number already."""
        return sha256(f"sandbox:{self.pid}".encode()).hexdigest()[:40]


KARI = Person(
    "kari",
    "Kari Nordmann",
    "12838540056",
    "kan sette opp klienter for alle virksomheter",
    hpr_number="431001110",
)
OLA = Person("ola", "Ola Uten Rett", "03817940160", "arbeider der, men har ingen rett")
SYNNE = Person("synne", "Synne Leder", "21907640059", "har tilgangsstyring: kan gi andre retter")

PEOPLE = {person.slug: person for person in (KARI, OLA, SYNNE)}


def person_named(text: str) -> Person | None:
    """By the whole name, or by the short one of the buttons."""
    return next((one for one in PEOPLE.values() if text in (one.name, one.slug)), None)
