"""What must not stand in a log, in the audit trail, or in an answer."""

from pathlib import Path

import httpx2
import pytest

from tests.installers.listener import LoopbackListener
from tests.installers.person import Person
from tests.installers.plain import PlainInstaller
from tests.journeys.stored import Stored
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
KARIS_NUMBER = "12838540056"


def test_nothing_secret_is_logged_or_kept(
    sandbox: Ready,
    http: httpx2.Client,
    listener: LoopbackListener,
    stored: Stored,
    sandbox_log: Path,
) -> None:
    client = PlainInstaller(sandbox, http)
    link = client.draft(postClientConfirmationRedirectUri=listener.address).json()["confirmUrl"]
    with Person() as kari:
        page = kari.log_in(kari.open(link))
        cookies = kari.cookies()
        form_token = page.forms[-1].fields["formToken"]
        kari.press(page, "Bekreft", contactEmail="drift@fjordbyen.example")
    client.log_in()
    proof = client.proof("GET", "client")
    assert client.call("GET", "client", headers={"DPoP": proof}).status_code == 200
    assert client.call("GET", "client", headers={"DPoP": proof}).status_code == 401

    secrets = [client.token, proof, client.key.private()["d"], form_token, *cookies.values()]
    log = sandbox_log.read_text(encoding="utf-8")
    for secret in (KARIS_NUMBER, "Kari Nordmann", "drift@fjordbyen.example", *secrets):
        assert secret not in log
    assert client.client_id in log  # who called is told
    assert f"/confirm-client/{client.client_id}" not in log  # a path is logged as its template

    rows = stored.rows(
        "SELECT t::text AS t FROM audit_events AS t WHERE strpos(t::text, $1) > 0", client.client_id
    )
    trail = "\n".join(row["t"] for row in rows)
    assert "clientDraft.confirmed" in trail
    for secret in (KARIS_NUMBER, "Nordmann", *secrets):
        assert secret not in trail
    for table in ("login_sessions", "login_attempts"):
        for secret in (KARIS_NUMBER, *cookies.values()):
            found = f"SELECT count(*) FROM {table} AS t WHERE strpos(t::text, $1) > 0"
            assert stored.value(found, secret) == 0
