"""How often each product was called, calls that a fault met included."""

from collections import Counter
from fnmatch import fnmatchcase

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

ACCESS_MANAGEMENT = "/altinn/accessmanagement/api/v1"
PRODUCTS = {
    "maskinporten": "/maskinporten/token",
    "exchange": "/altinn/authentication/*",
    "maskinportenDelegations": f"{ACCESS_MANAGEMENT}/maskinporten/*",
    "authorizedParties": f"{ACCESS_MANAGEMENT}/*/authorizedparties",
    "decisions": "/altinn/authorization/*",
    "delegationRequests": f"{ACCESS_MANAGEMENT}/serviceowner/delegationrequests*",
    "resourceRegistry": "/altinn/resourceregistry/*",
}


class Calls:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, path: str) -> None:
        self._counts.update(name for name, like in PRODUCTS.items() if fnmatchcase(path, like))

    def counts(self) -> dict[str, int]:
        return {name: self._counts[name] for name in PRODUCTS}

    def forget(self) -> None:
        self._counts.clear()


class CountCalls:
    """Stands before the faults: to the caller, a call that fails is a call."""

    def __init__(self, app: ASGIApp, calls: Calls) -> None:
        self._app = app
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            self._calls.count(scope["path"])
        await self._app(scope, receive, send)
