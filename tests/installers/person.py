"""A person at a browser without scripts: opens links, presses buttons, follows redirects."""

import ssl
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx2
from msgspec import Struct, field

MOST_REDIRECTS = 10
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "nb-NO,nb;q=0.9",
}


class Button(Struct):
    name: str | None
    value: str
    form: str | None
    text: str = ""


class Form(Struct):
    id: str | None
    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)


class Page(Struct):
    address: str
    status: int
    html: str
    text: str
    forms: list[Form]
    visited: list[str]
    """The addresses that led here, this one included."""


class Person:
    def __init__(self, verify: ssl.SSLContext | bool = True) -> None:
        self._http = httpx2.Client(headers=BROWSER, trust_env=False, timeout=30, verify=verify)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def cookies(self) -> dict[str, str]:
        return dict(self._http.cookies)

    def open(self, address: str) -> Page:
        """As from the command line or another program: no site has sent the person here."""
        return self._follow(self._http.get(address, headers={"Sec-Fetch-Site": "none"}))

    def press(self, page: Page, label: str, **filled: str) -> Page:
        """Press the button that begins with `label`, in the form as the page has filled it in."""
        form, button = _button(page, label)
        fields = form.fields | filled
        if button.name:
            fields[button.name] = button.value
        address = urljoin(page.address, form.action)
        if form.method == "get":
            bare = address.partition("?")[0]
            return self._follow(self._http.get(bare, params=fields))
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.address))
        headers = {"Origin": origin, "Referer": page.address, "Sec-Fetch-Site": "same-origin"}
        return self._follow(self._http.post(address, data=fields, headers=headers))

    def log_in(self, page: Page, name: str = "Kari Nordmann") -> Page:
        """From a page that wants a login, over the issuer's page, back to where it began."""
        return self.press(self.press(page, "Logg inn"), name)

    def _follow(self, answer: httpx2.Response) -> Page:
        visited = [str(answer.url)]
        while answer.is_redirect:
            assert answer.status_code == 303, answer
            assert len(visited) < MOST_REDIRECTS, visited
            answer = self._http.get(urljoin(visited[-1], answer.headers["location"]))
            visited.append(str(answer.url))
        reader = _Reader()
        reader.feed(answer.text)
        return Page(
            address=str(answer.url),
            status=answer.status_code,
            html=answer.text,
            text=" ".join(" ".join(reader.words).split()),
            forms=reader.forms,
            visited=visited,
        )


def _button(page: Page, label: str) -> tuple[Form, Button]:
    for form in page.forms:
        for button in form.buttons:
            if " ".join(button.text.split()).startswith(label):
                owner = next((f for f in page.forms if button.form and f.id == button.form), form)
                return owner, button
    raise AssertionError(f"No button {label!r} on {page.address} ({page.status}): {page.text}")


class _Reader(HTMLParser):
    """Forms, and the words between the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._button: Button | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attributes}
        if tag == "form":
            method = has.get("method", "get").lower()
            self._form = Form(has.get("id"), method, has.get("action", ""))
            self.forms.append(self._form)
        elif tag == "input" and self._form and has.get("type") not in ("radio", "checkbox"):
            self._form.fields[has["name"]] = has.get("value", "")
        elif tag == "button" and self._form:
            self._button = Button(has.get("name"), has.get("value", ""), has.get("form"))
            self._form.buttons.append(self._button)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "button":
            self._button = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._button:
            self._button.text += data
