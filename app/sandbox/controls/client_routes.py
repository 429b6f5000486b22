"""Controls of one client, which the service carries out: decisions, approvals, keys."""

from litestar import Response, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.sandbox.controls.document import answered
from app.sandbox.controls.forwarding import ControlRequest, forwarded
from app.sandbox.controls.service_controls import ServiceControls
from app.sandbox.controls.wire import (
    Changed,
    Decided,
    End,
    HeldKey,
    OperatorsWord,
    OwnersDecision,
    Pressed,
    Restored,
    Snapshot,
)


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
