"""Lists in pages: `limit`, and a cursor that says nothing to its reader."""

import base64
from collections.abc import Sequence
from typing import Annotated, TypeVar

from litestar.params import QueryParameter

from app.problems import FieldError, InvalidRequest

T = TypeVar("T")

MOST = 100
USUALLY = 50

Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="How many at most in one answer.")]
Cursor = Annotated[str, QueryParameter(description="The `nextCursor` of the answer before.")]


def cursor_after(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def name_before(cursor: str) -> str:
    """What the page before ended with; empty for the first page."""
    try:
        octets = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return octets.decode()
    except ValueError:
        detail = "`cursor` is not one of this list: send the `nextCursor` of the answer before."
        raise InvalidRequest([FieldError("#/cursor", "not_acceptable", detail)]) from None


def page(named: Sequence[tuple[str, T]], after: str, limit: int) -> tuple[list[T], str | None]:
    """The part after a name of a list in the order of names, and the cursor of the next part."""
    left = [entry for entry in named if entry[0] > after]
    shown = left[:limit]
    more = len(left) > limit
    return [item for _, item in shown], cursor_after(shown[-1][0]) if more else None
