"""What the framework cannot see of an operation: handlers read raw bytes, and refuse by raising."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

CLIENT_CALLS = (
    "TokenRejected",
    "Forbidden",
    "TooManyRequests",
    "InternalError",
    "IssuerUnavailable",
)
BODY_IS_READ = ("BodyTooLarge", "NotJson")

# Either of the two; who calls with a client's token.
TOKEN: Sequence[Mapping[str, list[str]]] = ({"dpop": []}, {"bearer": []})
ONBOARDING: Sequence[Mapping[str, list[str]]] = ({"onboardingToken": []}, *TOKEN)
API_KEY: Sequence[Mapping[str, list[str]]] = ({"apiKey": []},)


class Answer(Struct, frozen=True):
    """An answer that is no refusal; `body` is a name among the bodies."""

    description: str
    body: str | None = None
    headers: Sequence[str] = ()


class Operation(Struct, frozen=True, kw_only=True):
    answers: Mapping[int, Answer]
    refusals: Sequence[str]
    security: Sequence[Mapping[str, list[str]]] = TOKEN
    body: str | None = None
    body_description: str = ""
    headers: Sequence[str] = ()
    """Of the request, by their names among the parameters."""


UNCHANGED = Answer("The caller has this version already (`If-None-Match`).", None, ["ETag"])

OPERATIONS: Mapping[str, Operation] = {
    "createClientDraft": Operation(
        security=API_KEY,
        headers=["idempotencyKey"],
        body="NewClientDraft",
        body_description="What is asked for.",
        answers={
            201: Answer(
                "The draft is registered.",
                "ClientDraftCreated",
                [
                    "Location",
                    "Cache-Control",
                    "Idempotency-Replayed",
                    "RateLimit-Policy",
                    "RateLimit",
                ],
            ),
        },
        refusals=[
            "DraftRefused",
            "ApiKeyRejected",
            "ReplacedClientNotFound",
            "KeyTaken",
            "IdempotencyKeyReused",
            *BODY_IS_READ,
            "TooManyDrafts",
            "InternalError",
            "Unavailable",
        ],
    ),
    "activateClient": Operation(
        security=(),
        headers=["ifMatch"],
        body="ClientActivation",
        body_description="The code that came with the browser, signed.",
        answers={
            200: Answer(
                "The activation is taken, now or by an earlier request.", "ClientActivated"
            ),
        },
        refusals=[
            "ActivationRefused",
            "DraftNotFound",
            "NotActivated",
            "PreconditionFailed",
            *BODY_IS_READ,
            "TooManyRequests",
            "InternalError",
            "Unavailable",
        ],
    ),
    "getCatalogue": Operation(
        security=(),
        headers=["ifNoneMatch"],
        answers={
            200: Answer("A part of the catalogue.", "PublishedApis", ["ETag", "Cache-Control"]),
            304: UNCHANGED,
        },
        refusals=["CursorRefused", "InternalError", "Unavailable"],
    ),
    "getKeyReplacement": Operation(
        headers=["ifNoneMatch"],
        answers={
            200: Answer("The replacement that is waiting.", "KeyReplacement", ["ETag"]),
            304: UNCHANGED,
        },
        refusals=[*CLIENT_CALLS, "NoReplacement"],
    ),
    "stopKeyReplacement": Operation(
        headers=["ifMatch"],
        answers={204: Answer("It is stopped; the keys go on working.")},
        refusals=[*CLIENT_CALLS, "NoReplacement", "PreconditionFailed"],
    ),
    "getClient": Operation(
        headers=["ifNoneMatch", "acceptLanguage"],
        answers={
            200: Answer("The client as it is now.", "CurrentClient", ["ETag", "Vary"]),
            304: Answer(
                "The caller has this version already (`If-None-Match`).", None, ["ETag", "Vary"]
            ),
        },
        refusals=CLIENT_CALLS,
    ),
    "updateClient": Operation(
        body="ClientUpdate",
        body_description="All that the client asks for from now on.",
        headers=["ifMatch", "preferRepresentation"],
        answers={
            200: Answer(
                "Changed; the client as it is now (`Prefer: return=representation`).",
                "CurrentClient",
                ["ETag", "Vary", "Preference-Applied"],
            ),
            204: Answer("Changed."),
        },
        refusals=["ChangeRefused", *CLIENT_CALLS, "PreconditionFailed", *BODY_IS_READ],
    ),
    "getClientStatus": Operation(
        headers=["ifNoneMatch"],
        answers={
            200: Answer("The status in its old form.", "ClientStatusAnswer", ["ETag"]),
            304: UNCHANGED,
        },
        refusals=CLIENT_CALLS,
    ),
    "addClientSecret": Operation(
        headers=["ifMatch", "idempotencyKey"],
        body="PublicJwk",
        body_description=(
            "The new public key. A JSON string that holds the text of the JWK is accepted too, as "
            'official samples send it. So is `{"jwk": …, "proof": …}` with either as `jwk`, and '
            "in `proof` a JWT that the key has signed, as for `checkClientSecret` but "
            "with the address of this call as `aud`: it shows that the key is held, and wins over "
            "whoever has registered the key without showing that."
        ),
        answers={
            200: Answer(
                "The key is registered. A live key that is sent again gets this answer again.",
                "ClientSecretCreated",
                ["Idempotency-Replayed"],
            )
        },
        refusals=[
            "KeyRefused",
            *CLIENT_CALLS,
            "KeyTaken",
            "PreconditionFailed",
            "IdempotencyKeyReused",
            *BODY_IS_READ,
        ],
    ),
    "getClientSecrets": Operation(
        headers=["ifNoneMatch"],
        answers={200: Answer("The keys, oldest first.", "ClientSecrets", ["ETag"]), 304: UNCHANGED},
        refusals=["ParameterRefused", *CLIENT_CALLS],
    ),
    "checkClientSecret": Operation(
        body="KeyCheck",
        body_description="The proof that the key is held.",
        answers={200: Answer("What the token issuer does with the key.", "KeyChecked")},
        refusals=["KeyProofRefused", *CLIENT_CALLS, "KeyNotFound", *BODY_IS_READ],
    ),
    "retireClientSecret": Operation(
        headers=["ifMatch"],
        answers={204: Answer("The key goes out of use, or has done so before.")},
        refusals=[
            "ParameterRefused",
            *CLIENT_CALLS,
            "KeyNotFound",
            "LastUsableKey",
            "PreconditionFailed",
        ],
    ),
    "getDelegations": Operation(
        headers=["ifNoneMatch"],
        answers={
            200: Answer("The rights that the client needs.", "Delegations", ["ETag"]),
            304: UNCHANGED,
        },
        refusals=["ParameterRefused", *CLIENT_CALLS],
    ),
    "getDelegation": Operation(
        headers=["ifNoneMatch"],
        answers={
            200: Answer("The delegation as it is now.", "DelegationAnswer", ["ETag"]),
            304: UNCHANGED,
        },
        refusals=[*CLIENT_CALLS, "DelegationNotFound"],
    ),
    "checkDelegation": Operation(
        answers={200: Answer("The delegation, after Altinn was asked.", "DelegationAnswer")},
        refusals=["MembersRefused", *CLIENT_CALLS, "DelegationNotFound"],
    ),
    "requestDelegation": Operation(
        headers=["ifMatch", "idempotencyKey"],
        answers={
            200: Answer(
                "Where somebody goes to give the right.",
                "DelegationRequestAnswer",
                ["Idempotency-Replayed"],
            ),
        },
        refusals=[
            "EmptyBodyRefused",
            *CLIENT_CALLS[:-1],
            "AltinnUnavailable",
            "DelegationNotFound",
            "WrongState",
            "PreconditionFailed",
            "IdempotencyKeyReused",
        ],
    ),
    "getOnboarding": Operation(
        security=ONBOARDING,
        headers=["ifNoneMatch", "preferWait"],
        answers={
            200: Answer(
                "The onboarding as it is now.",
                "Onboarding",
                ["ETag", "Retry-After", "Preference-Applied"],
            ),
            304: Answer(
                "The caller has this version already (`If-None-Match`), still when the wait ends.",
                None,
                ["ETag", "Retry-After", "Preference-Applied"],
            ),
        },
        refusals=[*CLIENT_CALLS, "OnboardingNotFound"],
    ),
    "lengthenConfirmLink": Operation(
        security=ONBOARDING[:1],
        headers=["ifMatch"],
        answers={
            200: Answer("The links, and how long they work.", "ConfirmLink", ["Cache-Control"])
        },
        refusals=[
            "MembersRefused",
            "OnboardingTokenRejected",
            "OnboardingNotFound",
            "NotLengthened",
            "PreconditionFailed",
            "TooManyRequests",
            "InternalError",
            "Unavailable",
        ],
    ),
    "getMultiTenantDelegations": Operation(
        headers=["ifNoneMatch"],
        answers={
            200: Answer(
                "The organizations that have delegated; an empty list for a client of one "
                "organization.",
                "MultiTenantDelegations",
                ["ETag"],
            ),
            304: UNCHANGED,
        },
        refusals=CLIENT_CALLS,
    ),
}
