"""Controls of one client, which the service carries out: decisions, approvals, keys."""

from datetime import datetime
from typing import Annotated, Literal

from litestar import Response, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from app.sandbox.controls.document import answered
from app.sandbox.controls.forwarding import ControlRequest, forwarded
from app.sandbox.controls.service_controls import ServiceControls

CLIENT_ID = Meta(examples=["5f0c9d3a-0f5e-4d7b-9a55-0f6f5e3f2b11"])


class Pressed(Struct, frozen=True):
    decision: Literal["approve", "reject"]
    person: Annotated[
        str, Meta(description="A test person's whole name.", examples=["Synne Leder"])
    ] = "Kari Nordmann"


class Decided(Struct, frozen=True, rename="camel"):
    client_id: Annotated[str, CLIENT_ID]
    status: Annotated[str, Meta(description="As in the address.", examples=["Success"])]
    redirect_uri: Annotated[
        str | None,
        Meta(
            description="Where the person's browser would go now.",
            examples=["http://localhost:1337/callback?status=Success"],
        ),
    ]


class OwnersDecision(Struct, frozen=True, rename="camel"):
    client_id: Annotated[str, CLIENT_ID]
    decision: Literal["approve", "refuse"]
    scope: Annotated[str | None, Meta(examples=["nhn:msh/api"])] = None
    claim_type: Annotated[str | None, Meta(examples=["herid"])] = None
    reason: Annotated[
        str | None, Meta(description="The owner's own words, which the client is shown.")
    ] = None


class End(Struct, frozen=True, rename="camel"):
    expires_in_seconds: Annotated[
        float, Meta(description="From now on, by the domain's clock.", examples=[120])
    ]


class HeldKey(Struct, frozen=True, rename="camel"):
    kid: str
    jwk_thumbprint: str
    state: Annotated[str, Meta(examples=["active"])]
    expires_at: datetime | None


class OperatorsWord(Struct, frozen=True):
    action: Annotated[
        Literal["block", "unblock", "close"],
        Meta(description="`close` is for ever: the token issuer forgets the client."),
    ]
    reason: Annotated[str | None, Meta(description="For the audit trail.")] = None


class Changed(Struct, frozen=True, rename="camel"):
    client_id: Annotated[str, CLIENT_ID]
    status: Annotated[str, Meta(examples=["blocked"])]


class Snapshot(Struct, frozen=True, rename="camel"):
    taken_at: datetime
    keys: Annotated[list[HeldKey], Meta(description="The live ones, which the image holds.")]


class Restored(Snapshot, frozen=True, rename="camel"):
    keys: Annotated[list[HeldKey], Meta(description="What the installation has again.")]
    lost_keys: Annotated[
        list[HeldKey],
        Meta(description="Registered since: nobody has their private part any more."),
    ]
    can_log_in: Annotated[
        bool,
        Meta(description="Not when all it has again has ended: then `replacesKeysOf` is the way."),
    ]


@post(
    "/clients/{client_id:str}/decision",
    status_code=200,
    summary="Decide on a draft as a person at the page would",
    responses={200: answered(Decided, description="It is decided")},
)
async def decide(
    client_id: FromPath[str],
    data: JSONBody[Pressed],
    request: ControlRequest,
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    return await forwarded(request, service_controls, f"/clients/{client_id}/decision")


@post(
    "/approvals",
    status_code=200,
    summary="Decide on access as the API's owner would",
    description="On what is named; where neither scope nor claim is, on all that waits.",
    responses={204: answered(None, description="It is decided")},
)
async def approve(
    data: JSONBody[OwnersDecision],
    request: ControlRequest,
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    return await forwarded(request, service_controls, "/approvals")


@put(
    "/clients/{client_id:str}/keys/{kid:str}",
    status_code=200,
    summary="Let a live key end soon, or later",
    description=(
        "So that an installer's renewal can be tried against its own clock. The key is named by"
        " its `kid` or its `jwkThumbprint`. Answers when the token issuer knows."
    ),
    responses={200: answered(HeldKey, description="The key, with its new end")},
)
async def end_key_at(
    client_id: FromPath[str],
    kid: FromPath[str],
    data: JSONBody[End],
    request: ControlRequest,
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    return await forwarded(request, service_controls, f"/clients/{client_id}/keys/{kid}")


@post(
    "/clients/{client_id:str}/keys/{kid:str}/leak",
    status_code=200,
    summary="Let a live key be known to have leaked",
    description=(
        "As when an installer sends the private part by mistake: the key works as before, the"
        " onboarding and the list of keys say what it is, and the mailbox has the letters. The"
        " private part itself is not needed."
    ),
    responses={200: answered(HeldKey, description="The key, which works as before")},
)
async def leak_key(
    client_id: FromPath[str],
    kid: FromPath[str],
    request: ControlRequest,
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    return await forwarded(request, service_controls, f"/clients/{client_id}/keys/{kid}/leak")


@post(
    "/clients/{client_id:str}/keys/{kid:str}/revoke",
    status_code=200,
    summary="End a live key at once, by the operator's word",
    description="Also the last one. Answers when the token issuer knows.",
    responses={200: answered(HeldKey, description="The key, which has ended")},
)
async def revoke_key(
    client_id: FromPath[str],
    kid: FromPath[str],
    request: ControlRequest,
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    return await forwarded(request, service_controls, f"/clients/{client_id}/keys/{kid}/revoke")


@post(
    "/clients/{client_id:str}/operator",
    status_code=200,
    summary="Block, unblock or close a client, as whoever runs the service does",
    description="As `onboarding client …` does. Answers when the token issuer knows.",
    responses={200: answered(Changed, description="The service goes by it")},
)
async def change_client(
    client_id: FromPath[str],
    data: JSONBody[OperatorsWord],
    request: ControlRequest,
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    return await forwarded(request, service_controls, f"/clients/{client_id}/operator")


@post(
    "/clients/{client_id:str}/snapshot",
    status_code=200,
    summary="Take an image of an installation",
    description=(
        "Notes which keys the client has now; a later snapshot takes the place of this one. Copy"
        " your installer's own state at the same moment."
    ),
    responses={200: answered(Snapshot, description="What the image holds")},
)
async def take_snapshot(
    client_id: FromPath[str],
    request: ControlRequest,
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    return await forwarded(request, service_controls, f"/clients/{client_id}/snapshot")


@post(
    "/clients/{client_id:str}/restore",
    status_code=200,
    summary="Restore the installation from its image",
    description=(
        "Put your installer's own copy back besides. Neither the service nor the token issuer"
        " loses anything by that: the installation does. Keys that were registered after the"
        " image was taken are revoked here, as nobody can use them any more; a key that has"
        " ended since stays ended. Answers when the token issuer knows."
    ),
    responses={200: answered(Restored, description="What the installation has again")},
)
async def restore(
    client_id: FromPath[str],
    request: ControlRequest,
    service_controls: NamedDependency[ServiceControls],
) -> Response[bytes]:
    return await forwarded(request, service_controls, f"/clients/{client_id}/restore")


CLIENT_CONTROLS = (
    decide,
    approve,
    end_key_at,
    leak_key,
    revoke_key,
    take_snapshot,
    restore,
    change_client,
)
