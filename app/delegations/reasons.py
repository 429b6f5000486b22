"""Why a right is not there, in words for people: which one, who gives it, who gets it, what to do.

What is not known is said to be not known, never to be missing.
"""

from collections.abc import Mapping

from app.apis.catalogue import Texts
from app.approvals.rules import ReasonCode

# `{right}` is the right's title, `{giver}` and `{receiver}` are organizations.
REASONS: Mapping[ReasonCode, Texts] = {
    ReasonCode.DELEGATION_UNKNOWN: Texts(
        nb="Vi vet ennå ikke om {giver} har gitt {receiver} rettigheten «{right}» i Altinn. "
        "Vi spør igjen; du trenger ikke gjøre noe.",
        nn="Vi veit enno ikkje om {giver} har gitt {receiver} retten «{right}» i Altinn. "
        "Vi spør igjen; du treng ikkje gjere noko.",
        en='It is not known yet whether {giver} has given {receiver} the right "{right}" in '
        "Altinn. We ask again; there is nothing you need do.",
    ),
    ReasonCode.DELEGATION_MISSING: Texts(
        nb="{giver} har ikke gitt {receiver} rettigheten «{right}» i Altinn. "
        "En som har tilgangsstyring for {giver}, må gi den.",
        nn="{giver} har ikkje gitt {receiver} retten «{right}» i Altinn. "
        "Ein som har tilgangsstyring for {giver}, må gi han.",
        en='{giver} has not given {receiver} the right "{right}" in Altinn. '
        "Someone with access management for {giver} has to give it.",
    ),
    ReasonCode.DELEGATION_NOT_SEEN: Texts(
        nb="{giver} har godkjent at {receiver} får rettigheten «{right}», men Altinn viser den "
        "ikke. En som har tilgangsstyring for {giver}, bør se etter i Altinn.",
        nn="{giver} har godkjent at {receiver} får retten «{right}», men Altinn viser han ikkje. "
        "Ein som har tilgangsstyring for {giver}, bør sjå etter i Altinn.",
        en='{giver} has approved that {receiver} gets the right "{right}", but Altinn does not '
        "show it. Someone with access management for {giver} should look it up in Altinn.",
    ),
    ReasonCode.DELEGATION_REQUEST_UNCONFIRMED: Texts(
        nb="Det er laget en forespørsel i Altinn om at {giver} gir {receiver} rettigheten "
        "«{right}». {receiver} må bekrefte forespørselen i Altinn.",
        nn="Det er laga ein førespurnad i Altinn om at {giver} gir {receiver} retten «{right}». "
        "{receiver} må stadfeste førespurnaden i Altinn.",
        en='A request that {giver} give {receiver} the right "{right}" has been made in Altinn. '
        "{receiver} has to confirm the request in Altinn.",
    ),
    ReasonCode.DELEGATION_REQUESTED: Texts(
        nb="{giver} er i Altinn bedt om å gi {receiver} rettigheten «{right}». "
        "En som har tilgangsstyring for {giver}, må svare.",
        nn="{giver} er i Altinn beden om å gi {receiver} retten «{right}». "
        "Ein som har tilgangsstyring for {giver}, må svare.",
        en='{giver} has been asked in Altinn to give {receiver} the right "{right}". '
        "Someone with access management for {giver} has to answer.",
    ),
    ReasonCode.DELEGATION_REJECTED: Texts(
        nb="{giver} har i Altinn avslått å gi {receiver} rettigheten «{right}». "
        "Ta kontakt med {giver}, og lag en ny forespørsel hvis det var feil.",
        nn="{giver} har i Altinn avslått å gi {receiver} retten «{right}». "
        "Ta kontakt med {giver}, og lag ein ny førespurnad om det var feil.",
        en='{giver} has declined in Altinn to give {receiver} the right "{right}". '
        "Contact {giver}, and make a new request if this was a mistake.",
    ),
    ReasonCode.DELEGATION_REQUEST_ENDED: Texts(
        nb="Forespørselen om at {giver} gir {receiver} rettigheten «{right}», er trukket eller "
        "utløpt. Lag en ny.",
        nn="Førespurnaden om at {giver} gir {receiver} retten «{right}», er trekt eller utgått. "
        "Lag ein ny.",
        en='The request that {giver} give {receiver} the right "{right}" was withdrawn or has '
        "expired. Make a new one.",
    ),
    ReasonCode.DELEGATION_PROPAGATING: Texts(
        nb="{giver} har godkjent at {receiver} får rettigheten «{right}». Altinn bruker inntil "
        "tolv minutter på å vise den; du trenger ikke gjøre noe.",
        nn="{giver} har godkjent at {receiver} får retten «{right}». Altinn bruker inntil tolv "
        "minutt på å vise han; du treng ikkje gjere noko.",
        en='{giver} has approved that {receiver} gets the right "{right}". It takes Altinn up to '
        "twelve minutes to show it; there is nothing you need do.",
    ),
    ReasonCode.DELEGATION_SUSPECT: Texts(
        nb="Altinn svarte sist at {giver} ikke har gitt {receiver} rettigheten «{right}», som "
        "var der før. Vi spør på nytt før noe endres; du trenger ikke gjøre noe.",
        nn="Altinn svarte sist at {giver} ikkje har gitt {receiver} retten «{right}», som var "
        "der før. Vi spør på nytt før noko blir endra; du treng ikkje gjere noko.",
        en='Altinn last answered that {giver} has not given {receiver} the right "{right}", which '
        "was there before. We ask anew before anything changes; there is nothing you need do.",
    ),
    ReasonCode.DELEGATION_REVOKED: Texts(
        nb="{giver} har trukket tilbake rettigheten «{right}» fra {receiver} i Altinn. "
        "En som har tilgangsstyring for {giver}, må gi den på nytt.",
        nn="{giver} har trekt tilbake retten «{right}» frå {receiver} i Altinn. "
        "Ein som har tilgangsstyring for {giver}, må gi han på nytt.",
        en='{giver} has withdrawn the right "{right}" from {receiver} in Altinn. '
        "Someone with access management for {giver} has to give it anew.",
    ),
    ReasonCode.DELEGATION_BLOCKED: Texts(
        nb="Altinn eller Enhetsregisteret kjenner ikke {giver} som en virksomhet som kan gi "
        "{receiver} rettigheten «{right}». Kontroller organisasjonsnummeret: det må være en "
        "hovedenhet som består.",
        nn="Altinn eller Einingsregisteret kjenner ikkje {giver} som ei verksemd som kan gi "
        "{receiver} retten «{right}». Kontroller organisasjonsnummeret: det må vere ei "
        "hovudeining som består.",
        en="Altinn or Enhetsregisteret does not know {giver} as an organization that can give "
        '{receiver} the right "{right}". Check the organization number: it must be a main unit '
        "that exists.",
    ),
    ReasonCode.DELEGATION_SOURCE_GONE: Texts(
        nb="{giver} er slettet, slått sammen med en annen eller konkurs etter Enhetsregisteret, og "
        "har ikke lenger gitt {receiver} rettigheten «{right}». Går driften videre i en annen "
        "virksomhet, må klienten settes opp på nytt for den.",
        nn="{giver} er sletta, slått saman med ei anna eller konkurs etter Einingsregisteret, og "
        "har ikkje lenger gitt {receiver} retten «{right}». Går drifta vidare i ei anna "
        "verksemd, må klienten setjast opp på nytt for ho.",
        en="Enhetsregisteret says that {giver} has been deleted, merged into another or declared "
        'bankrupt, and it no longer gives {receiver} the right "{right}". If the business goes on '
        "in another organization, the client must be set up anew for that one.",
    ),
}

STEPS = Texts(
    nb="1. En som har tilgangsstyring for {giver}, logger inn i Altinn og velger {giver}. "
    "2. Åpne tilgangsstyringen, velg å gi fullmakt til en virksomhet, og oppgi {receiver}. "
    "3. Søk opp «{right}» og gi den.",
    nn="1. Ein som har tilgangsstyring for {giver}, loggar inn i Altinn og vel {giver}. "
    "2. Opne tilgangsstyringa, vel å gi fullmakt til ei verksemd, og oppgi {receiver}. "
    "3. Søk opp «{right}» og gi han.",
    en="1. Someone with access management for {giver} logs in to Altinn and chooses {giver}. "
    "2. Open access management, choose to give a right to an organization, and enter {receiver}. "
    '3. Search for "{right}" and give it.',
)


def named(name: str | None, number: str) -> str:
    """Both: people know the name, Altinn wants the number."""
    return number if name is None or name == number else f"{name} ({number})"


def filled(texts: Texts, *, right: Texts, giver: str, receiver: str) -> Texts:
    def text(language: str) -> str:
        pattern: str = getattr(texts, language)
        title: str = getattr(right, language)
        return pattern.format(right=title, giver=giver, receiver=receiver)

    return Texts(nb=text("nb"), nn=text("nn"), en=text("en"))


def delegation_reason(code: ReasonCode, *, right: Texts, giver: str, receiver: str) -> Texts:
    return filled(REASONS[code], right=right, giver=giver, receiver=receiver)
