"""The paths, as the framework derives them from the handlers that serve them."""

from typing import Any

from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig

from app.main import API

VERSION = "v1"


def published_paths() -> dict[str, Any]:
    app = Litestar(
        [Router("/v1", route_handlers=API)],
        openapi_config=OpenAPIConfig(title="", version=VERSION, use_handler_docstrings=True),
    )
    paths: dict[str, Any] = app.openapi_schema.to_schema()["paths"]
    return paths
