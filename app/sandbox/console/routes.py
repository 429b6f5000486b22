"""The page, and the script that keeps it new and sends what is pressed."""

from pathlib import Path
from urllib.parse import quote

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.calls import Calls
from app.sandbox.clock import Clock
from app.sandbox.console.calls import (
    RECEIVERS,
    Query,
    as_curl,
    errors,
    kind,
    of_journal,
    reasons,
    shown,
    with_changes,
)
from app.sandbox.console.view import (
    LANGUAGES,
    coded,
    moment,
    of_altinn,
    of_issuer,
    of_mail,
    of_sandbox,
    of_time,
    time_of_day,
)
from app.sandbox.controls.service_controls import ServiceControls
from app.sandbox.faults import Fault, Faults
from app.sandbox.journal.entries import Journal
from app.sandbox.neighbours import Neighbours
from app.sandbox.token_issuer.issuer import Issuer

FILES = Path(__file__).parent
TEMPLATES = Environment(
    loader=FileSystemLoader(FILES / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {
    "coded": coded,
    "moment": moment,
    "time_of_day": time_of_day,
    "shown": shown,
    "reasons": reasons,
    "errors": errors,
    "kind": kind,
    "with": with_changes,
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@get("/", include_in_schema=False)
async def show_console(
    neighbours: NamedDependency[Neighbours],
    altinn: NamedDependency[Altinn],
    calls: NamedDependency[Calls],
    faults: NamedDependency[Faults],
    clock: NamedDependency[Clock],
    issuer: NamedDependency[Issuer],
    journal: NamedDependency[Journal],
    service_controls: NamedDependency[ServiceControls],
    find: FromQuery[str] = "",
    lang: FromQuery[str] = "en",
    client: FromQuery[str] = "",
    path: FromQuery[str] = "",
    to: FromQuery[str] = "",
    refused: FromQuery[str] = "",
) -> Response[str]:
    query = Query(
        find=find,
        lang=lang if lang in LANGUAGES else "en",
        client=client,
        path=path,
        to=to if to in RECEIVERS else "",
        refused=refused,
    )
    of_service = msgspec.convert(await service_controls.told("/faults") or [], list[Fault])
    text = TEMPLATES.get_template("console.html").render(
        query=query,
        curl=lambda call: as_curl(call, neighbours),
        service=await service_controls.told(f"/overview?find={quote(find, safe='')}"),
        faults=[*faults.current(), *of_service],
        **of_mail(await service_controls.told("/mailbox")),
        **of_sandbox(neighbours),
        **of_altinn(altinn, calls),
        **of_time(clock),
        **of_issuer(issuer),
        **of_journal(journal, query),
    )
    return Response(text, media_type=MediaType.HTML, headers=HEADERS)


@get("/console.js", include_in_schema=False)
async def console_script() -> Response[bytes]:
    return _file("console.js", "text/javascript")


@get("/pressing.js", include_in_schema=False)
async def pressing_script() -> Response[bytes]:
    return _file("pressing.js", "text/javascript")


@get("/console.css", include_in_schema=False)
async def console_style() -> Response[bytes]:
    return _file("console.css", "text/css")


def _file(name: str, media_type: str) -> Response[bytes]:
    return Response((FILES / name).read_bytes(), media_type=media_type, headers=HEADERS)
