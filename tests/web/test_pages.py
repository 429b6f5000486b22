"""What all pages share: languages, texts, forms and assets."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest
from litestar import Litestar, Router, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.testing import TestClient

from app.problems import Problem, ServiceUnavailable, TooManyRequests
from app.web.forms import FormRefused, NotFromOwnPage, form_token, is_form_token, read_form
from app.web.languages import Language, chosen_language, written_moment, written_number
from app.web.pages import EXCEPTION_HANDLERS, HERE, asset, asset_address, assets, texts
from tests.serving import settings_for

FORM = "application/x-www-form-urlencoded"


def leaves(texts: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in texts.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", "\n".join(value) if isinstance(value, list) else value


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", [Language.NN, Language.EN])
def test_every_language_says_everything_with_the_same_gaps(language: Language) -> None:
    bokmal = {name: gaps(text) for name, text in leaves(texts(Language.NB))}
    assert {name: gaps(text) for name, text in leaves(texts(language))} == bokmal


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (NotFromOwnPage("no"), "Skjemaet kom ikke fra denne tjenesten"),
        (TooManyRequests("no", retry_after=7), "for mange innlogginger"),
        (ServiceUnavailable("no"), "Tjenesten er ikke tilgjengelig"),
        (FormRefused("no"), "Forespørselen kan ikke leses"),
    ],
)
def test_a_page_says_what_a_refusal_is_about(problem: Problem, said: str) -> None:
    @get("/")
    async def refuse() -> str:
        raise problem

    state = State({"settings": settings_for("postgresql://nowhere/db"), "banner": None})
    pages = Router("/", route_handlers=[refuse], exception_handlers=EXCEPTION_HANDLERS)
    with TestClient(Litestar([pages], state=state)) as client:
        answer = client.get("/")
    assert answer.status_code == problem.status
    assert said in answer.text
    assert answer.headers.get("retry-after") == problem.headers.get("Retry-After")


def test_the_languages_differ() -> None:
    said = [dict(leaves(texts(language))) for language in Language]
    same = {
        name
        for name, text in said[0].items()
        if text == said[2][name] and not name.endswith("color")
    }
    assert same == set()


def test_every_text_that_a_template_names_is_there() -> None:
    used = set()
    for template in (HERE / "templates").glob("*.html"):
        used |= set(re.findall(r"\bt\.([a-z_]+\.[a-z_]+)", template.read_text(encoding="utf-8")))
    named = {name for name, _ in leaves(texts(Language.NB))}
    sections = {f"{name.split('.')[0]}.{name.split('.')[1]}" for name in named}
    assert used <= sections


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, None, "nb"),
        (None, "", "nb"),
        (None, "nn-NO,nb;q=0.5", "nn"),
        (None, "no", "nb"),
        (None, "en-GB", "en"),
        (None, "sv,de;q=0.9,en;q=0.8,nn;q=0.1", "en"),
        (None, "en;q=0.1,nn;q=0.9", "nn"),
        (None, "en;q=0,nn;q=0.1", "nn"),
        (None, "de", "nb"),
        (None, "*", "nb"),
        (None, "nn;q=x,en", "en"),
        (None, ";;,,q=1;" * 200, "nb"),
        ("en", "nn", "en"),
        ("no", None, "nb"),
        ("de", "nn", "nn"),
        ("../nb", None, "nb"),
    ],
)
def test_the_language_is_the_one_asked_for_or_liked_best(
    asked: str | None, accepted: str | None, language: str
) -> None:
    assert chosen_language(asked, accepted) == language


def test_numbers_are_written_in_groups() -> None:
    assert written_number("310000019").split("\N{NO-BREAK SPACE}") == ["310", "000", "019"]


@pytest.mark.parametrize(
    ("moment", "language", "written"),
    [
        (datetime(2026, 11, 22, 12, 5, tzinfo=UTC), "nb", "22. november 2026 kl. 13.05"),
        (datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "nn", "2. juli 2026 kl. 00.30"),
        (datetime(2026, 5, 1, 7, 0, tzinfo=UTC), "en", "1 May 2026 at 09:00"),
    ],
)
def test_moments_are_written_as_norwegian_clocks_show_them(
    moment: datetime, language: str, written: str
) -> None:
    assert written_moment(moment, Language(language)) == written


def test_a_form_is_read_whatever_its_letters() -> None:
    assert read_form(b"a=%C3%A6+b&c=", f"{FORM}; charset=utf-8") == {"a": "æ b", "c": ""}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"a=1", "application/json"),
        (b"a=1", ""),
        (b"a=1", "multipart/form-data; boundary=x"),
        (b"\xc3\xa6=1", FORM),
        (b"a=1&" * 21, FORM),
    ],
)
def test_what_is_no_form_is_refused(raw: bytes, kind: str) -> None:
    with pytest.raises(FormRefused):
        read_form(raw, kind)


def test_a_token_is_good_for_exactly_what_it_is_bound_to() -> None:
    token = form_token("key", b"ab", b"c")
    assert is_form_token(token, "key", b"ab", b"c")
    for key, bound in (("other", (b"ab", b"c")), ("key", (b"a", b"bc")), ("key", (b"ab",))):
        assert not is_form_token(token, key, *bound)
    assert not is_form_token(None, "key", b"ab", b"c")


def test_an_asset_is_kept_for_ever_at_an_address_of_its_own() -> None:
    with TestClient(Litestar([assets], openapi_config=None)) as client:
        for name in ("designsystemet.css", "designsystemet-theme.css", "pages.css", "icon.svg"):
            answer = client.get(asset_address(name))
            assert answer.content == asset(name)[0]
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("digest", "name"),
    [
        ("0" * 16, "pages.css"),
        ("0" * 16, "designsystemet-LICENSE.txt"),
        ("0" * 16, "../pages.py"),
        ("0" * 16, "../assets/pages.css"),
        ("0" * 16, "nothing.css"),
    ],
)
def test_nothing_but_the_assets_is_given_out(digest: str, name: str) -> None:
    with pytest.raises(NotFoundException):
        assets.fn(digest, name)


def test_no_stylesheet_asks_anybody_else_for_anything() -> None:
    for stylesheet in (HERE / "assets").glob("*.css"):
        text = stylesheet.read_text(encoding="utf-8")
        assert "@import" not in text
        assert all(
            target.lstrip("'\"").startswith("data:")
            for target in re.findall(r"url\(([^)]{6})", text)
        )
