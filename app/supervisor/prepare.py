"""A process of its own before the service starts: the schema, and what the sandbox begins with."""

import asyncio
import os

from app.sandbox_controls import seed
from app.schema import upgrade
from app.settings import read_settings


def main() -> None:
    settings = read_settings(os.environ)
    upgrade(settings.database_url)
    asyncio.run(seed(settings))


if __name__ == "__main__":
    main()
