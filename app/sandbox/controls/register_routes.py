"""Controls of Enhetsregisteret: what becomes of an organization."""

from typing import Literal, get_args

from litestar import post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app.sandbox.clock import Clock
from app.sandbox.enhetsregisteret.organizations import Standing
from app.sandbox.enhetsregisteret.register import Register

Status = Literal[
    "live", "bankrupt", "beingWoundUp", "deleted", "merged", "removed", "removedSilently"
]
STANDINGS = get_args(Status)


class Became(Struct, frozen=True, forbid_unknown_fields=True):
    status: Status


class Marked(Struct, frozen=True, rename="camel"):
    number: str
    status: str
    update_id: int
    """The row of the update feed that tells of it."""


@post(
    "/organizations/{number:str}",
    status_code=200,
    summary="Let an organization be deleted, merged or bankrupt; the update feed tells of it",
)
async def mark_organization(
    number: FromPath[str],
    data: JSONBody[Became],
    register: NamedDependency[Register],
    clock: NamedDependency[Clock],
) -> Marked:
    organization = register.find(number)
    if organization is None:
        raise NotFoundException("The register has no such organization.")
    update = register.mark(organization, Standing(data.status), clock.now())
    return Marked(number, data.status, update.identifier)
