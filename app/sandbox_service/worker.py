"""The worker as the sandbox runs it: by the domain's clock, and still while that is moved."""

import asyncio
import os

from app.lifeline import end_with_standard_input
from app.log_lines import log_as_json
from app.sandbox_service.state import SandboxState
from app.sandbox_service.told import read_told, sandbox_settings
from app.settings import Settings
from app.worker import run_worker


async def work(settings: Settings) -> None:
    async with SandboxState(settings.database_url) as clock:
        await run_worker(settings, clock=clock.now, around=clock.unless_moving)


def main() -> None:
    settings = sandbox_settings(os.environ, read_told(os.environ))
    end_with_standard_input()
    log_as_json()
    asyncio.run(work(settings))


if __name__ == "__main__":
    main()
