"""What is made again from the secret key is what it was: tokens, links and codes that people have
outlive a release."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.access.onboarding_tokens import onboarding_token
from app.client_drafts.activation import activation_code
from app.client_drafts.pairing import pairing_code
from app.client_keys.wire import StoredKey
from app.notices.rules import block_token
from tests.client_drafts.visiting import a_draft
from tests.examples import NOW

CLIENT = UUID("8a8b4d1c-63b4-4f0e-9a53-0d5d0f5e7f11")
SECRET: dict[str, Any] = {"secret_key": "a secret that only this test knows"}


def test_an_onboarding_token() -> None:
    assert onboarding_token(CLIENT, **SECRET) == "v1.gpxZHRNzrpEpEUzCLrQ1NywM76Rlk4GwJyCDmnk4770"
    assert (
        onboarding_token(CLIENT, version=2, **SECRET)
        == "v1.3U2zjj38H3vZkedK8UQ2kMcmnMNOmqdvLIM6Uls9SjQ"
    )


def test_a_pairing_code() -> None:
    assert pairing_code(CLIENT, "thumbprint", **SECRET) == "J6F6-HNSP"


def test_a_link_in_a_notice() -> None:
    assert (
        block_token(7, CLIENT, **SECRET)
        == "7-d5d8dc3d002c6807ddd839bec740b8a22c260bf0359b8f20e3c89e3187f9c9e3"
    )


def test_an_activation_code() -> None:
    draft = a_draft(
        client_id=CLIENT,
        public_key=StoredKey("thumbprint", "kid", {}),
        activation_until=NOW + timedelta(minutes=10),
    )
    assert activation_code(draft, **SECRET) == "U3sb_FzbufT3uRJ5RHLV1aXjBc_eI21mM55cK5hOIPg"
