"""What the sandbox's database begins with: the catalogue, and API keys that everybody knows."""

from datetime import UTC, datetime
from pathlib import Path

from app.access.api_keys import register_api_key
from app.apis.rules import read_catalogue
from app.client_configurations.applying import apply_catalogue
from app.database import Database
from app.delegations.feeds import begin_anew
from app.publications.use_cases import republish_all
from app.settings import Settings

DATA = Path(__file__).parent / "sandbox"
API_KEYS = {
    "sandbox": "fjord-epj",
    "sandbox-epj": "fjord-epj",
    "sandbox-edi": "edi-klient",
    "sandbox-vkp": "velferd-vkp",
    "sandbox-sky": "fjord-sky",
    "sandbox-revoked": "fjord-epj",
}
REVOKED = "sandbox-revoked"


async def seed(settings: Settings) -> None:
    """What the sandbox begins with. On a database that has been used, only what is missing.

    An issuer that has just been started knows nobody: it is told again of every client. The
    other stand-ins have begun anew too, and so their lists of changes.
    """
    database = Database(settings.database_url)
    catalogue = read_catalogue((DATA / "catalogue.json").read_bytes())
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
            for key, system in API_KEYS.items():
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
