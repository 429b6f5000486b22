from typing import Any

from litestar import Request, Response, get

from app.apis.queries import Catalogues
from app.apis.views import public_apis
from app.apis.wire import PublishedApis
from app.web.conditional import etag, versioned
from app.web.paging import USUALLY, Cursor, Limit, name_before, page

# It changes when the operator applies a new one: a cache may be so late.
KEEP = "public, max-age=60"


@get(
    "/catalogue",
    operation_id="getCatalogue",
    summary="List the APIs that can be asked for",
    tags=["Catalogue"],
)
async def get_catalogue(
    request: Request[Any, Any, Any], limit: Limit = USUALLY, cursor: Cursor = ""
) -> Response[PublishedApis]:
    """The APIs with their scopes and client claims, who approves them, and which right they need.

    It is open to all, and holds nothing of suppliers or organizations: a developer reads it
    before there is an API key. Which of it a client system may ask for is the operator's word.
    """
    catalogues: Catalogues = request.app.state.catalogues
    version = await catalogues.version_in_force()
    apis = public_apis(await catalogues.of(version))
    items, next_cursor = page([(api.audience, api) for api in apis], name_before(cursor), limit)
    answer = versioned(request, PublishedApis(items, next_cursor), etag(version or 0))
    answer.headers["Cache-Control"] = KEEP
    return answer
