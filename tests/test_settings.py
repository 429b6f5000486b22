"""Settings come from variables or files; what does not fit stops the start with its name."""

from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import ECKey
from msgspec import json
from msgspec.structs import replace

from app.settings import Environment, SettingsRefused, read_settings

KEY = ECKey.generate_key("P-256")
PRIVATE, PUBLIC = (json.encode(KEY.as_dict(private=which)).decode() for which in (True, False))

FINE = {
    "ONBOARDING_DATABASE_URL": "postgresql://db/onboarding",
    "ONBOARDING_PUBLIC_BASE_URLS": "https://a.example, https://b.example/below",
    "ONBOARDING_ENVIRONMENT": "test",
    "ONBOARDING_SECRET_KEY": "k" * 32,
    "ONBOARDING_ISSUER": "https://sts.example",
    "ONBOARDING_REGISTRATION_TOKEN": "t" * 32,
    "ONBOARDING_LOGIN_CLIENT_ID": "the-service",
    "ONBOARDING_LOGIN_KEY": PRIVATE,
}


def refusal(**changes: str | None) -> str:
    """What is said when the variables, without their prefix, are changed or left out."""
    changed = FINE | {f"ONBOARDING_{name}": value for name, value in changes.items()}
    given = {name: value for name, value in changed.items() if value is not None}
    with pytest.raises(SettingsRefused) as refused:
        read_settings(given)
    return str(refused.value)


def test_what_has_to_be_set_is_enough() -> None:
    settings = read_settings(FINE | {"PATH": "/bin", "ONBOARDING_TEST_DATABASE_URL": "x"})
    assert settings.public_base_urls == ["https://a.example", "https://b.example/below"]
    assert settings.base_url == "https://a.example"
    assert settings.environment is Environment.TEST
    assert settings.operator == "a.example"
    assert not settings.allow_bearer
    assert (settings.key_life_days, settings.draft_life_hours) == (365, 24)
    assert settings.body_limit == 65_536
    assert settings.drafts_per_minute_and_key == 60
    assert settings.drafts_per_day_and_key == 2_000
    assert settings.drafts_per_hour_organization_and_key == 10
    assert settings.drafts_per_minute_and_address == 30
    assert settings.logins_per_minute_and_address == 60
    assert settings.failed_logins_per_minute == 30


def test_values_are_read_as_what_they_are() -> None:
    more = {
        "ONBOARDING_ALLOW_BEARER": "true",
        "ONBOARDING_KEY_LIFE_DAYS": "90",
        "ONBOARDING_TRUSTED_PROXIES": "10.0.0.1,10.2.0.0/16",
        "ONBOARDING_ALLOWED_ORGANIZATION_NUMBERS": "",
        "ONBOARDING_ALTINN_URL": "",
        "ONBOARDING_OPERATOR_NAME": "Norsk drift",
    }
    settings = read_settings(FINE | more)
    assert settings.allow_bearer
    assert settings.key_life_days == 90
    assert settings.trusted_proxies == ["10.0.0.1", "10.2.0.0/16"]
    assert settings.altinn_url is None
    assert settings.allowed_organization_numbers == []
    assert settings.operator == "Norsk drift"


@pytest.mark.parametrize("variable", FINE)
def test_a_missing_setting_is_named(variable: str) -> None:
    name = variable.removeprefix("ONBOARDING_")
    assert refusal(**{name: None}) == f"{variable} is missing."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://db/onboarding"),
        ("PUBLIC_BASE_URLS", ""),
        ("PUBLIC_BASE_URLS", "https://a.example/"),
        ("PUBLIC_BASE_URLS", "a.example"),
        ("PUBLIC_BASE_URLS", "https://a.example/below,https://b.example"),
        ("ENVIRONMENT", "staging"),
        ("SECRET_KEY", "short"),
        ("ISSUER", "https://sts.example/ x"),
        ("ALLOW_BEARER", "perhaps"),
        ("KEY_LIFE_DAYS", "0"),
        ("KEY_LIFE_DAYS", "a year"),
        ("SECURITY_LEVEL", "2"),
        ("TRUSTED_PROXIES", "10.0.0.1,the-proxy"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("ALLOWED_ORGANIZATION_NUMBERS", "310000019,31000001"),
        ("CA_FILE", "/no/such/file.pem"),
        ("LOGIN_KEY", "no key"),
        ("LOGIN_KEY", "[]"),
        ("LOGIN_KEY", PUBLIC),
        ("LOGIN_KEY", '{"kty":"oct","k":"c2hhcmVkIHdpdGggbm9ib2R5LCBzbyBubyBzZWNyZXQ"}'),
        ("MASKINPORTEN_KEY", PRIVATE.replace("P-256", "P-257")),
    ],
)
def test_a_bad_setting_is_named_and_a_secret_not_shown(name: str, value: str) -> None:
    said = refusal(**{name: value})
    assert said.startswith(f"ONBOARDING_{name}: ")
    assert "\n" not in said
    assert name not in ("SECRET_KEY", "LOGIN_KEY", "MASKINPORTEN_KEY") or value not in said


def test_an_unknown_setting_is_named() -> None:
    assert refusal(ALOW_BEARER="true") == "ONBOARDING_ALOW_BEARER is not a setting."


def test_every_fault_is_told_at_once() -> None:
    said = refusal(ALOW_BEARER="true", ISSUER=None, KEY_LIFE_DAYS="0").splitlines()
    assert [line.partition(" ")[0].rstrip(":") for line in said] == [
        "ONBOARDING_ALOW_BEARER",
        "ONBOARDING_ISSUER",
        "ONBOARDING_KEY_LIFE_DAYS",
    ]


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 40 + "\n", encoding="utf-8")
    given = FINE | {"ONBOARDING_SECRET_KEY_FILE": str(secret)}
    del given["ONBOARDING_SECRET_KEY"]
    assert read_settings(given).secret_key == "s" * 40


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    for value in (str(tmp_path / "nowhere"), str(tmp_path), str(binary), "nul\0"):
        said = refusal(SECRET_KEY=None, SECRET_KEY_FILE=value)
        assert said.startswith("ONBOARDING_SECRET_KEY_FILE: ")
        assert "\n" not in said


def test_a_file_that_cannot_be_read_is_told_with_every_other_fault() -> None:
    said = refusal(SECRET_KEY=None, SECRET_KEY_FILE="/no/such/file", KEY_LIFE_DAYS="0")
    names = [line.partition(":")[0] for line in said.splitlines()]
    assert names == ["ONBOARDING_KEY_LIFE_DAYS", "ONBOARDING_SECRET_KEY_FILE"]


def test_a_setting_that_ends_like_a_file_is_itself(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    settings = read_settings(FINE | {"ONBOARDING_CA_FILE": str(authority)})
    assert settings.ca_file == str(authority)


def test_a_setting_given_twice_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 40, encoding="utf-8")
    said = refusal(SECRET_KEY_FILE=str(secret))
    assert said == "ONBOARDING_SECRET_KEY is given twice, once by a file."


def test_an_altinn_needs_all_that_it_is_asked_with() -> None:
    said = refusal(ALTINN_URL="https://platform.tt02.altinn.no")
    for name in ("ALTINN_UI_URL", "MASKINPORTEN_ISSUER", "MASKINPORTEN_CLIENT_ID"):
        assert f"ONBOARDING_{name} is missing: Altinn needs it." in said
    assert "ONBOARDING_MASKINPORTEN_KEY is missing" in said
    assert read_settings(FINE).altinn_url is None


def test_maskinportens_name_ends_with_a_slash_and_altinns_does_not() -> None:
    settings = read_settings(FINE | {"ONBOARDING_MASKINPORTEN_ISSUER": "https://maskinporten.no/"})
    assert settings.maskinporten_issuer == "https://maskinporten.no/"
    assert "ONBOARDING_ALTINN_URL" in refusal(ALTINN_URL="https://platform.altinn.no/")


def test_no_variable_scales_time() -> None:
    assert refusal(TIME_SCALE="60") == "ONBOARDING_TIME_SCALE is not a setting."
    assert read_settings(FINE).time_scale == 1


def test_what_is_scaled_keeps_what_somebody_needs_to_act() -> None:
    settings = read_settings(FINE)
    day, least = timedelta(days=1), timedelta(seconds=5)
    assert settings.scaled(day, least=least) == day
    fast = replace(settings, time_scale=86_400.0)
    assert fast.scaled(day) == timedelta(seconds=1)
    assert fast.scaled(day, least=least) == least
    assert fast.scaled(timedelta(0), least=least) == timedelta(0)
