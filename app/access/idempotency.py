"""Sending a request again without doing it again (`Idempotency-Key`, an Internet-Draft).

What the first answer is made of is kept in the transaction of what the request does, so a crash
leaves both or neither. Of two at the same moment one gets a lock, which the other tries and does
not wait for. No secret is kept: links, codes and tokens are derived from the makings again.
"""

import hashlib
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Self, TypeAlias, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import KeptAnswer
from app.database import Connection, HotStatement
from app.problems import Problem

M = TypeVar("M", bound=Struct)
InTransaction: TypeAlias = "Connection | AsyncSession"

REPLAYED = {"Idempotency-Replayed": "true"}
LONGEST = 255

# A string of structured fields (RFC 9651), as the draft has it.
_QUOTED = re.compile(r'"((?:[!#-\[\]-~]|\\["\\])*)"')
_VISIBLE = re.compile(r"[!-~]+")

_EARLIER = HotStatement(
    select(KeptAnswer.fingerprint, KeptAnswer.makings).where(KeptAnswer.name == bindparam("named"))
)
_TRY_LOCK = HotStatement(select(func.pg_try_advisory_xact_lock(bindparam("lock")).label("locked")))
_KEEP = HotStatement(
    insert(KeptAnswer)
    .values(
        name=bindparam("named"),
        fingerprint=bindparam("fingerprint"),
        makings=bindparam("makings"),
        kept_at=func.clock_timestamp(),
    )
    .returning(KeptAnswer.kept_at)
)


class IdempotencyKeyRefused(Problem):
    slug = "idempotency-key-refused"
    title = "The Idempotency-Key cannot be used"
    status = HTTPStatus.BAD_REQUEST

    def __init__(self) -> None:
        super().__init__(
            f"Send one `Idempotency-Key` of 1 to {LONGEST} visible ASCII characters, such as a "
            f"UUID, in double quotes or without."
        )


class IdempotencyKeyReused(Problem):
    slug = "idempotency-key-reused"
    title = "The Idempotency-Key belongs to another request"
    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self) -> None:
        super().__init__(
            "This `Idempotency-Key` has been used with another body. Nothing was done. Send what "
            "is a new request with a new key, and what is a retry with the body it had."
        )


class StillRunning(Problem):
    slug = "idempotency-key-in-use"
    title = "The request with this Idempotency-Key is still running"
    status = HTTPStatus.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "Another request with this `Idempotency-Key` is being answered. Send this one again "
            "in a second: it then gets that answer.",
            headers={"Retry-After": "1"},
        )


def sent_key(lines: Sequence[str]) -> str | None:
    """The key in the header's lines; the same one with quotes and without."""
    if not lines:
        return None
    text = lines[0].strip()
    if quoted := _QUOTED.fullmatch(text):
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    elif text.startswith('"'):
        raise IdempotencyKeyRefused
    if len(lines) > 1 or not _VISIBLE.fullmatch(text) or len(text) > LONGEST:
        raise IdempotencyKeyRefused
    return text


class Once(Struct, frozen=True):
    """A request that is to be carried out once, however often it is sent."""

    name: bytes
    """A digest: of whose and which request it is, and of the key, which is not kept itself."""
    fingerprint: bytes
    """Of the body."""

    @classmethod
    def of(cls, key: str | None, *scope: str, body: bytes = b"") -> Self | None:
        """`scope` is the credential and the route: a key of one says nothing to another."""
        if key is None:
            return None
        name = hashlib.sha256("\0".join((*scope, key)).encode()).digest()
        return cls(name, hashlib.sha256(body).digest())

    async def earlier(self, db: InTransaction, makings: type[M]) -> M | None:
        """What the first answer was made of, if there has been one."""
        row = await _row(db, _EARLIER, named=self.name)
        if row is None:
            return None
        if row[0] != self.fingerprint:
            raise IdempotencyKeyReused
        return msgspec.json.decode(row[1], type=makings)

    async def begin(self, db: InTransaction, makings: type[M]) -> M | None:
        """The same, with this request locked out for others until the transaction ends."""
        lock = int.from_bytes(self.name[:8], signed=True, byteorder="big")
        [is_locked] = await _row(db, _TRY_LOCK, lock=lock)
        if not is_locked:
            raise StillRunning
        return await self.earlier(db, makings)

    async def keep(self, db: InTransaction, makings: Struct) -> None:
        """To be committed with what the request has done."""
        text = msgspec.json.encode(makings).decode()
        await _row(db, _KEEP, named=self.name, fingerprint=self.fingerprint, makings=text)


async def _row(db: InTransaction, statement: HotStatement, **values: Any) -> Any:
    if isinstance(db, AsyncSession):
        return (await db.execute(statement.core, values)).one_or_none()
    return await statement.row(db, **values)
