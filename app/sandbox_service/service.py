"""The service as in production, with a word on every answer and page that it is a sandbox."""

import os

from litestar.types import ASGIApp

from app.main import application
from app.sandbox_service.faults import FaultsOfService
from app.sandbox_service.journal import Feed, recorded
from app.sandbox_service.state import SandboxState
from app.sandbox_service.strict import StrictAnswers
from app.sandbox_service.told import read_told, sandbox_settings

BANNER = "Sandkasse: ingenting her er ekte. / Sandbox: nothing here is real."


def create_service() -> ASGIApp:
    told = read_told(os.environ)
    settings = sandbox_settings(os.environ, told)
    state = SandboxState(settings.database_url)
    feed = Feed(settings, told.neighbours_url or "", told.controls_secret)
    service = application(
        settings,
        clock=state.now,
        headers={"Sandbox": "true"},
        banner=BANNER,
        beside=[state, feed] if told.journal else [state],
    )
    answering = service if told.strict is None else StrictAnswers(service, told.strict)
    with_faults = FaultsOfService(answering, state)
    return recorded(with_faults, settings, feed) if told.journal else with_faults
