"""Keys, tokens and commands: which one goes along, when it is renewed, and who never sees it."""

from __future__ import annotations

import base64
import logging
import os
import pickle
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tinsmith import AuthenticationError, ClientPoisonedError, ServiceClient, TinkerError, testing
from tinsmith.core.config import ClientConfig
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S, datum

if TYPE_CHECKING:
    import pathlib

    from tinsmith.io.http.messages import Answer, Seen


def token(number: int, life_s: float = 3600.0) -> str:
    """Make a token that ends `life_s` from now."""
    claims = orjson.dumps({"exp": time.time() + life_s, "n": number})
    return f"eyJh.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.canary{number}"


INVALID = reply({"detail": "expired"}, 401, {"www-authenticate": 'Bearer realm="x", error="invalid_token"'})


class Issuer(testing.LedgerService):
    """A service that exchanges keys for tokens."""

    def __init__(self, *, wanted: bool = True, life_s: float = 3600.0) -> None:
        super().__init__()
        self.issued = 0
        self.revoked: set[str] = set()
        self.fails = False
        self.life_s = life_s
        self.wanted = wanted
        self.rules.append(self._rule)

    def _rule(self, asked: str, seen: Seen, _body: dict[str, Any]) -> Answer | None:
        if asked == "client/config":
            return reply({"pjwt_auth_enabled": self.wanted})
        if asked == "auth/token":
            self.issued += not self.fails
            made = token(self.issued, self.life_s)
            return reply({"detail": "down"}, 503) if self.fails else reply({"jwt": made})
        return INVALID if seen.headers["x-api-key"] in self.revoked else None

    def keys(self, path: str) -> list[str]:
        """Return the end of the key that came with each request to a path."""
        return [s.headers["x-api-key"].rpartition(".")[2] for s in self.seen if s.path == f"api/v1/{path}"]

    def now(self) -> str:
        """Return the token in use."""
        found: str = [seen.headers["x-api-key"] for seen in self.seen][-1]
        return found


def test_key_is_exchanged_where_the_server_wants_it(clock: testing.FrozenClock) -> None:
    """The key goes to client/config and the exchange; everything else carries the token, asked for once."""
    service = Issuer()
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result()
    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert service.keys("client/config") == ["tml-test"]
    assert service.keys("auth/token") == ["tml-test"]
    for path in ("create_session", "create_model", "forward_backward", "retrieve_future"):
        assert set(service.keys(path)) == {"canary1"}


def test_no_flag_no_exchange(clock: testing.FrozenClock) -> None:
    """Other servers get the key itself."""
    service = Issuer(wanted=False)
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result()
    trainer.optim_step(ADAM).result(WAIT_S)
    assert service.issued == 0
    assert service.keys("optim_step") == ["tml-test"]


def test_key_that_is_a_token_is_not_exchanged(clock: testing.FrozenClock) -> None:
    """A JWT as api_key= goes along as it is."""
    service = Issuer()
    client = ServiceClient(**service.settings(api_key=token(9)))
    client.create_lora_training_client("tinsmith/tiny").result().optim_step(ADAM).result(WAIT_S)
    assert service.issued == 0
    assert service.keys("optim_step") == ["canary9"]


def test_token_is_renewed_on_the_way(clock: testing.FrozenClock) -> None:
    """Heartbeats carry a run through many tokens: each is renewed at about half of its life."""
    service = Issuer(life_s=600.0)
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result()
    trainer.optim_step(ADAM).result(WAIT_S)
    began, issued = clock.now(), service.issued
    service.dialect = testing.ServerDialect(ready_after_polls=60, hold_s=30.0)
    trainer.optim_step(ADAM).result(WAIT_S)
    renewals = service.issued - issued
    assert 0.45 * 600 <= (clock.now() - began) / renewals <= 1.2 * 0.55 * 600


def test_revoked_token_is_replaced_and_the_request_replayed_once(clock: testing.FrozenClock) -> None:
    """401 with invalid_token: one exchange, the same bytes again, and nothing is applied twice."""
    service = Issuer()
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result()
    trainer.optim_step(ADAM).result(WAIT_S)
    service.revoked.add(service.now())
    trainer.optim_step(ADAM).result(WAIT_S)
    assert service.keys("optim_step") == ["canary1", "canary1", "canary2"]
    sent = [seen for seen in service.seen if seen.path == "api/v1/optim_step"]
    assert sent[1].body == sent[2].body
    service.ledger.assert_exactly_once(trainer.model_id, 2)


def test_replay_happens_once(clock: testing.FrozenClock) -> None:
    """A server that refuses every token is believed: the number is given back."""
    service = Issuer()
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result()
    service.rules.insert(0, lambda asked, _seen, _body: INVALID if asked == "optim_step" else None)
    with pytest.raises(AuthenticationError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert (caught.value.applied, caught.value.seq_id) == ("no", 1)
    assert len(service.keys("optim_step")) == 2


def test_other_401_is_not_replayed(clock: testing.FrozenClock) -> None:
    """A wrong key is a wrong key."""
    service = testing.LedgerService()
    service.rules.append(lambda *_: reply({"detail": "no"}, 401))
    with pytest.raises(AuthenticationError):
        ServiceClient(**service.settings()).get_server_capabilities()
    assert len(service.seen) == 1


def test_failed_exchange_is_no_end(clock: testing.FrozenClock, caplog: pytest.LogCaptureFixture) -> None:
    """What is at hand is used on, the log says why, and a minute later it is tried again."""
    service = Issuer()
    service.fails = True
    with caplog.at_level(logging.WARNING, "tinsmith"):
        trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result()
        trainer.optim_step(ADAM).result(WAIT_S)
        assert service.keys("optim_step") == ["tml-test"]
        service.fails = False
        service.dialect = testing.ServerDialect(ready_after_polls=5, hold_s=30.0)
        trainer.optim_step(ADAM).result(WAIT_S)
    trainer.optim_step(ADAM).result(WAIT_S)
    assert service.keys("optim_step")[-1] == "canary1"
    assert "could not be exchanged for a token (status 503)" in caplog.text


def printing(text: str, code: int = 0) -> str:
    """Make a command that prints."""
    return f"{sys.executable} -c \"import sys; print('{text}'); sys.exit({code})\""


def commanded(service: testing.LedgerService, command: str) -> ClientConfig:
    """Make a configuration whose key comes from a command of the environment."""
    environ = {"TINKER_CREDENTIAL_CMD": command, "TINKER_BASE_URL": "http://127.0.0.1:1/"}
    return ClientConfig.from_environment(environ=environ, server_deduplicates=True)


def test_key_of_a_command(service: testing.LedgerService) -> None:
    """Without a key, TINKER_CREDENTIAL_CMD is run before the first request, once."""
    config = commanded(service, printing("tml-printed"))
    client = ServiceClient(config=config, http_client=service.settings()["http_client"])
    client.get_server_capabilities()
    client.get_server_capabilities()
    assert [seen.headers["x-api-key"] for seen in service.seen] == ["tml-printed"] * 2


ENDLESS = f"{sys.executable} -c \"while True: print('tml-canary' * 1000)\""
HANGING = f'{sys.executable} -c "import os, time; os.fork(); time.sleep(30)"'


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (printing("tml-canary", 3), "it ended with code 3"),
        (printing("other-canary"), "what it printed is no key, or .* require_key_prefix=False"),
        (printing(""), r"what it printed is no key \["),
        (ENDLESS, "it printed more than"),
        ("/does/not/exist --secret canary", "it cannot be run"),
        ("unclosed 'canary", "it cannot be run"),
    ],
)
def test_command_without_a_key(service: testing.LedgerService, command: str, why: str) -> None:
    """The error says what went wrong, and shows neither the command nor what it printed."""
    config = commanded(service, command)
    client = ServiceClient(config=config, http_client=service.settings()["http_client"])
    with pytest.raises(AuthenticationError, match=why) as caught:
        client.get_server_capabilities()
    assert caught.value.applied == "no"
    assert service.seen == []
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    shown = told.split("facade", 1)[-1]
    assert "canary" not in "\n".join(line for line in shown.splitlines() if "command" not in line[:20])
    assert "canary" not in repr(config)


def test_command_that_hangs(service: testing.LedgerService, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and not waited for where something that it started keeps its output open."""
    monkeypatch.setattr("tinsmith.io.http.auth.COMMAND_TIMEOUT_S", 0.1)
    client = ServiceClient(config=commanded(service, HANGING), http_client=service.settings()["http_client"])
    with pytest.raises(AuthenticationError, match="it took longer than"):
        client.get_server_capabilities()


def test_command_reads_nothing_of_the_program(service: testing.LedgerService) -> None:
    """What is typed or piped into the program is the program's."""
    command = f"{sys.executable} -c \"import sys; print('tml-' + (sys.stdin.read() or 'own'))\""
    client = ServiceClient(config=commanded(service, command), http_client=service.settings()["http_client"])
    reading, writing = os.pipe()
    before = os.dup(0)
    try:
        os.dup2(reading, 0)
        os.write(writing, b"taken")
        os.close(writing)
        client.get_server_capabilities()
        assert os.read(0, 9) == b"taken"
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(reading)
    assert [seen.headers["x-api-key"] for seen in service.seen] == ["tml-own"]


def test_key_that_cannot_be_renewed_proves_nothing(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The step was applied, its answer lost, and its re-send refused for its token: nobody knows."""
    once_only = tmp_path / "command.py"
    once_only.write_text("import os, sys; os.unlink(sys.argv[0]); print('tml-printed')")
    lost = testing.AtPosition({0: testing.FaultKind.RESET_AFTER}, paths=["api/v1/optim_step"])
    service = testing.LedgerService(plan=lost)
    tries: list[str] = []

    def rule(asked: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        tries.extend([asked] if asked == "optim_step" else [])
        return INVALID if asked == "optim_step" and len(tries) > 1 else None

    service.rules.append(rule)
    config = commanded(service, f"{sys.executable} {once_only}")
    client = ServiceClient(config=config, http_client=service.settings()["http_client"])
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    with pytest.raises(AuthenticationError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert (caught.value.applied, caught.value.seq_id) == ("unknown", 1)
    with pytest.raises(ClientPoisonedError):
        trainer.optim_step(ADAM).result(WAIT_S)
    service.ledger.assert_exactly_once(trainer.model_id, 1)
    assert "the key could not be renewed" in caplog.text


@pytest.mark.parametrize("life_s", [-7200.0, 30.0])
def test_odd_life_is_no_exchange_for_each_request(clock: testing.FrozenClock, life_s: float) -> None:
    """A clock that is two hours off, or tokens of half a minute, do not double the requests."""
    service = Issuer(life_s=life_s)
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result()
    with clock.held():
        steps = [trainer.optim_step(ADAM) for _ in range(20)]
    for step in steps:
        step.result(WAIT_S)
    assert service.issued <= 2


@pytest.mark.parametrize("made", ["", None, 7, "tml-\u00fc", "a\nb"])
def test_token_that_is_none(clock: testing.FrozenClock, made: object) -> None:
    """An exchange that gives no token has failed: the key itself goes along."""
    service = Issuer()
    service.rules.insert(0, lambda asked, *_: reply({"jwt": made}) if asked == "auth/token" else None)
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result()
    trainer.optim_step(ADAM).result(WAIT_S)
    assert set(service.keys("optim_step")) == {"tml-test"}


def test_tokens_are_never_shown(clock: testing.FrozenClock, caplog: pytest.LogCaptureFixture) -> None:
    """No token in a log, a repr, an error with its locals, or what travels with a sampler."""
    service = Issuer()
    caplog.set_level(logging.DEBUG, "tinsmith")
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    service.rules.insert(0, lambda asked, _seen, _body: INVALID if asked == "optim_step" else None)
    with pytest.raises(TinkerError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    travelling = pickle.dumps(sampler)
    shown = [told, caplog.text, repr(client.holder.connection.credentials.__dict__), repr(travelling)]
    assert [text for text in shown if "canary" in text] == []


def test_server_that_quotes_the_key_behind_the_token(
    clock: testing.FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither an error nor the log shows it, though no request of the kind carried it."""
    service = Issuer()
    quoting = {"detail": "tml-test may not", "session_id": "s", "warning_message": "tml-test is old"}
    status = {"optim_step": 403, "create_session": 200, "session_heartbeat": 200}
    service.rules.insert(0, lambda asked, *_: reply(quoting, status[asked]) if asked in status else None)
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result()
    error = trainer.optim_step(ADAM).exception(WAIT_S)
    assert "*** may not" in str(error)
    assert "*** is old" in caplog.text
    assert "tml-test" not in f"{error!r} {error} {vars(error)} {caplog.text}"


def test_many_who_send_exchange_once(clock: testing.FrozenClock) -> None:
    """Requests that meet a revoked token at the same time share one exchange."""
    service = Issuer()
    client = ServiceClient(**service.settings())
    trainers = [client.create_lora_training_client("tinsmith/tiny").result() for _ in range(5)]
    service.revoked.add(service.now())
    for step in [each.optim_step(ADAM) for each in trainers]:
        step.result(WAIT_S)
    assert service.issued == 2
