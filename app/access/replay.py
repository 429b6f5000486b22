"""Proofs may be used once, whichever process and host they come to."""

from datetime import datetime

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from app.access.dpop import Proof, ProofRejected
from app.access.models import UsedProof
from app.database import Connection, HotStatement

# A look-up could be raced: the primary key decides.
_SPEND = HotStatement(
    insert(UsedProof)
    .values(
        key_thumbprint=bindparam("key_thumbprint"),
        jti=bindparam("jti"),
        usable_until=bindparam("usable_until"),
    )
    .on_conflict_do_nothing()
    .returning(UsedProof.jti)
)


async def spend(connection: Connection, proof: Proof) -> None:
    """Use `proof`, or refuse one that has been used. It stays used if the request fails."""
    if not await first_use(connection, proof.key_thumbprint, proof.jti, proof.usable_until):
        raise ProofRejected("This proof has been used before: make a new one for each request.")


async def first_use(
    connection: Connection, key_thumbprint: str, jti: str, usable_until: datetime
) -> bool:
    """Whether this is the first JWT with the `jti` that the key has signed."""
    spent = await _SPEND.row(
        connection, key_thumbprint=key_thumbprint, jti=jti, usable_until=usable_until
    )
    return spent is not None
