"""A process of its own before the service starts: the schema, and what the sandbox begins with."""

import asyncio
import os
import sys

import msgspec

from app.apis.rules import CatalogueRefused
from app.migrating import upgrade
from app.sandbox_service.seed import seed
from app.sandbox_service.state import make_state
from app.sandbox_service.told import read_told
from app.schema import OtherRevision
from app.settings import Settings, SettingsRefused, read_settings


def main() -> None:
    """It is started while PostgreSQL still starts, and told of the database in a line."""
    line = sys.stdin.readline()
    try:
        settings = read_settings(msgspec.json.decode(line, type=dict[str, str]))
        upgrade(settings.database_url)
        asyncio.run(prepare(settings))
    except (SettingsRefused, OtherRevision) as refused:
        sys.exit(str(refused))
    except CatalogueRefused as catalogue:
        sys.exit("\n".join(f"The seed file's catalogue: {fault}" for fault in catalogue.faults))


async def prepare(settings: Settings) -> None:
    await make_state(settings.database_url)
    await seed(settings, read_told(os.environ).seed)


if __name__ == "__main__":
    main()
