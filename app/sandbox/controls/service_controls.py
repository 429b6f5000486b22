"""Controls of the service's own state: passed on to the service's process, answer and all."""

from http import HTTPStatus
from typing import Any

import httpx2
from litestar import MediaType, Response

from app.sandbox.controls.refusals import refused

NO_ANSWER = "The service does not answer. Ask again in a moment: it may be starting."
SECRET_HEADER = "Sandbox-Secret"
# A decision waits until the issuer knows the client.
TIMEOUT_SECONDS = 120


class ServiceControls:
    def __init__(self, url: str, secret: str) -> None:
        self.are_there = bool(url)
        """Not where the neighbours stand alone, without a service."""
        self.secret = secret
        self._client = httpx2.AsyncClient(
            base_url=url,
            headers={SECRET_HEADER: secret},
            timeout=TIMEOUT_SECONDS,
            # The service is on this machine; no proxy of the environment stands between.
            trust_env=False,
        )

    async def forward(
        self, method: str, path: str, body: bytes = b"", *, within: float = TIMEOUT_SECONDS
    ) -> Response[bytes]:
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            answer = await self._client.request(
                method, path, content=body, headers=headers, timeout=within
            )
        except httpx2.HTTPError:
            return refused(HTTPStatus.BAD_GATEWAY, NO_ANSWER)
        kind = answer.headers.get("content-type", MediaType.JSON)
        return Response(answer.content, status_code=answer.status_code, media_type=kind)

    async def told(self, path: str) -> Any:
        """What the service tells of itself; None when it does not answer."""
        try:
            answer = await self._client.get(path)
        except httpx2.HTTPError:
            return None
        return answer.json() if answer.is_success else None

    async def close(self) -> None:
        await self._client.aclose()
