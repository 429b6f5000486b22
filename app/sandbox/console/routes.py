"""The page, and the script that keeps it new and sends what is pressed."""

from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response, get
from litestar.di import NamedDependency

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.clock import Clock
from app.sandbox.console.view import moment, of_altinn, of_journal, of_sandbox, of_time, shown
from app.sandbox.controls.service_controls import ServiceControls
from app.sandbox.faults import TARGETS, Fault, Faults
from app.sandbox.journal.entries import Journal
from app.sandbox.neighbours import Neighbours

FILES = Path(__file__).parent
TEMPLATES = Environment(
    loader=FileSystemLoader(FILES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"moment": moment, "shown": shown}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@get("/", include_in_schema=False)
async def show_console(
    neighbours: NamedDependency[Neighbours],
    altinn: NamedDependency[Altinn],
    faults: NamedDependency[Faults],
    clock: NamedDependency[Clock],
    journal: NamedDependency[Journal],
    service_controls: NamedDependency[ServiceControls],
) -> Response[str]:
    service = await service_controls.told("/overview")
    of_service = msgspec.convert(await service_controls.told("/faults") or [], list[Fault])
    text = TEMPLATES.get_template("console.html").render(
        service=service,
        faults=[*faults.current(), *of_service],
        targets=TARGETS,
        **of_sandbox(neighbours),
        **of_altinn(altinn),
        **of_time(clock),
        **of_journal(journal),
    )
    return Response(text, media_type=MediaType.HTML, headers=HEADERS)


@get("/console.js", include_in_schema=False)
async def console_script() -> Response[bytes]:
    return _file("console.js", "text/javascript")


@get("/console.css", include_in_schema=False)
async def console_style() -> Response[bytes]:
    return _file("console.css", "text/css")


def _file(name: str, media_type: str) -> Response[bytes]:
    return Response((FILES / name).read_bytes(), media_type=media_type, headers=HEADERS)
