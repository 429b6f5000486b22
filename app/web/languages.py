"""The languages that people are addressed in, and how each writes numbers and moments."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

NORWAY = ZoneInfo("Europe/Oslo")


class Language(StrEnum):
    NB = "nb"
    NN = "nn"
    EN = "en"


OWN_NAMES: Mapping[Language, str] = {
    Language.NB: "Bokmål",
    Language.NN: "Nynorsk",
    Language.EN: "English",
}

# What a browser calls them; `no` does not say which of the two.
_TAGS = {"nb": Language.NB, "no": Language.NB, "nn": Language.NN, "en": Language.EN}

_MONTHS = {
    Language.NB: "januar februar mars april mai juni juli august september oktober november "
    "desember",
    Language.NN: "januar februar mars april mai juni juli august september oktober november "
    "desember",
    Language.EN: "January February March April May June July August September October November "
    "December",
}


def chosen_language(asked: str | None, accept_language: str | None) -> Language:
    """The one that is asked for by name, else what the browser likes best, else bokmål."""
    if asked in _TAGS:
        return _TAGS[asked]
    for tag in _by_liking(accept_language or ""):
        language = _TAGS.get(tag.split("-")[0].lower())
        if language:
            return language
    return Language.NB


def _by_liking(accept_language: str) -> list[str]:
    """The tags of an `Accept-Language`, best first; what cannot be read counts for nothing."""
    liked: list[tuple[float, str]] = []
    for entry in accept_language[:500].split(","):
        tag, _, parameter = entry.strip().partition(";")
        weight = _weight(parameter.strip())
        if tag and weight > 0:
            liked.append((weight, tag.strip()))
    return [tag for _, tag in sorted(liked, key=lambda entry: -entry[0])]


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    digits = value.replace(".", "", 1)
    return float(value) if name == "q" and digits.isascii() and digits.isdecimal() else 0.0


def written_number(organization_number: str) -> str:
    """`310 000 019`, with spaces at which no line breaks."""
    groups = (organization_number[at : at + 3] for at in range(0, len(organization_number), 3))
    return "\N{NO-BREAK SPACE}".join(groups)


def written_day(day: date, language: Language) -> str:
    """`22. november 2026`."""
    month = _MONTHS[language].split()[day.month - 1]
    return f"{day.day}{'' if language is Language.EN else '.'} {month} {day.year}"


def written_moment(moment: datetime, language: Language) -> str:
    """`22. november 2026 kl. 13.05`, in Norwegian time."""
    local = moment.astimezone(NORWAY)
    time = f"at {local:%H:%M}" if language is Language.EN else f"kl. {local:%H.%M}"
    return f"{written_day(local, language)} {time}"
