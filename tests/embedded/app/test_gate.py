"""The gate: key, Host, tokens; and what is open without a key."""

from collections.abc import Callable

import pytest
from tinsmith_local.app.contract import Contract

from tests.embedded.app.caller import Caller

Open = Callable[..., Caller]
KEY = {"x-api-key": "tml-right"}


@pytest.fixture
def locked(open_caller: Open) -> Caller:
    """A service with a key, for one host."""
    return open_caller(token="tml-right", allowed_hosts=("127.0.0.1",))


def test_every_operation_wants_the_key(locked: Caller) -> None:
    """Without the key and with a wrong one: 401 and nothing else, but for healthz."""
    contract = Contract()
    for operation_id in contract.ids():
        method, paths = contract.place(operation_id)
        path = paths[0].removeprefix("/api/v1/").replace("{", "").replace("}", "")
        for headers in ({}, {"x-api-key": "tml-wrong"}, {"x-api-key": "tml-r\u00efght".encode("latin-1")}):
            status = locked.send(method, path, headers=headers).status_code
            assert status == (200 if operation_id == "healthz" else 401), operation_id


def test_the_key_is_accepted(locked: Caller) -> None:
    """With the key requests are served."""
    assert locked.send("GET", "get_server_capabilities", headers=KEY).status_code == 200


def test_another_host_is_refused(locked: Caller) -> None:
    """A page that made its name point here does not get in, with the right key neither."""
    for host in ("evil.example", "evil.example:80", "", "127.0.0.1.evil.example"):
        headers = {**KEY, "host": host}
        assert locked.send("GET", "get_server_capabilities", headers=headers).status_code == 403


def test_a_token_replaces_the_key(locked: Caller) -> None:
    """auth/token gives a token that opens until it expires; a forged one does not."""
    token = locked.send("POST", "auth/token", headers=KEY, json={}).json()["jwt"]
    assert token.startswith("eyJ")
    assert locked.send("GET", "auth/apikey/me", headers={"x-api-key": token}).status_code == 200
    for forged in (token[:-3] + "AAA", "eyJ", "eyJ.eyJ.x", token + "x"):
        answer = locked.send("GET", "auth/apikey/me", headers={"x-api-key": forged})
        assert (answer.status_code, 'error="invalid_token"' in answer.headers["www-authenticate"]) == (
            401,
            True,
        )
    locked.clock.ahead_s = 3601
    late = locked.send("GET", "auth/apikey/me", headers={"x-api-key": token})
    assert (late.status_code, "expired" in late.text) == (401, True)


def test_the_key_is_in_no_repr(locked: Caller) -> None:
    """Options and address hide it."""
    assert "tml-right" not in repr(locked.service.options)
