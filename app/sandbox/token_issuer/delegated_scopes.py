"""What a multi-tenant client does not get for an organisation, and why it is not an error."""

from app.sandbox.token_issuer.client_store import Client
from app.sandbox.token_issuer.scopes import OWN_AUDIENCE, api_scopes, audience_of


def rejected_scopes(client: Client, parent: str | None, scopes: list[str]) -> list[str]:
    """Scopes that are left out of the token: no delegation, or terms of use not signed."""
    if client.metadata.client_tenancy != "multi-tenant" or parent is None:
        return []
    theirs = [scope for scope in api_scopes(scopes) if audience_of(scope) != OWN_AUDIENCE]
    if parent not in client.metadata.delegators:
        return theirs
    unsigned = client.metadata.unsigned_scopes.get(parent, [])
    return [scope for scope in theirs if scope in unsigned]
