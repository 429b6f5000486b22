"""What every call to the register goes through: its query, what it accepts, its ETag."""

import json
import re
from hashlib import sha256
from typing import Any

from litestar import Request, Response
from litestar.datastructures import State

NUMBER = re.compile(r"[0-9]{9}", re.ASCII)
MOST_RESULTS = 10_000
DEFAULT_SIZE = 20

RegisterRequest = Request[object, object, State]


class WrongMediaType(Exception):
    """What the caller accepts is not what is served, as with the first version of the API."""


class BadRequest(Exception):
    """The text stands in the answer, as the register puts it."""


def media_type(kind: str, version: int = 2) -> str:
    return f"application/vnd.brreg.enhetsregisteret.{kind}.v{version}+json"


def check_accept(request: RegisterRequest, kind: str, version: int = 2) -> None:
    accepted = request.headers.get("accept", "*/*").lower().split(",")
    served = {media_type(kind, version), "application/json", "application/*", "*/*"}
    if not served & {part.split(";")[0].strip() for part in accepted}:
        raise WrongMediaType


def whole_number(request: RegisterRequest, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadRequest(f"{name} må være et heltall")
    return int(text)


def json_answer(
    request: RegisterRequest, body: dict[str, Any], kind: str, status: int = 200, version: int = 2
) -> Response[bytes]:
    content = json.dumps(body, ensure_ascii=False).encode()
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    if status == 200 and etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers={"ETag": etag})
    headers = {"ETag": etag} if status == 200 else {}
    kind_sent = f"{media_type(kind, version)};charset=UTF-8"
    return Response(content, status_code=status, media_type=kind_sent, headers=headers)
