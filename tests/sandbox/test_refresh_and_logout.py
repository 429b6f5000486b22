import httpx2
import pytest

from app.sandbox.people import KARI
from tests.sandbox.installer import (
    CREDENTIAL,
    ISSUER,
    REGISTER,
    Installer,
    assert_refused,
    claims_of,
    details,
)

PID = "helseid://claims/identity/pid"
CHILD = "helseid://claims/client/claims/orgnr_child"
SINGLE = "urn:oid:2.16.578.1.12.4.1.4.101"


async def test_a_refresh_token_gives_a_token_for_each_audience(
    http: httpx2.AsyncClient,
) -> None:
    installer = await Installer(http).register(scope="nhn:msh/api nhn:deft/api")
    code = await installer.code(scope="openid offline_access nhn:msh/api nhn:deft/api")
    first = (await installer.redeem(code, resource="nhn:msh")).json()
    assert claims_of(first["access_token"])["aud"] == "nhn:msh"
    assert first["rt_expires_in"] > 0
    second = (await installer.refresh(first["refresh_token"], resource="nhn:deft")).json()
    claims = claims_of(second["access_token"])
    assert claims["aud"] == "nhn:deft"
    assert claims["sub"] == claims_of(first["id_token"])["sub"]
    assert second["refresh_token"] == first["refresh_token"]
    both = (await installer.refresh(first["refresh_token"])).json()
    assert claims_of(both["access_token"])["aud"] == ["nhn:msh", "nhn:deft"]


async def test_organisations_ride_in_the_refreshs_assertion(installer: Installer) -> None:
    token = (await installer.redeem(await installer.code())).json()["refresh_token"]
    assertion = installer.assertion(assertion_details=details("310000175", SINGLE))
    answer = await installer.refresh(token, client_assertion=assertion)
    assert claims_of(answer.json()["access_token"])[CHILD] == "310000175"


async def test_a_refresh_asks_for_no_more_than_was_granted(installer: Installer) -> None:
    token = (await installer.redeem(await installer.code())).json()["refresh_token"]
    wider = await installer.refresh(token, scope="nhn:msh/api nhn:selvbetjening/client")
    assert_refused(wider, "invalid_scope")
    narrower = await installer.refresh(token, scope="nhn:msh/api")
    assert narrower.json()["scope"] == "nhn:msh/api"


async def test_a_scope_that_was_taken_away_is_not_renewed(installer: Installer) -> None:
    token = (await installer.redeem(await installer.code())).json()["refresh_token"]
    changed = installer.metadata | {"scope": "nhn:selvbetjening/client"}
    await installer.http.put(f"{REGISTER}/{installer.client_id}", json=changed, headers=CREDENTIAL)
    assert_refused(await installer.refresh(token), "invalid_scope")


async def test_a_refresh_token_is_its_clients(
    installer: Installer, http: httpx2.AsyncClient
) -> None:
    token = (await installer.redeem(await installer.code())).json()["refresh_token"]
    other = await Installer(http).register()
    assert_refused(await other.refresh(token), "invalid_grant")
    assert_refused(await installer.refresh("invented"), "invalid_grant")


async def test_user_information_follows_the_scopes(installer: Installer) -> None:
    token = (await installer.redeem(await installer.code())).json()["access_token"]
    answer = await installer.http.get(
        f"{ISSUER}/connect/userinfo", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.json()[PID] == KARI.pid
    assert answer.json()["name"] == "Kari Nordmann"


END = f"{ISSUER}/connect/endsession"
AFTER = "http://127.0.0.1:8765/after"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_logging_out_goes_back_to_the_client(installer: Installer, method: str) -> None:
    id_token = (await installer.redeem(await installer.code())).json()["id_token"]
    values = {"id_token_hint": id_token, "post_logout_redirect_uri": AFTER, "state": "s"}
    where = {"params": values} if method == "GET" else {"data": values}
    answer = await installer.http.request(method, END, **where)  # type: ignore[arg-type]
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{AFTER}?state=s"


async def test_logging_out_goes_nowhere_else(installer: Installer) -> None:
    id_token = (await installer.redeem(await installer.code())).json()["id_token"]
    for values in (
        {},
        {"post_logout_redirect_uri": AFTER},
        {"id_token_hint": "x", "post_logout_redirect_uri": AFTER},
        {"id_token_hint": id_token, "post_logout_redirect_uri": "https://elsewhere.example"},
    ):
        answer = await installer.http.get(END, params=values)
        assert answer.status_code == 200
        assert "Du er logget ut" in answer.text
