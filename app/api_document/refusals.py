"""The refusals that operations share, with an example of each, made by the code that answers.

A refusal has one status; its types are told apart by `type`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from app.access.access_tokens import AccessTokenRejected, InsufficientScope, IssuerKeysUnavailable
from app.access.authentication import ApiKeyRejected
from app.access.dpop import ProofRejected
from app.access.idempotency import IdempotencyKeyRefused, IdempotencyKeyReused, StillRunning
from app.access.key_proofs import KeyProofRefused
from app.access.public_jwk import KeyRefused
from app.client_drafts.rules import (
    ActivationCodeRejected,
    ActivationLapsed,
    DraftNotFound,
    DraftOutdated,
    LengthenedTooOften,
    NoReplacement,
    ReplacedClientNotFound,
)
from app.client_keys.rules import KeyNotFound, KeyTaken, KidTaken, LastUsableKey, TooManyKeys
from app.clients.standing import ClientBlocked, ClientUnknown
from app.delegations.rules import AltinnAway, DelegationNotFound
from app.onboardings.use_cases import OnboardingNotFound
from app.problems import (
    BodyTooLarge,
    FieldError,
    InvalidRequest,
    NotJson,
    Problem,
    ServiceUnavailable,
    TooManyRequests,
)
from app.state_machine import WrongState
from app.web.conditional import PreconditionFailed
from app.web.problem_details import (
    MEDIA_TYPE,
    InternalError,
    NotAcceptable,
    problem_details,
)

_ACTIVATION = "/v1/client-drafts/37a08838-db82-4de0-bfe1-bed876e7086e/activation"
_DELEGATION = "/v1/client/delegations/7d5b3f0e-2f2e-4a57-9a1c-5b8e0c2d4f61"
_KEY = "/v1/client-secret/dhmdUvVyF_8zhT3ZyMUWTfNZE0__j2uc3rADmc9uaRE"
_ONBOARDING = "/v1/onboardings/37a08838-db82-4de0-bfe1-bed876e7086e"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
BASE_URL = "https://onboarding.example"


class Refusal(Struct, frozen=True):
    """One status of some operations: `path` is that of the examples."""

    path: str
    examples: Sequence[Problem]

    @property
    def status(self) -> int:
        return int(self.examples[0].status)


_BAD_SCOPE = FieldError(
    "#/apiScopes/1",
    "scope_not_in_client_system",
    "Scope nhn:deft/api is not among those of the client system Velferd VKP. Its supplier can "
    "have it added.",
)
_BAD_ADDRESS = FieldError("#/redirectUris", "wrong_type", "`redirectUris` must be a list.")
_PRIVATE = FieldError(
    "#/d",
    "private_key",
    "This holds a secret (d): it is a private or symmetric key, and must now be considered leaked. "
    "Make a new key and send only its public part.",
)
_BAD_CURSOR = FieldError(
    "#/cursor",
    "not_acceptable",
    "`cursor` is not one of this list: send the `nextCursor` of the answer before.",
)
_BAD_LIMIT = FieldError("#/limit", "not_acceptable", "`limit`: Expected `int` <= 100.")
_PARAMETER = FieldError("#/graceSeconds", "not_acceptable", "`graceSeconds`: Expected `int` >= 0.")
_NO_MEMBERS = FieldError("#/reason", "unknown_member", "`reason` is not known here: leave it out.")
_LIMITED = TooManyRequests(
    "At most 30 drafts a minute from one address. Try again in 12 s.", retry_after=12
)
_LIMITED.headers |= {
    "RateLimit-Policy": '"address";q=30;w=60',
    "RateLimit": '"address";r=0;t=12',
}
_AWAY = ServiceUnavailable(
    "Nothing was changed, or it was changed in full. Ask again in a moment.",
)

_USED = KeyProofRefused(
    "#/proof", "This JWT has been used before: make a new one for each request."
)

REFUSALS: Mapping[str, Refusal] = {
    "DraftRefused": Refusal(
        "/v1/client-drafts",
        [
            InvalidRequest([_BAD_SCOPE, _BAD_ADDRESS]),
            KeyRefused([msgspec.structs.replace(_PRIVATE, pointer="#/publicJwk/d")]),
            IdempotencyKeyRefused(),
        ],
    ),
    "MembersRefused": Refusal(f"{_DELEGATION}/checks", [InvalidRequest([_NO_MEMBERS])]),
    "EmptyBodyRefused": Refusal(
        f"{_DELEGATION}/requests", [InvalidRequest([_NO_MEMBERS]), IdempotencyKeyRefused()]
    ),
    "ChangeRefused": Refusal("/v1/client", [InvalidRequest([_BAD_SCOPE, _BAD_ADDRESS])]),
    "KeyRefused": Refusal(
        "/v1/client-secret",
        [
            KeyRefused([_PRIVATE]),
            TooManyKeys(),
            KidTaken("installation-7"),
            _USED,
            IdempotencyKeyRefused(),
        ],
    ),
    "KeyProofRefused": Refusal(
        f"{_KEY}/checks",
        [
            _USED,
            InvalidRequest([FieldError("#/proof", "missing", "`proof` is missing.")]),
        ],
    ),
    "ParameterRefused": Refusal(
        _KEY,
        [NotAcceptable(_PARAMETER.detail, errors=[_PARAMETER])],
    ),
    "ActivationRefused": Refusal(
        _ACTIVATION,
        [
            KeyProofRefused(
                "#/activation",
                "Wrong in the JWT: aud. Expected: aud: https://onboarding.example" + _ACTIVATION,
            ),
            ActivationCodeRejected("#/activation"),
        ],
    ),
    "ReplacedClientNotFound": Refusal("/v1/client-drafts", [ReplacedClientNotFound()]),
    "NoReplacement": Refusal("/v1/client/key-replacement", [NoReplacement()]),
    "DraftNotFound": Refusal(_ACTIVATION, [DraftNotFound()]),
    "NotActivated": Refusal(
        _ACTIVATION,
        [
            ActivationLapsed(datetime(2026, 10, 1, 8, 10, tzinfo=UTC)),
            WrongState("Cannot activate while declined."),
            DraftOutdated("Something that it asks for is no longer in the catalogue."),
            KeyTaken(),
        ],
    ),
    "CursorRefused": Refusal(
        "/v1/catalogue",
        [
            InvalidRequest([_BAD_CURSOR]),
            NotAcceptable(_BAD_LIMIT.detail, errors=[_BAD_LIMIT]),
        ],
    ),
    "ApiKeyRejected": Refusal("/v1/client-drafts", [ApiKeyRejected()]),
    "TokenRejected": Refusal(
        "/v1/client",
        [
            AccessTokenRejected("The access token has expired: get a new one."),
            ProofRejected("Wrong in the proof: htm. Expected: htm: GET."),
        ],
    ),
    "Forbidden": Refusal(
        "/v1/client",
        [InsufficientScope("nhn:selvbetjening/client"), ClientBlocked(), ClientUnknown()],
    ),
    "DelegationNotFound": Refusal(_DELEGATION, [DelegationNotFound()]),
    "OnboardingNotFound": Refusal(_ONBOARDING, [OnboardingNotFound()]),
    "OnboardingTokenRejected": Refusal(
        f"{_ONBOARDING}/confirm-link",
        [
            AccessTokenRejected(
                "This takes the onboarding token that came with the draft.", allow_bearer=True
            )
        ],
    ),
    "NotLengthened": Refusal(
        f"{_ONBOARDING}/confirm-link",
        [
            WrongState("Cannot lengthen while confirmed."),
            LengthenedTooOften(),
            DraftOutdated("Its client system is no longer in the catalogue."),
        ],
    ),
    "WrongState": Refusal(
        f"{_DELEGATION}/requests",
        [WrongState("Cannot request the right while the delegation is active."), StillRunning()],
    ),
    "IdempotencyKeyReused": Refusal("/v1/client-drafts", [IdempotencyKeyReused()]),
    "KeyNotFound": Refusal(_KEY, [KeyNotFound()]),
    "KeyTaken": Refusal("/v1/client-secret", [KeyTaken(), StillRunning()]),
    "LastUsableKey": Refusal(_KEY, [LastUsableKey()]),
    "PreconditionFailed": Refusal("/v1/client", [PreconditionFailed()]),
    "BodyTooLarge": Refusal("/v1/client", [BodyTooLarge("Send a smaller body.")]),
    "NotJson": Refusal(
        "/v1/client", [NotJson("Send the body with `Content-Type: application/json`.")]
    ),
    "TooManyDrafts": Refusal(
        "/v1/client-drafts",
        [_LIMITED],
    ),
    "TooManyRequests": Refusal(
        "/v1/client",
        [
            TooManyRequests(
                "At most 30 failed attempts a minute with the same key or token. Try again in "
                "12 s.",
                retry_after=12,
            )
        ],
    ),
    "InternalError": Refusal(
        "/v1/client", [InternalError(f"Tell the operator of this service the trace id {TRACE_ID}.")]
    ),
    "Unavailable": Refusal("/v1/client-drafts", [_AWAY]),
    "IssuerUnavailable": Refusal(
        "/v1/client",
        [
            _AWAY,
            IssuerKeysUnavailable(),
        ],
    ),
    "AltinnUnavailable": Refusal(
        f"{_DELEGATION}/requests", [_AWAY, IssuerKeysUnavailable(), AltinnAway()]
    ),
}


def refusal_responses() -> dict[str, Any]:
    """`components/responses` of the document."""
    return {name: _response(refusal) for name, refusal in REFUSALS.items()}


def _response(refusal: Refusal) -> dict[str, Any]:
    names = sorted({header for problem in refusal.examples for header in problem.headers})
    kinds = [f"[`{each.slug}`](/problems/{each.slug}): {each.title}." for each in refusal.examples]
    return {
        "description": "\n".join(f"- {kind}" for kind in kinds) if len(kinds) > 1 else kinds[0],
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in [*names, "traceparent"]
        },
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/ProblemDetails"},
                "examples": {
                    problem.slug: {"summary": problem.title, "value": _body(refusal, problem)}
                    for problem in refusal.examples
                },
            }
        },
    }


def _body(refusal: Refusal, problem: Problem) -> Any:
    details = problem_details(problem, base_url=BASE_URL, path=refusal.path, trace_id=TRACE_ID)
    return msgspec.to_builtins(details)
