"""Why something cannot be used yet, in words for people: what is so, and who has to act."""

from app.apis.catalogue import Api, Texts
from app.approvals.rules import ReasonCode

# `{what}` is the scope or the claim, `{api}` the API's name, `{owner}` who decides on it.
REASONS = {
    ReasonCode.API_ACCESS_PENDING: Texts(
        nb="Klienten venter på tilgang til {api}. {owner} avgjør; du trenger ikke gjøre noe.",
        nn="Klienten ventar på tilgang til {api}. {owner} avgjer; du treng ikkje gjere noko.",
        en="The client waits for access to {api}. {owner} decides; there is nothing you need do.",
    ),
    ReasonCode.API_ACCESS_REJECTED: Texts(
        nb="{owner} har avslått tilgang til {api}. Ta kontakt med {owner} hvis det er feil.",
        nn="{owner} har avslått tilgang til {api}. Ta kontakt med {owner} om det er feil.",
        en="{owner} has refused access to {api}. Contact {owner} if this is a mistake.",
    ),
    ReasonCode.API_ACCESS_REVOKED: Texts(
        nb="{owner} har trukket tilbake tilgangen til {api}. Ta kontakt med {owner}.",
        nn="{owner} har trekt tilbake tilgangen til {api}. Ta kontakt med {owner}.",
        en="{owner} has withdrawn access to {api}. Contact {owner}.",
    ),
    ReasonCode.API_SCOPE_ACCESS_PENDING: Texts(
        nb="{what} i {api} venter på godkjenning. {owner} avgjør; du trenger ikke gjøre noe.",
        nn="{what} i {api} ventar på godkjenning. {owner} avgjer; du treng ikkje gjere noko.",
        en="{what} in {api} waits for approval. {owner} decides; there is nothing you need do.",
    ),
    ReasonCode.API_SCOPE_ACCESS_REJECTED: Texts(
        nb="{owner} har avslått {what} i {api}. Ta kontakt med {owner} hvis det er feil.",
        nn="{owner} har avslått {what} i {api}. Ta kontakt med {owner} om det er feil.",
        en="{owner} has refused {what} in {api}. Contact {owner} if this is a mistake.",
    ),
    ReasonCode.API_SCOPE_ACCESS_REVOKED: Texts(
        nb="{owner} har trukket tilbake {what} i {api}. Ta kontakt med {owner}.",
        nn="{owner} har trekt tilbake {what} i {api}. Ta kontakt med {owner}.",
        en="{owner} has withdrawn {what} in {api}. Contact {owner}.",
    ),
    ReasonCode.CLAIM_VALUE_PENDING: Texts(
        nb="Verdien for {what} venter på godkjenning. {owner} avgjør; du trenger ikke gjøre noe.",
        nn="Verdien for {what} ventar på godkjenning. {owner} avgjer; du treng ikkje gjere noko.",
        en="The value of {what} waits for approval. {owner} decides; there is nothing you need do.",
    ),
    ReasonCode.CLAIM_VALUE_REFUSED: Texts(
        nb="{owner} har avslått verdien for {what}. Send en annen verdi, eller ta kontakt.",
        nn="{owner} har avslått verdien for {what}. Send ein annan verdi, eller ta kontakt.",
        en="{owner} has refused the value of {what}. Send another value, or contact {owner}.",
    ),
}

OWNERS_WORDS = Texts(
    nb=" {owner} skriver: «{words}»", nn=" {owner} skriv: «{words}»", en=' {owner} says: "{words}"'
)


def reason(code: ReasonCode, *, what: str, api: Api, words: str | None) -> Texts:
    """The reason in each language. `words` are the owner's own, in his own language."""
    template = REASONS[code]

    def text(language: str) -> str:
        pattern: str = getattr(template, language)
        added: str = getattr(OWNERS_WORDS, language) if words else ""
        return (pattern + added).format(what=what, api=api.name, owner=api.owner, words=words)

    return Texts(nb=text("nb"), nn=text("nn"), en=text("en"))
