"""What the register holds: a table of the organisations that are something special, and a rule
that makes every other valid number of the sandbox's series a live main unit.
"""

import re
from datetime import date
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct

SERIES = ("310000000", "310999999")
NINE_DIGITS = re.compile(r"[0-9]{9}", re.ASCII)
WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)


class Standing(StrEnum):
    LIVE = "live"
    BANKRUPT = "bankrupt"
    BEING_WOUND_UP = "beingWoundUp"
    DELETED = "deleted"
    MERGED = "merged"
    """Into another; the register's answer is as for one that is deleted."""
    REMOVED = "removed"
    """Taken out of the open data for legal reasons; the answer says so."""
    REMOVED_SILENTLY = "removedSilently"
    """The same, with an empty answer."""
    UNKNOWN = "unknown"


class Place(Struct, frozen=True):
    town: str
    post_code: str
    municipality_number: str


class Organization(Struct, frozen=True, kw_only=True):
    number: str
    name: str
    form: str = "AS"
    industry: str = "86.210"
    place: Place = Place("ÅLESUND", "6002", "1508")
    standing: Standing = Standing.LIVE
    parent: str | None = None
    registered: date = date(2011, 5, 2)
    ended: date | None = None
    employees: int = 9

    @property
    def is_sub_unit(self) -> bool:
        return self.form in ("BEDR", "AAFY")

    @property
    def is_deleted(self) -> bool:
        return self.standing in (Standing.DELETED, Standing.MERGED)

    @property
    def is_served(self) -> bool:
        gone = (Standing.REMOVED, Standing.REMOVED_SILENTLY, Standing.UNKNOWN)
        return self.standing not in gone


FORMS = {
    "AS": "Aksjeselskap",
    "BEDR": "Underenhet til næringsdrivende og offentlig forvaltning",
    "KOMM": "Kommune",
    "ORGL": "Organisasjonsledd",
    "SF": "Statsforetak",
}
INDUSTRIES = {
    "62.100": "Programmeringstjenester",
    "84.110": "Generell offentlig administrasjon",
    "86.100": "Sykehustjenester",
    "86.210": "Allmenn legetjeneste",
    "86.230": "Tannhelsetjenester",
    "86.950": "Fysioterapitjenester",
    "87.102": "Somatiske sykehjem",
    "88.101": "Hjemmehjelp",
}
FJORDBYEN = Place("ÅLESUND", "6002", "1508")
GRANFJELLDAL = Place("FÅBERG", "2625", "3405")
FLAKSVAGOY = Place("SVOLVÆR", "8300", "1865")
TRONDHEIM = Place("TRONDHEIM", "7011", "5001")

TABLE = [
    Organization(number="310000019", name="FJORDBYEN LEGESENTER AS", place=FJORDBYEN),
    Organization(
        number="310000124", name="FINNES IKKE", standing=Standing.UNKNOWN, place=FJORDBYEN
    ),
    Organization(
        number="310000132",
        name="NEDLAGTE LEGEKONTOR AS",
        standing=Standing.DELETED,
        ended=date(2025, 3, 14),
    ),
    Organization(
        number="310000175",
        name="FJORDBYEN LEGESENTER AVD SENTRUM",
        form="BEDR",
        parent="310000019",
        place=FJORDBYEN,
    ),
    Organization(number="310700029", name="FJORD SYSTEMER AS", industry="62.100", employees=48),
    Organization(
        number="310700037",
        name="VARDE TEKNOLOGI AS",
        industry="62.100",
        place=TRONDHEIM,
        employees=112,
    ),
    # Kept far from the low numbers, which tests and people type for ordinary organisations.
    Organization(
        number="310900028",
        name="FJERNEDE HELSETJENESTER AS",
        standing=Standing.REMOVED,
        ended=date(2025, 9, 1),
    ),
    Organization(
        number="310900036",
        name="STILLE FJERNET AS",
        standing=Standing.REMOVED_SILENTLY,
        ended=date(2025, 9, 1),
    ),
    Organization(
        number="310900044",
        name="KONKURS TANNKLINIKK AS",
        industry="86.230",
        standing=Standing.BANKRUPT,
    ),
    Organization(
        number="310900052",
        name="AVVIKLENDE FYSIOTERAPI AS",
        industry="86.950",
        standing=Standing.BEING_WOUND_UP,
    ),
    Organization(
        number="310900060",
        name="STORVIK KOMMUNE",
        form="KOMM",
        industry="84.110",
        place=FJORDBYEN,
        employees=1840,
    ),
    Organization(
        number="310900079",
        name="STORVIK KOMMUNE HELSE OG OMSORG",
        form="ORGL",
        industry="84.110",
        parent="310900060",
        place=FJORDBYEN,
        employees=0,
    ),
    Organization(
        number="310900087",
        name="STORVIK LEGEKONTOR",
        form="BEDR",
        parent="310900079",
        place=FJORDBYEN,
    ),
    # Numbers that stand in public examples for HelseID. Some break the register's own rule.
    Organization(
        number="999977774",
        name="GRANFJELLDAL KOMMUNE",
        form="KOMM",
        industry="84.110",
        place=GRANFJELLDAL,
        employees=412,
    ),
    Organization(
        number="999977776",
        name="GRANFJELLDAL BO- OG OMSORGSSENTER",
        form="BEDR",
        industry="87.102",
        parent="999977774",
        place=GRANFJELLDAL,
    ),
    Organization(
        number="999977775",
        name="GRANFJELLDAL LEGEKONTOR",
        form="BEDR",
        parent="999977774",
        place=GRANFJELLDAL,
    ),
    Organization(number="313745392", name="ACME EPJ AS", industry="62.100"),
    Organization(number="313325016", name="HANSENS LEGEKONTOR AS"),
    Organization(
        number="312232324",
        name="FLAKSVÅGØY KOMMUNE",
        form="KOMM",
        industry="84.110",
        place=FLAKSVAGOY,
        employees=655,
    ),
    Organization(
        number="312232326",
        name="FLAKSVÅGØY HELSESTASJON",
        form="BEDR",
        parent="312232324",
        place=FLAKSVAGOY,
    ),
    Organization(number="313231593", name="JFT TEST AS"),
    Organization(number="314159265", name="VKP TEST", industry="88.101"),
    Organization(number="912159523", name="EKSEMPEL EN AS"),
    Organization(number="922734046", name="EKSEMPEL TO AS"),
    Organization(
        number="994598759",
        name="NORSK HELSENETT SF",
        form="SF",
        industry="62.100",
        place=TRONDHEIM,
        employees=1100,
    ),
]
BY_NUMBER = {organization.number: organization for organization in TABLE}

FIRST_WORDS = (
    "ASKE", "BERGVIK", "DALHEIM", "EIDS", "FURU", "GRANLI", "HEIM", "INNVIK", "KRÅKØY", "LYNG",
    "MYRVOLL", "NORDBY", "OREHAUG", "RAVN", "SOLBERG", "TVEIT", "ULVØY", "VESTLI", "ØYEN", "ÅSHEIM",
)  # fmt: skip
KINDS = (
    ("LEGEKONTOR AS", "86.210"),
    ("LEGESENTER AS", "86.210"),
    ("TANNKLINIKK AS", "86.230"),
    ("FYSIOTERAPI AS", "86.950"),
    ("SPESIALISTSENTER AS", "86.100"),
    ("OMSORGSSENTER AS", "87.102"),
)
PLACES = (FJORDBYEN, TRONDHEIM, GRANFJELLDAL, FLAKSVAGOY, Place("BERGEN", "5003", "4601"))


def find_organization(number: str) -> Organization | None:
    """What the register has under the number, or None where it has never heard of it."""
    known = BY_NUMBER.get(number)
    if known is not None:
        return None if known.standing is Standing.UNKNOWN else known
    if SERIES[0] <= number <= SERIES[1] and has_valid_check_digit(number):
        return _invented(number)
    return None


def has_valid_check_digit(number: str) -> bool:
    if NINE_DIGITS.fullmatch(number) is None:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
    return (11 - total % 11) % 11 == int(number[8])


def _invented(number: str) -> Organization:
    """The same number is the same organisation at each start."""
    digest = sha256(number.encode()).digest()
    kind, industry = KINDS[digest[1] % len(KINDS)]
    return Organization(
        number=number,
        name=f"{FIRST_WORDS[digest[0] % len(FIRST_WORDS)]} {kind}",
        industry=industry,
        place=PLACES[digest[2] % len(PLACES)],
        registered=date(1995 + digest[3] % 28, 1 + digest[4] % 12, 1 + digest[5] % 28),
        employees=1 + digest[6] % 40,
    )
