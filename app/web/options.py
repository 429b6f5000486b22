"""`OPTIONS`, for paths that several handlers share: the framework names the first one's methods."""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus

from litestar import HttpMethod, Response
from litestar.handlers import HTTPRouteHandler, route


def options_of(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """One handler for each path among `handlers`, to be registered before them."""
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for handler in handlers:
        for path in handler.paths:
            methods[path] |= set(handler.http_methods)
    return [_options(path, found) for path, found in methods.items()]


def _options(path: str, methods: set[str]) -> HTTPRouteHandler:
    allow = ", ".join(sorted({*methods, HttpMethod.OPTIONS}))

    @route(path, http_method=HttpMethod.OPTIONS, include_in_schema=False, sync_to_thread=False)
    def tell_methods() -> Response[None]:
        return Response(None, status_code=HTTPStatus.NO_CONTENT, headers={"Allow": allow})

    return tell_methods
