"""What a client asks for in these tests, and what becomes of it."""

from typing import Any

import httpx2

from app.approvals.decisions import Decision, decide_access
from app.approvals.rules import AccessEvent
from app.audit.trail import OPERATOR
from tests.examples import NOW
from tests.serving import CLIENT_SCOPE, Client

MSH = "nhn:msh/api"
LOOPBACK = ["http://localhost:1337/callback"]
HERID = {"key": "herid", "value": "0"}
FULL: dict[str, Any] = {
    "apiScopes": [CLIENT_SCOPE, MSH],
    "audienceSpecificClientClaims": [HERID],
    "redirectUris": [*LOOPBACK, "https://epj.fjord.example/callback"],
    "postLogoutRedirectUris": ["http://localhost:1337/after"],
}
LISTS = {
    "apiScopes",
    "audienceSpecificClientClaims",
    "redirectUris",
    "postLogoutRedirectUris",
    "childOrganizationNumbers",
}


async def decide(client: Client, decision: str, **what: str | None) -> None:
    async with client.service.database.sessions() as db:
        given: dict[str, Any] = {"scope": None, "claim_type": None, "reason": None} | what
        await decide_access(
            db,
            Decision(
                client_id=client.client_id,
                event=AccessEvent(decision),
                actor=OPERATOR,
                at=NOW,
                **given,
            ),
        )


def statuses(answer: httpx2.Response) -> dict[str, tuple[str, str | None]]:
    return {
        scope["scope"]: (scope["status"], scope["statusReasonCode"])
        for scope in answer.json()["apiScopes"]
    }
