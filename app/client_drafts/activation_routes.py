from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, post
from litestar.params import PathParameter

from app.access.authentication import origin_of
from app.access.key_proofs import KeyProofRefused, verified_key_proof
from app.access.limits import MINUTE, Limit, Refused, exceeded
from app.access.public_jwk import acceptable_jwk
from app.audit.trail import Actor
from app.client_drafts.activation import POINTER, Activated, activate_client_draft
from app.client_drafts.models import ClientDraft
from app.client_drafts.queries import draft_of
from app.client_drafts.rules import ActivationCodeRejected, ActivationStatus, DraftNotFound
from app.client_drafts.wire import ClientActivated, ClientActivation
from app.settings import Settings
from app.web.bodies import check_content_type, read_body
from app.web.conditional import check_if_match, sent_if_match
from app.web.frame import network_of


@post(
    "/client-drafts/{client_id:uuid}/activation",
    operation_id="activateClient",
    summary="Activate a confirmed client",
    tags=["ClientDrafts"],
    status_code=HTTPStatus.OK,
)
async def post_activation(
    request: Request[Any, Any, Any],
    client_id: Annotated[UUID, PathParameter(description="As it stands in `activationUrl`.")],
) -> ClientActivated:
    """Begin the client, now that the person who confirmed it has come back to the program.

    For drafts whose answer has an `activationUrl`. The redirect after the confirmation brings a
    `code` beside `status`, and there is no client before that code comes back here within 10
    minutes, in a JWT that the client's key has signed. A request that is sent again gets the
    same answer. When the time is over, the person can open `confirmUrl` and confirm again, as
    long as the draft lives.
    """
    check_content_type(request.headers.get("content-type"))
    sent = read_body(await request.body(), ClientActivation)
    limit, real_now = _failures(request, client_id), datetime.now(UTC)
    refused: Refused = request.app.state.failing
    refused.check(limit, real_now)
    draft = await _draft(request, client_id)
    try:
        activated = await _activated(request, draft, sent.activation, real_now)
    except (KeyProofRefused, ActivationCodeRejected):
        async with request.app.state.database.reads.acquire() as connection:
            if await exceeded(connection, [limit], real_now):
                refused.add(limit, real_now)
        raise
    if activated.published_version is not None:
        await request.app.state.published(activated.client_id, activated.published_version)
    return ClientActivated(activated.client_id, ActivationStatus(activated.status))


async def _draft(request: Request[Any, Any, Any], client_id: UUID) -> ClientDraft:
    async with request.app.state.database.sessions() as db:
        draft = await draft_of(db, client_id)
    if draft is None:
        raise DraftNotFound
    return draft


async def _activated(
    request: Request[Any, Any, Any], draft: ClientDraft, proof: str, real_now: datetime
) -> Activated:
    state = request.app.state
    settings: Settings = state.settings
    path = request.scope["raw_path"].decode("latin-1")
    claims = verified_key_proof(
        proof,
        acceptable_jwk(draft.public_key.parameters, pointer="#"),
        client_id=draft.final_client_id,
        urls=[base + path for base in settings.public_base_urls],
        pointer=POINTER,
        now=real_now,
    )
    origin = origin_of(request)
    actor = Actor(f"client:{draft.final_client_id}", origin.address, origin.request_id)
    request.scope["state"]["caller"] = actor.name
    async with state.database.sessions() as db:
        return await activate_client_draft(
            db,
            draft.client_id,
            claims.get("code"),
            actor,
            catalogue=await state.catalogues.in_force(),
            settings=settings,
            has_seen=partial(check_if_match, sent_if_match(request)),
            now=state.clock(),
        )


def _failures(request: Request[Any, Any, Any], client_id: UUID) -> Limit:
    """By the caller's network and the draft: nobody can shut out another."""
    settings: Settings = request.app.state.settings
    network = network_of(request.scope["state"]["address"])
    return Limit(
        f"activation {network} {client_id}",
        MINUTE,
        settings.failed_logins_per_minute,
        "failed attempts a minute to activate the same client",
    )
