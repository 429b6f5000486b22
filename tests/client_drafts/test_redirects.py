import pytest

from app.client_drafts.redirects import (
    confirmation_redirect_error,
    legacy_redirect,
    redirect_target,
)
from app.client_systems.redirect_uris import redirect_uri_error

ORIGINS = ["https://epj.fjord.example", "https://lab.fjord.example:8443"]


def code_of(uri: str) -> str | None:
    error = redirect_uri_error(uri, pointer="#/redirectUris/0", https_origins=ORIGINS)
    return error.code if error else None


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost/callback",
        "http://localhost:8765/callback",
        "http://127.0.0.1:8765",
        "http://[::1]:8765/callback?a=b",
        "https://epj.fjord.example/callback",
        "https://EPJ.fjord.example:443/callback",
        "https://lab.fjord.example:8443/",
        "http://localhost:1/" + "a" * 1981,
    ],
)
def test_loopback_and_registered_origins_are_accepted(uri: str) -> None:
    assert code_of(uri) is None


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("http://localhost:1/" + "a" * 1982, "too_long"),
        ("http://epj.fjord.example/callback", "not_loopback"),
        ("http://127.0.0.2/", "not_loopback"),
        ("http://localhost.evil.example/", "not_loopback"),
        ("http://0.0.0.0:80/", "not_loopback"),
        ("http://2130706433/", "not_loopback"),
        ("https://localhost/callback", "unregistered_origin"),
        ("https://fjord.example/callback", "unregistered_origin"),
        ("https://epj.fjord.example.evil.example/", "unregistered_origin"),
        ("https://epj.fjord.example:8443/", "unregistered_origin"),
        ("https://lab.fjord.example/", "unregistered_origin"),
        ("http://localhost/#part", "fragment"),
        ("http://localhost/#", "fragment"),
        ("http://user@localhost/", "user_info"),
        ("http://localhost:80@evil.example/", "user_info"),
        ("https://epj.fjord.example@evil.example/", "user_info"),
        ("https://*.fjord.example/", "not_an_address"),
        ("http://localhost:*/", "not_an_address"),
        ("http://localhost\\@evil.example/", "not_an_address"),
        ("http://localhost/call back", "not_an_address"),
        ("http://localhost/\r\nSet-Cookie: a=b", "not_an_address"),
        ("http://local\thost/", "not_an_address"),
        ("http://localhost/\u0130", "not_an_address"),
        ("http://ⓛocalhost/", "not_an_address"),
        ("http://localhost%2eevil.example/", "not_an_address"),
        ("http://localhost:<port>/", "not_an_address"),
        ("http://localhost/%zz", "not_an_address"),
        ("http://localhost:0/", "not_an_address"),
        ("http://localhost:65536/", "not_an_address"),
        ("http://localhost:/", "not_an_address"),
        ("http://localhost./", "not_an_address"),
        ("http://[::]/", "not_an_address"),
        ("http://[::ffff:127.0.0.1]/", "not_an_address"),
        ("http:/localhost/", "not_an_address"),
        ("http:localhost", "not_an_address"),
        ("//localhost/", "not_an_address"),
        ("/callback", "not_an_address"),
        ("", "not_an_address"),
        ("javascript:alert(1)", "not_an_address"),
        ("data:text/html,x", "not_an_address"),
        ("fjord-epj:/callback", "not_an_address"),
        ("http://[::1/", "not_an_address"),
        ("http://[::1].evil.example/", "not_an_address"),
        ("http://[::1]@evil.example/", "not_an_address"),
        ("http://localhost/[a]", "not_an_address"),
    ],
)
def test_every_other_address_is_refused(uri: str, code: str) -> None:
    assert code_of(uri) == code


def test_a_refusal_points_to_its_place() -> None:
    error = redirect_uri_error("/x", pointer="#/redirectUris/3", https_origins=[])
    assert error is not None
    assert error.pointer == "#/redirectUris/3"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", None),
        ("?", None),
        ("?installation=7&site=a", None),
        ("?status=", "status_in_query"),
        ("?Status=x", "status_in_query"),
        ("?st%61tus=x", "status_in_query"),
        ("?a=1&A=2", "repeated_name"),
        ("?a=1&%61=2", "repeated_name"),
        ("?a", "bare_name"),
        ("?=1", "bare_name"),
        ("?a=1&", "bare_name"),
        ("??", "bare_name"),
    ],
)
def test_the_query_after_confirmation_is_one_that_the_fragile_parsers_read(
    query: str, code: str | None
) -> None:
    error = confirmation_redirect_error(
        f"http://localhost:8765/done{query}",
        pointer="#/postClientConfirmationRedirectUri",
        https_origins=[],
    )
    assert (error.code if error else None) == code


def test_the_address_after_confirmation_is_judged_like_the_others_first() -> None:
    error = confirmation_redirect_error("http://evil.example/", pointer="#", https_origins=ORIGINS)
    assert error is not None
    assert error.code == "not_loopback"


@pytest.mark.parametrize(
    ("port", "path", "expected"),
    [
        ("8765", "/callback", (8765, "/callback")),
        ("8765", "callback", (8765, "/callback")),
        ("1024", "/a/b_c-d.html", (1024, "/a/b_c-d.html")),
        ("65535", "/", (65535, "/")),
        ("8765", "/" + "a" * 99, (8765, "/" + "a" * 99)),
        ("8765", "/" + "a" * 100, None),
        ("<port>", "<path>", None),
        ("%3Cport%3E", "%3Cpath%3E", None),
        (None, None, None),
        ("8765", None, None),
        ("8765", "", None),
        (None, "/callback", None),
        ("1023", "/callback", None),
        ("65536", "/callback", None),
        ("08765", "/callback", (8765, "/callback")),
        ("٨٧٦٥", "/callback", None),
        ("8765\n", "/callback", None),
        ("8765@evil", "/callback", None),
        ("8765", "/callback?a=b", None),
        ("8765", "/callback\n", None),
        ("8765", "@evil.example/", None),
        ("8765", "/a b", None),
        ("8765", "\\evil", None),
    ],
)
def test_the_old_links_port_and_path_count_only_when_nothing_is_odd(
    port: str | None, path: str | None, expected: tuple[int, str] | None
) -> None:
    assert legacy_redirect(port, path) == expected


@pytest.mark.parametrize(
    ("address", "port", "path", "target"),
    [
        ("http://localhost:1/a", None, None, "http://localhost:1/a?status=Success"),
        ("http://localhost:1", None, None, "http://localhost:1?status=Success"),
        ("http://localhost:1/a?", None, None, "http://localhost:1/a?status=Success"),
        ("http://localhost:1/a?b=c", None, None, "http://localhost:1/a?b=c&status=Success"),
        ("http://localhost:1/a", 8765, "/old", "http://localhost:1/a?status=Success"),
        (None, 8765, "/old", "http://localhost:8765/old?status=Success"),
        (None, 8765, None, None),
        (None, None, None, None),
    ],
)
def test_the_drafts_own_address_wins_over_the_old_links(
    address: str | None, port: int | None, path: str | None, target: str | None
) -> None:
    assert redirect_target(address, port, path, status="Success") == target
