"""What developers read: served as it was made, from this service alone."""

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from litestar import Litestar
from litestar.datastructures import State
from playwright.async_api import Browser, Route

from app.api_document import document_path
from app.problems import Problem
from app.web.frame import Frame
from app.web.languages import Language
from app.web.pages import EXCEPTION_HANDLERS, assets
from app.web.published_documents import REFERENCE, REFERENCE_FILES, explanations, reference_pages
from tests.test_api_document import all_problems

BASE = "http://localhost:8080"  # browsers trust it without TLS
KINDS: Mapping[str, type[Problem]] = {kind.slug: kind for kind in all_problems()}


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    app = Litestar(
        [assets, *reference_pages],
        state=State({"settings": SimpleNamespace(operator="Eksempel AS"), "banner": "Sandkasse"}),
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
    )
    transport = httpx2.ASGITransport(cast(Any, Frame(app, trusted_proxies=[], headers={})))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.mark.parametrize("name", ["openapi.json", "openapi-3.0.json"])
async def test_a_document_is_served_as_it_is_committed(
    client: httpx2.AsyncClient, name: str
) -> None:
    answer = await client.get(f"/{name}")
    assert answer.status_code == 200
    assert answer.content == document_path(name).read_bytes()
    assert answer.headers["content-type"].startswith("application/json")
    again = await client.get(f"/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/v1"])
async def test_short_addresses_lead_to_the_reference(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.is_redirect
    assert answer.headers["location"] == REFERENCE == "/docs/v1/index.html"


async def test_the_reference_is_made_of_files_of_this_service(client: httpx2.AsyncClient) -> None:
    page = await client.get(REFERENCE)
    policy = page.headers["content-security-policy"]
    assert "'unsafe" not in policy
    assert "http" not in policy
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) >= len(REFERENCE_FILES)
    for address in addresses:
        assert address.startswith("/")
        file = await client.get(address)
        assert file.status_code == 200, address
        if address.startswith("/docs/files/"):
            assert "immutable" in file.headers["cache-control"]
            assert file.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["reference.js", "redoc-LICENSE.txt", "..%2Fpages.py"])
async def test_no_other_file_and_no_other_content_has_an_address(
    client: httpx2.AsyncClient, name: str
) -> None:
    answer = await client.get(f"/docs/files/0123456789abcdef/{name}")
    assert answer.status_code == 404


def test_the_viewer_comes_with_its_licence() -> None:
    folder = Path("app/web/reference")
    assert "MIT License" in (folder / "redoc-LICENSE.txt").read_text("utf-8")
    assert (folder / "redoc.standalone.js.LICENSE.txt").is_file()


@pytest.mark.parametrize("language", Language)
def test_every_problem_is_explained_in_its_own_words(language: Language) -> None:
    told, english = explanations(language), explanations(Language.EN)
    assert set(told) == set(KINDS)
    for slug, problem in told.items():
        assert problem["status"] == int(KINDS[slug].status)
        for part in ("meaning", "remedy"):
            assert problem[part].endswith(".")
            # What is typed is the same in all languages.
            assert typed(problem[part]) == typed(english[slug][part]), (slug, part)
    assert {slug: problem["title"] for slug, problem in english.items()} == {
        slug: kind.title for slug, kind in KINDS.items()
    }


def typed(text: str) -> set[str]:
    return set(text.split("`")[1::2])


@pytest.mark.parametrize("slug", sorted(KINDS))
async def test_every_problem_has_a_page(client: httpx2.AsyncClient, slug: str) -> None:
    kind = KINDS[slug]
    page = await client.get(f"/problems/{slug}", headers={"Accept-Language": "en-GB"})
    assert page.status_code == 200
    assert page.headers["content-language"] == "en"
    assert f">{kind.title}</h1>" in page.text.replace("&#39;", "'")
    assert f"HTTP status {int(kind.status)}" in page.text
    listed = await client.get("/problems?lang=en")
    assert f'href="/problems/{slug}?lang=en"' in listed.text


@pytest.mark.parametrize("path", ["/problems", "/problems/key-taken"])
async def test_the_pages_of_problems_are_in_three_languages(
    client: httpx2.AsyncClient, path: str
) -> None:
    said = set()
    for language in Language:
        page = await client.get(f"{path}?lang={language}")
        assert page.headers["content-language"] == language
        for other in Language:
            assert f'href="{path}?lang={other}"' in page.text
        said.add(page.text.partition("<h1")[2].partition("</main>")[0])
    assert len(said) == 3
    assert (await client.get(path)).headers["content-language"] == "nb"


async def test_a_problem_of_the_api_is_shown_as_it_is_sent(client: httpx2.AsyncClient) -> None:
    page = await client.get("/problems/last-usable-key")
    assert "/problems/last-usable-key&#34;" in page.text
    assert "&#34;status&#34;: 409" in page.text


async def test_an_unknown_problem_is_a_page_that_says_so(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/problems/nothing", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.browser
async def test_a_browser_shows_the_reference_at_the_anchors_of_helseid(
    client: httpx2.AsyncClient, browser: Browser
) -> None:
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.url)
        got = await client.get(route.request.url)
        await route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.content)

    page = await browser.new_page(viewport={"width": 1400, "height": 900})
    await page.route("**/*", answer)
    refused: list[str] = []
    page.on("console", lambda line: refused.append(line.text) if line.type == "error" else None)
    await page.goto(f"{BASE}{REFERENCE}#tag/ClientDrafts")
    heading = page.get_by_role("heading", name="Ask for a client")
    await heading.wait_for()
    await page.wait_for_function("window.scrollY > 0")
    assert await heading.is_visible()
    assert [url for url in asked if not url.startswith(BASE)] == []
    # The viewer asks another host for its logo, and does not get it.
    assert [line for line in refused if "logo-mini.svg" not in line] == []
