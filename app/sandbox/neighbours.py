"""What the neighbours' process is told when it starts: one JSON file, named by a variable."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from app.sandbox.enhetsregisteret.organizations import Organization
from app.sandbox.maskinporten.maskinporten import MaskinportenClient
from app.sandbox.people import AddedPerson

FILE_VARIABLE = "SANDBOX_NEIGHBOURS_FILE"


class Grant(Struct, frozen=True, rename={"giver": "from"}):
    giver: str
    to: str
    """Organisation number, or a test person's name."""
    right: str


class Seed(Struct, frozen=True):
    """What a seed file adds to what the neighbours begin with."""

    organizations: list[Organization] = []
    grants: list[Grant] = []
    persons: list[AddedPerson] = []


class Neighbours(Struct, frozen=True, kw_only=True, rename="camel"):
    neighbours_url: str
    """Where this process is reached, without a slash at the end."""
    base_url: str
    """Where the service is reached."""
    registration_token: str
    """The management credential that the service registers clients with (RFC 7591)."""
    login_client: dict[str, Any] | None = None
    """Registration of the service's own login client, there from the first moment."""
    maskinporten_client: MaskinportenClient | None = None
    """The service's client at Maskinporten; without it nobody gets a token there."""
    altinn_subscription_key: str = ""
    """What Altinn's gateway wants in `Ocp-Apim-Subscription-Key`. Empty: it wants nothing."""
    controls_url: str = ""
    """The service's own controls, which only this process may call."""
    controls_secret: str = ""
    strict: int | None = None
    """The seed of `--strict`."""
    time_scale: float = 1.0
    """Waits of the world of the stand-ins are divided by this."""
    seed: Seed = Seed()

    @property
    def issuer_url(self) -> str:
        return f"{self.neighbours_url}/sts"

    @property
    def enhetsregisteret_url(self) -> str:
        return f"{self.neighbours_url}/brreg/enhetsregisteret/api"

    @property
    def maskinporten_url(self) -> str:
        return f"{self.neighbours_url}/maskinporten/"

    @property
    def altinn_url(self) -> str:
        return f"{self.neighbours_url}/altinn"

    @property
    def altinn_pages_url(self) -> str:
        return f"{self.neighbours_url}/am-ui/accessmanagement/ui"


def read_neighbours(environment: Mapping[str, str]) -> Neighbours:
    return msgspec.json.decode(Path(environment[FILE_VARIABLE]).read_bytes(), type=Neighbours)
