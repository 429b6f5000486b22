"""A process of its own before the service starts: the schema, and what the sandbox begins with."""

import asyncio
import sys

import msgspec

from app.sandbox_seed import seed
from app.schema import upgrade
from app.settings import read_settings


def main() -> None:
    """It is started while PostgreSQL still starts, and told of the database in a line."""
    line = sys.stdin.readline()
    settings = read_settings(msgspec.json.decode(line, type=dict[str, str]))
    upgrade(settings.database_url)
    asyncio.run(seed(settings))


if __name__ == "__main__":
    main()
