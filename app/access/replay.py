"""DPoP proofs may be used once, whichever process and host they come to."""

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
    spent = await _SPEND.row(
        connection,
        key_thumbprint=proof.key_thumbprint,
        jti=proof.jti,
        usable_until=proof.usable_until,
    )
    if spent is None:
        raise ProofRejected("This proof has been used before: make a new one for each request.")
