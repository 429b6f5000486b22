"""What the sandbox's database begins with: the catalogue, and API keys that everybody knows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from app.access.api_keys import register_api_key
from app.apis.catalogue import Catalogue
from app.apis.rules import CatalogueRefused, read_catalogue
from app.client_configurations.applying import apply_catalogue
from app.database import Database
from app.delegations.feeds import begin_anew
from app.publications.use_cases import republish_all
from app.sandbox_service.told import Added
from app.settings import Settings

DATA = Path(__file__).parents[1] / "sandbox"
API_KEYS = {
    "sandbox": "fjord-epj",
    "sandbox-epj": "fjord-epj",
    "sandbox-edi": "edi-klient",
    "sandbox-vkp": "velferd-vkp",
    "sandbox-sky": "fjord-sky",
    "sandbox-revoked": "fjord-epj",
}
REVOKED = "sandbox-revoked"


def catalogue_with(added: Added) -> Catalogue:
    document: dict[str, Any] = msgspec.json.decode((DATA / "catalogue.json").read_bytes())
    for name, entries in added.catalogue.items():
        document[name] = [*document.get(name, []), *entries]
    catalogue = read_catalogue(msgspec.json.encode(document))
    unknown = [
        f"#/apiKeys/{key}: There is no client system {system}."
        for key, system in added.api_keys.items()
        if system not in catalogue.systems
    ]
    if unknown:
        raise CatalogueRefused(unknown)
    return catalogue


async def seed(settings: Settings, added: Added = Added()) -> None:  # noqa: B008  # it is frozen
    """What the sandbox begins with. On a database that has been used, only what is missing.

    An issuer that has just been started knows nobody: it is told again of every client. The
    other stand-ins have begun anew too, and so their lists of changes.
    """
    database = Database(settings.database_url)
    catalogue = catalogue_with(added)
    now = datetime.now(UTC)
    async with database.sessions() as db:
        await apply_catalogue(
            db,
            catalogue,
            environment=settings.environment,
            client_scope=settings.client_scope,
            now=now,
        )
        async with db.begin():
            for key, system in (added.api_keys | API_KEYS).items():
                await register_api_key(
                    db,
                    key,
                    client_system_id=system,
                    label="the sandbox's",
                    now=now,
                    revoked=key == REVOKED,
                )
            await begin_anew(db)
    await republish_all(database.sessions)
    await database.engine.dispose()
