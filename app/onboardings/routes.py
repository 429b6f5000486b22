import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import PathParameter

from app.access.access_tokens import AccessTokenRejected
from app.access.authentication import (
    check_token_again,
    count_failed_token,
    onboarding_token_of,
    origin_of,
    reader_of_onboarding,
)
from app.access.callers import CallingClient
from app.client_drafts.pairing import pairing_code
from app.client_drafts.redirects import page_address
from app.client_drafts.rules import MOST_LENGTHENINGS
from app.onboardings.pace import Buckets
from app.onboardings.use_cases import (
    OnboardingNotFound,
    Reader,
    ReadOnboarding,
    Surroundings,
    lengthen_draft,
    read_onboarding,
)
from app.onboardings.waiting import LONGEST, HeldRequests
from app.onboardings.wire import ConfirmLink, Onboarding
from app.settings import Settings
from app.web.bodies import no_members
from app.web.conditional import (
    check_if_match,
    etag,
    is_known,
    sent_if_match,
    sent_if_none_match,
)
from app.web.preferences import wanted_wait

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
    `actionUrl` of the current one, and ask again until `outcome` is no longer `pending`. With
    `Prefer: wait=25` and `If-None-Match` the answer comes as soon as there is something new.
    """
    buckets: Buckets = request.app.state.buckets
    buckets.count(hashlib.sha256(f"{client_id} {_authorization(request)}".encode()).digest())
    reader = await reader_of_onboarding(request)
    known = sent_if_none_match(request)
    seconds = min(wanted_wait(request.headers.getall("prefer", [])), LONGEST)
    if known is None or not seconds:
        return _answer(request, await _read(request, reader, _uuid(client_id)))
    held: HeldRequests = request.app.state.held

    async def look() -> ReadOnboarding:
        await check_token_again(request)
        return await _read(request, reader, _uuid(client_id))

    read = await held.until_new(
        _uuid(client_id), look, lambda read: not is_known(known, _tag(read)), seconds
    )
    return _answer(request, read, waited=seconds)


def _authorization(request: Request[Any, Any, Any]) -> str:
    return request.headers.get("authorization", "")


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
    no_members(await request.body())
    settings: Settings = request.app.state.settings
    async with _failures_counted(request, token):
        draft = await lengthen_draft(
            _known_here(request),
            token,
            _uuid(client_id),
            origin_of(request),
            has_seen=partial(check_if_match, sent_if_match(request)),
            now=request.app.state.clock(),
        )
    link = ConfirmLink(
        client_id=draft.final_client_id,
        confirm_url=settings.base_url + page_address(draft.client_id),
        share_url=settings.base_url + page_address(draft.client_id, shared=True),
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
    except (OnboardingNotFound, AccessTokenRejected):
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


def _answer(
    request: Request[Any, Any, Any], read: ReadOnboarding, *, waited: int | None = None
) -> Response[Any]:
    tag = _tag(read)
    onboarding = read.onboarding
    headers = {"ETag": tag, "Retry-After": str(onboarding.poll_after_seconds)}
    if waited is not None:
        headers["Preference-Applied"] = f"wait={waited}"
    if is_known(sent_if_none_match(request), tag):
        return Response(None, status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(onboarding, headers=headers)


def _tag(read: ReadOnboarding) -> str:
    """The texts stand there in every language, so one version serves all."""
    return etag(read.counter, *read.variant)
