"""GET and POST /connect/endsession: back to where the client wants the person afterwards."""

from litestar import Response, route
from litestar.di import NamedDependency
from litestar.response import Redirect

from app.sandbox.token_issuer.client_store import Client
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest, parse_form
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.login import page, with_query
from app.sandbox.token_issuer.pushed_requests import is_registered
from app.sandbox.token_issuer.tokens import ID_TOKEN_TYP


@route("/connect/endsession", http_method=["GET", "POST"], status_code=303)
async def end_session(
    request: IssuerRequest, issuer: NamedDependency[Issuer]
) -> Response[str] | Redirect:
    """Only an address that the client has registered is followed."""
    raw = await request.body() if request.method == "POST" else request.scope["query_string"]
    form = parse_form(raw)
    client = _client(issuer, form.get("id_token_hint"), form.get("client_id"))
    target = form.get("post_logout_redirect_uri")
    if (
        client is None
        or target is None
        or not is_registered(target, client.metadata.post_logout_redirect_uris)
    ):
        return page("message.html", title="Du er logget ut", text="Du kan lukke dette vinduet.")
    state = form.get("state")
    values = {"state": state} if state is not None else {}
    return Redirect(with_query(target, values), status_code=303, headers=NO_STORE)


def _client(issuer: Issuer, id_token_hint: str | None, client_id: str | None) -> Client | None:
    claims = issuer.signing_key.claims_of(id_token_hint or "", typ=ID_TOKEN_TYP)
    named = str(claims["aud"]) if claims else client_id
    return issuer.clients.registered(named) if named else None
