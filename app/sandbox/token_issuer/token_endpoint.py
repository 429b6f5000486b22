"""POST /connect/token."""

from datetime import UTC, datetime

from litestar import Response, route
from litestar.di import NamedDependency

from app.sandbox.token_issuer.forms import EVERY_METHOD, NO_STORE, IssuerRequest, read_form
from app.sandbox.token_issuer.grants import TokenAnswer, answer_token_request
from app.sandbox.token_issuer.issuer import Issuer


@route("/connect/token", http_method=EVERY_METHOD)
async def token(request: IssuerRequest, issuer: NamedDependency[Issuer]) -> Response[TokenAnswer]:
    form = await read_form(request)
    proofs = request.headers.getall("dpop", [])
    answer = answer_token_request(issuer, form, proofs, datetime.now(UTC))
    return Response(answer, status_code=200, headers=NO_STORE)
