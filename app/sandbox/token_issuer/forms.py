"""Reading a form that a client sent."""

from urllib.parse import parse_qsl

from litestar import Request, Response
from litestar.datastructures import State
from litestar.types import Method

from app.sandbox.token_issuer.errors import OAuthError, invalid_request

FORM = "application/x-www-form-urlencoded"
# All of them reach our handlers, so that a wrong one is refused in OAuth's words.
EVERY_METHOD: list[Method] = ["GET", "POST", "PUT", "PATCH", "DELETE"]
MAX_FIELDS = 100
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

IssuerRequest = Request[object, object, State]


class Form:
    """Parameters of a request; `resource` (RFC 8707) alone may come more than once."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        # An empty parameter counts as absent (RFC 6749 section 3.1).
        given = [(name, value) for name, value in pairs if value]
        self.resources = list(dict.fromkeys(value for name, value in given if name == "resource"))
        single = [pair for pair in given if pair[0] != "resource"]
        self._values = dict(single)
        if len(self._values) != len(single):
            raise invalid_request("a parameter is there more than once")

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def required(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            raise invalid_request(f"{name} is missing")
        return value

    def replaced_by(self, values: dict[str, str], resources: list[str]) -> "Form":
        """What a request object holds counts instead of what stands beside it."""
        pairs = [*(self._values | values).items()]
        return Form(pairs + [("resource", value) for value in resources or self.resources])


async def read_form(request: IssuerRequest) -> Form:
    if request.method != "POST":
        raise invalid_request("only POST is allowed here")
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM:
        raise invalid_request(f"the body must be {FORM}")
    return parse_form(await request.body())


def parse_form(body: bytes) -> Form:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise invalid_request("the body is not a form") from error
    return Form(pairs)


def oauth_error(_: IssuerRequest, error: OAuthError) -> Response[dict[str, str]]:
    body = {"error": error.error, "error_description": error.description}
    return Response(body, status_code=400, headers=NO_STORE | error.headers)
