"""A service owner's program: gets tokens, and asks Altinn. It may be told to do things wrong."""

import secrets
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
from joserfc.jwk import ECKey
from msgspec.structs import replace

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.app import app_for
from app.sandbox.clock import Clock
from app.sandbox.maskinporten.maskinporten import MaskinportenClient
from app.sandbox.people import Person
from tests.sandbox.installer import NEIGHBOURS, sign, without_none

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOOK_UP = "altinn:maskinporten/delegations"
LOOK_UP_ADMIN = "altinn:maskinporten/delegations.admin"
DECIDE = "altinn:authorization/authorize"
PARTIES = "altinn:accessmanagement/authorizedparties.resourceowner"
PARTIES_ADMIN = "altinn:accessmanagement/authorizedparties.admin"
READ = "altinn:serviceowner/delegationrequests.read"
WRITE = "altinn:serviceowner/delegationrequests.write"
SCOPES = [LOOK_UP, LOOK_UP_ADMIN, DECIDE, PARTIES, PARTIES_ADMIN, READ, WRITE]

KEY = ECKey.generate_key("P-256")
OTHER_KEY = ECKey.generate_key("P-256")
SUBSCRIPTION = "subscription-of-the-tests"
WORLD = replace(
    NEIGHBOURS,
    maskinporten_client=MaskinportenClient(
        client_id="our-client",
        jwks={"keys": [KEY.as_dict(private=False)]},
        scopes=SCOPES,
        organization_number="994598759",
    ),
    altinn_subscription_key=SUBSCRIPTION,
)
MASKINPORTEN = WORLD.maskinporten_url
ALTINN = WORLD.altinn_url
DELEGATIONS = f"{ALTINN}/accessmanagement/api/v1/maskinporten/delegations/"
AUTHORIZED_PARTIES = f"{ALTINN}/accessmanagement/api/v1/resourceowner/authorizedparties"
AUTHORIZE = f"{ALTINN}/authorization/api/v1/authorize"
EXCHANGE = f"{ALTINN}/authentication/api/v1/exchange/maskinporten"

CUSTOMER = "310000019"
SUPPLIER = "310700029"
SCOPE = "nhn:helseid/databehandler"
PROCESSOR = "nhn-helseid-databehandler"
PERSONS_RIGHT = "nhn-helseid-ta-i-bruk"
GENERIC = "nhn-helseid-leverandor"
ORGANIZATION = "urn:altinn:organization:identifier-no"
PERSON = "urn:altinn:person:identifier-no"


def assertion(key: ECKey = KEY, *, scope: str | None = LOOK_UP, **claims: Any) -> str:
    """A member that is None is left out."""
    now = int(time.time())
    standard = {
        "iss": "our-client",
        "aud": MASKINPORTEN,
        "jti": secrets.token_hex(8),
        "iat": now,
        "exp": now + 100,
        "scope": scope,
    }
    return sign({"alg": "ES256", "kid": "a"}, without_none(standard | claims), key)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Ocp-Apim-Subscription-Key": SUBSCRIPTION}


class ServiceOwner:
    """One program in a world whose clock it can move."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        clock: Clock,
        altinn: Altinn,
        headers: dict[str, dict[str, str]],
    ) -> None:
        """`headers`: those with a token in them, by scope, to be used again."""
        self.http = http
        self.clock = clock
        self._altinn = altinn
        self._headers = headers

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    async def maskinporten_token(self, scope: str) -> str:
        form = {"grant_type": GRANT_TYPE, "assertion": assertion(scope=scope)}
        answer = await self.http.post(f"{MASKINPORTEN}token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def headers(self, scope: str) -> dict[str, str]:
        if scope not in self._headers:
            token = bearer(await self.maskinporten_token(scope))
            answer = await self.http.get(EXCHANGE, headers=token)
            assert answer.status_code == 200, answer.text
            self._headers[scope] = bearer(answer.text)
        return self._headers[scope]

    async def strangers_headers(self) -> dict[str, str]:
        """What another service owner sends who may do as much."""
        consumer = {"authority": "iso6523-actorid-upis", "ID": "0192:310700045"}
        ends = int(time.time()) + 100
        claims = {"scope": " ".join(SCOPES), "consumer": consumer, "exp": ends}
        return bearer(self._altinn.signing_key.sign(claims, typ="JWT"))

    async def delegations(self, *, token_scope: str = LOOK_UP, **query: str | None) -> Any:
        """By default the look-up for one client: customer, supplier and scope."""
        standard = {"supplierOrg": SUPPLIER, "consumerOrg": CUSTOMER, "scope": SCOPE}
        return await self.http.get(
            DELEGATIONS,
            params=without_none(standard | query),
            headers=await self.headers(token_scope),
        )

    async def is_delegated(self, consumer: str = CUSTOMER, supplier: str = SUPPLIER) -> bool:
        answer = await self.delegations(consumerOrg=consumer, supplierOrg=supplier)
        assert answer.status_code == 200, answer.text
        return bool(answer.json())

    async def authorize(self, body: Mapping[str, Any] | bytes) -> Any:
        headers = await self.headers(DECIDE)
        if isinstance(body, bytes):
            return await self.http.post(AUTHORIZE, content=body, headers=headers)
        return await self.http.post(AUTHORIZE, json=body, headers=headers)

    async def decision(
        self, subject: Mapping[str, str], giver: str, resource: str = PERSONS_RIGHT
    ) -> str:
        answer = await self.authorize(one_check(subject, giver, resource))
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["Response"]
        return str(result["Decision"])

    async def authorized_parties(
        self, subject: Mapping[str, Any], *, scope: str = PARTIES, **query: Any
    ) -> Any:
        return await self.http.post(
            AUTHORIZED_PARTIES, json=subject, params=query, headers=await self.headers(scope)
        )

    async def control(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.http.request(method, f"/_sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def give(self, giver: str, receiver: str, right: str = PROCESSOR) -> None:
        await self._change(giver, receiver, right, "grant")

    async def withdraw(self, giver: str, receiver: str, right: str = PROCESSOR) -> None:
        await self._change(giver, receiver, right, "revoke")

    async def set(self, **settings: Any) -> None:
        await self.control("PUT", "/altinn/settings", settings)

    async def fail(self, *faults: Mapping[str, Any]) -> None:
        await self.control("PUT", "/faults", list(faults))

    async def _change(self, giver: str, receiver: str, right: str, action: str) -> None:
        body = {"from": giver, "to": receiver, "right": right, "action": action}
        await self.control("POST", "/delegations", body)


class AltinnWorld:
    """Kept for many tests: keys take long to make, and tokens live longer than the tests."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.app = app_for(WORLD, self.clock)
        self.headers: dict[str, dict[str, str]] = {}

    @property
    def altinn(self) -> Altinn:
        app: Any = self.app
        found: Altinn = app._app._app._app.state["altinn"]
        return found

    def service_owner(self, http: httpx2.AsyncClient) -> ServiceOwner:
        return ServiceOwner(http, self.clock, self.altinn, self.headers)


def organization(number: str) -> dict[str, str]:
    return {"type": ORGANIZATION, "value": number}


def person(who: Person) -> dict[str, str]:
    return {"type": PERSON, "value": who.pid}


def attributes(**named: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"AttributeId": name, "Value": value} for name, value in named.values()]


def subject_part(identifier: str, party: Mapping[str, str]) -> dict[str, Any]:
    attribute = {"AttributeId": party["type"], "Value": party["value"]}
    return {"Id": identifier, "Attribute": [attribute]}


def action_part(action: str = "access") -> dict[str, Any]:
    name = "urn:oasis:names:tc:xacml:1.0:action:action-id"
    return {"Id": "a1", "Attribute": [{"AttributeId": name, "Value": action}]}


def resource_part(identifier: str, giver: str, resource: str) -> dict[str, Any]:
    return {
        "Id": identifier,
        "Attribute": [
            {"AttributeId": "urn:altinn:resource", "Value": resource, "IncludeInResult": True},
            {"AttributeId": ORGANIZATION, "Value": giver},
        ],
    }


def one_check(
    subject: Mapping[str, str], giver: str, resource: str = PERSONS_RIGHT
) -> dict[str, Any]:
    return {
        "Request": {
            "AccessSubject": [subject_part("s1", subject)],
            "Action": [action_part()],
            "Resource": [resource_part("r1", giver, resource)],
        }
    }
