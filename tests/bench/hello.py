"""The measure of all things: a route that does nothing, on the same server."""

from litestar import Litestar, get


@get("/hello")
async def hello() -> dict[str, str]:
    return {"hello": "world"}


def create_app() -> Litestar:
    return Litestar([hello], openapi_config=None, logging_config=None)
