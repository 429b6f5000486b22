from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import PathParameter

from app.access.authentication import (
    count_failed_token,
    onboarding_token_of,
    origin_of,
    reader_of_onboarding,
)
from app.access.callers import CallingClient
from app.client_drafts.pairing import pairing_code
from app.client_drafts.rules import MOST_LENGTHENINGS
from app.onboardings.use_cases import (
    OnboardingNotFound,
    Reader,
    ReadOnboarding,
    Surroundings,
    lengthen_draft,
    read_onboarding,
)
from app.onboardings.wire import ConfirmLink, Onboarding
from app.settings import Settings
from app.web.conditional import etag, is_known, sent_if_none_match

ClientId = Annotated[str, PathParameter(description="The `clientId` that the draft was given.")]


@get(
    "/onboardings/{client_id:str}",
    operation_id="getOnboarding",
    summary="Read what is missing, who must act, and where",
    tags=["Onboardings"],
)
async def get_onboarding(
    request: Request[Any, Any, Any], client_id: ClientId
) -> Response[Onboarding]:
    """Everything between the draft and a client that can be used, as steps in order.

    A wizard that knows `outcome` and `actionUrl` works for ever: show the steps, open the
    `actionUrl` of the current one, and ask again until `outcome` is no longer `pending`.
    """
    reader = await reader_of_onboarding(request)
    read = await _read(request, reader, _uuid(client_id))
    return _answer(request, read)


@post(
    "/onboardings/{client_id:str}/confirm-link",
    operation_id="lengthenConfirmLink",
    summary="Give the confirmation more time",
    tags=["Onboardings"],
    status_code=HTTPStatus.OK,
)
async def post_confirm_link(
    request: Request[Any, Any, Any], client_id: ClientId
) -> Response[ConfirmLink]:
    """Lengthen a draft that nobody has confirmed, also one that has run out, and get its links.

    From now on it lives as long as a new one would. Five times at most.
    """
    token = await onboarding_token_of(request)
    settings: Settings = request.app.state.settings
    async with _failures_counted(request, token):
        draft = await lengthen_draft(
            _known_here(request),
            token,
            _uuid(client_id),
            origin_of(request),
            request.app.state.clock(),
        )
    confirm_url = f"{settings.base_url}/confirm-client/{draft.client_id}"
    link = ConfirmLink(
        client_id=draft.client_id,
        confirm_url=confirm_url,
        share_url=f"{confirm_url}?shared=1",
        expires_at=draft.expires_at,
        pairing_code=pairing_code(
            draft.client_id, draft.public_key.thumbprint, secret_key=settings.secret_key
        ),
        times_left=MOST_LENGTHENINGS - draft.lengthened,
    )
    return Response(link, headers={"Cache-Control": "no-store"})


async def _read(request: Request[Any, Any, Any], reader: Reader, client_id: UUID) -> ReadOnboarding:
    async with _failures_counted(request, reader):
        return await read_onboarding(
            _known_here(request), reader, client_id, now=request.app.state.clock()
        )


@asynccontextmanager
async def _failures_counted(request: Request[Any, Any, Any], reader: Reader) -> AsyncIterator[None]:
    """A token that opens nothing counts as a failed login, and too many are refused."""
    try:
        yield
    except OnboardingNotFound:
        if not isinstance(reader, CallingClient):
            await count_failed_token(request, reader)
        raise


def _known_here(request: Request[Any, Any, Any]) -> Surroundings:
    state = request.app.state
    return Surroundings(state.database, state.catalogues, state.settings, state.usual_waits)


def _uuid(client_id: str) -> UUID:
    try:
        return UUID(client_id)
    except ValueError:
        raise OnboardingNotFound from None


def _answer(request: Request[Any, Any, Any], read: ReadOnboarding) -> Response[Any]:
    tag = _tag(read)
    onboarding = read.onboarding
    headers = {"ETag": tag, "Retry-After": str(onboarding.poll_after_seconds)}
    if is_known(sent_if_none_match(request), tag):
        return Response(None, status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(onboarding, headers=headers)


def _tag(read: ReadOnboarding) -> str:
    """The texts stand there in every language, so one version serves all. What time changes by
    itself shows in the state and in how many steps are open."""
    return etag(read.counter, read.onboarding.state, read.open_steps)
