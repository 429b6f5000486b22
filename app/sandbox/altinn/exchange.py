"""GET exchange/maskinporten: Altinn's token for Maskinporten's."""

import secrets
from datetime import UTC, datetime, timedelta

from litestar import MediaType, Response, get
from litestar.di import NamedDependency

from app.sandbox.altinn.altinn import TOKEN_TYP, Altinn
from app.sandbox.altinn.callers import AltinnRequest, Caller, Refused, bearer_token
from app.sandbox.altinn.resources import OWNER

LIFE = timedelta(minutes=30)


@get("/authentication/api/v1/exchange/maskinporten", media_type=MediaType.TEXT)
async def exchange(request: AltinnRequest, altinn: NamedDependency[Altinn]) -> Response[str]:
    now = datetime.now(UTC)
    claims = altinn.maskinporten.claims_of(bearer_token(request), now)
    if claims is None:
        raise Refused(401)
    own = {
        "iss": f"{altinn.url}/authentication/api/v1/openid/",
        "urn:altinn:org": OWNER,
        "urn:altinn:orgNumber": Caller(claims).organization_number,
        "urn:altinn:authenticatemethod": "maskinporten",
        "urn:altinn:authlevel": 3,
        "jti": secrets.token_urlsafe(16),
        "iat": int(now.timestamp()),
        "exp": int((now + LIFE).timestamp()),
    }
    token = altinn.signing_key.sign({**claims, **own}, typ=TOKEN_TYP)
    return Response(token, media_type=MediaType.TEXT)
