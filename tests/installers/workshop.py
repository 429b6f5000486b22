"""NorskHelsenett/helseid-workshops, SelvbetjeningConsoleDemo: C#, January 2025."""

from typing import Any

import httpx2

from tests.installers.samples import Samples
from tests.sandboxes import Ready


class Workshop(Samples):
    """The sample of before May 2025: port and path stand in the link, not in the draft."""

    assertion_typ = "JWT"

    def __init__(self, service: Ready, http: httpx2.Client, redirect_port: int = 1337) -> None:
        super().__init__(service, http)
        self.confirmation_query = f"?redirectPort={redirect_port}&redirectPath=/callback"


def client_update(client: dict[str, Any]) -> dict[str, Any]:
    """`ToClientUpdate`: from what GET answers to what PUT takes."""
    return {
        "apiScopes": [scope["scope"] for scope in client["apiScopes"]],
        "audienceSpecificClientClaims": [
            {"key": claim["claimType"], "value": _claim_value(claim)}
            for claim in client["audienceSpecificClientClaims"]
        ]
        or None,
        "redirectUris": client["redirectUris"],
        "postLogoutRedirectUris": client["postLogoutRedirectUris"] or None,
        "childOrganizationNumbers": client["childOrganizationNumbers"],
    }


def _claim_value(claim: dict[str, Any]) -> str:
    value: str | None = claim["pendingClaimValue"] or claim["activeClaimValue"]
    if value is None:
        raise ValueError(f"The claim has neither value: {claim}")
    return value
