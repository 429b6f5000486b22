"""What Enhetsregisteret says has changed, read page by page over HTTP."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from msgspec import Struct, field

from app.adapters.http import Answer, Neighbour, NoAnswer
from app.organizations.register import RegisterUnavailable, Updates
from app.organizations.rules import is_nine_digits

MEDIA_TYPE = "application/vnd.brreg.enhetsregisteret.oppdatering.enhet.v1+json"
WITHIN = 10.0
TRIES = 2
PAGE = 1000


class _Row(Struct):
    oppdateringsid: int
    organisasjonsnummer: str


class _Embedded(Struct):
    oppdaterteEnheter: list[_Row] = []  # noqa: N815  # the register's own word


class _Page(Struct):
    # Left out when nothing has changed.
    embedded: _Embedded = field(default_factory=_Embedded, name="_embedded")


class EnhetsregisteretFeed:
    """A cursor is the part of the query that says where to begin: a moment, then a row."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour

    def beginning(self, since: datetime) -> str:
        moment = since.astimezone(UTC).isoformat(timespec="milliseconds")
        return urlencode({"dato": moment.replace("+00:00", "Z")})

    async def updates(self, cursor: str) -> Updates:
        url = f"{self._neighbour.url}/oppdateringer/enheter?{cursor}&size={PAGE}"
        try:
            answer = await self._neighbour.ask("GET", url, headers={"Accept": MEDIA_TYPE})
            rows = _rows(answer)
        except NoAnswer as error:
            raise RegisterUnavailable(f"its updates: {error}") from error
        if not rows:
            return Updates([], cursor)
        numbers = {row.organisasjonsnummer for row in rows}
        # The row that a cursor names is among those that come.
        after = max(row.oppdateringsid for row in rows) + 1
        return Updates(sorted(filter(is_nine_digits, numbers)), f"oppdateringsid={after}")


def _rows(answer: Answer) -> list[_Row]:
    if answer.status != 200:
        raise NoAnswer(f"status {answer.status}, {answer.media_type or 'no media type'}")
    return answer.decoded(_Page).embedded.oppdaterteEnheter
