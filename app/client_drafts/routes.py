from typing import Any

from litestar import Request, Response, post

from app.access.authentication import calling_system
from app.access.idempotency import REPLAYED, sent_key
from app.access.onboarding_tokens import onboarding_token
from app.client_drafts.creation import DraftMaker, create_client_draft
from app.client_drafts.keeping import CreatedDraft
from app.client_drafts.pairing import pairing_code
from app.client_drafts.redirects import page_address
from app.client_drafts.wire import ClientDraftCreated
from app.settings import Settings
from app.web.bodies import check_content_type


@post(
    "/client-drafts",
    operation_id="createClientDraft",
    summary="Ask for a client",
    tags=["ClientDrafts"],
)
async def post_client_draft(request: Request[Any, Any, Any]) -> Response[ClientDraftCreated]:
    """Ask for a client; it can be used once a person has confirmed it in a browser.

    The answer's `clientId` is final. Open `confirmUrl` in the person's browser: it returns to
    `postClientConfirmationRedirectUri` with `status=Success` when the person has confirmed. What
    is missing from then on, and who must act, is told at `onboardingUrl`.
    """
    caller = await calling_system(request)
    check_content_type(request.headers.get("content-type"))
    maker: DraftMaker = request.app.state.draft_maker
    created = await create_client_draft(
        maker,
        caller,
        await request.body(),
        idempotency_key=sent_key(request.headers.getall("idempotency-key", [])),
        now=request.app.state.clock(),
    )
    answer = _answer(created.draft, request.app.state.settings)
    return Response(
        answer,
        headers={
            "Location": answer.onboarding_url,
            "Cache-Control": "no-store",
            **created.hints,
            **(REPLAYED if created.replayed else {}),
        },
    )


def _answer(draft: CreatedDraft, settings: Settings) -> ClientDraftCreated:
    """The same each time for the same draft."""
    return ClientDraftCreated(
        client_id=draft.replaces_keys_of or draft.client_id,
        draft_id=draft.client_id,
        confirm_url=settings.base_url + page_address(draft.client_id),
        share_url=settings.base_url + page_address(draft.client_id, shared=True),
        expires_at=draft.expires_at,
        onboarding_url=f"{settings.base_url}/v1/onboardings/{draft.client_id}",
        onboarding_token=onboarding_token(draft.client_id, secret_key=settings.secret_key),
        pairing_code=pairing_code(
            draft.client_id, draft.thumbprint, secret_key=settings.secret_key
        ),
        activation_url=(
            f"{settings.base_url}/v1/client-drafts/{draft.client_id}/activation"
            if draft.activation
            else None
        ),
        external_ref=draft.external_ref,
        warnings=draft.warnings,
    )
