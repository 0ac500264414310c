"""Answers that no server should give: not HTTP, not JSON, or with the key of the request in them."""

from __future__ import annotations

import asyncio
import gzip
import logging
import pickle
import time
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import APIConnectionError, ModelInput, SamplingParams, ServiceClient, TinkerError, testing
from tinsmith.core import polling
from tinsmith.core.config import ClientConfig, PollPolicy, RetryConfig, Secret
from tinsmith.core.retry import Fault
from tinsmith.io.http.messages import (
    Answer,
    Faulted,
    Lane,
    Request,
    json_body,
    secrets_of,
    without_secrets,
)
from tinsmith.io.http.transport import Transport
from tinsmith.testing.ledger_service import reply
from tinsmith.testing.sockets import RawAnswer
from tinsmith_api.redaction import SHORTEST

from tests.io.bench import ADAM, WAIT_S, once, refuse, trainer_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tinsmith.io.http.messages import Seen

KEY = "tml-canary-77c2"

FAST = RetryConfig(retry_delay_base=0.01, retry_delay_max=0.02)
QUICK = PollPolicy(storm_base_s=0.01, storm_polls_per_s=1000.0)

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"

NO_HTTP = {
    "no status line": b"\x00\xff" * 100,
    "status of two digits": b"HTTP/1.1 42 What\r\n\r\n",
    "chunk size that is none": HEAD + b"transfer-encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n",
    "chunk cut short": HEAD + b"transfer-encoding: chunked\r\n\r\n50\r\n{",
    "two lengths": HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "gzip that is none": HEAD + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\njunk",
    "name with a space": HEAD + b"x a: b\r\ncontent-length: 2\r\n\r\n{}",
}
"""Bytes that a broken proxy may send."""


@pytest.fixture
def server() -> Iterator[testing.SocketServer]:
    """Run a service behind a socket."""
    with testing.SocketServer(testing.LedgerService()) as running:
        yield running


def config_for(url: str) -> ClientConfig:
    """Make a configuration that waits hardly at all."""
    return ClientConfig.from_environment(
        base_url=url, api_key=KEY, retry=FAST, poll=QUICK, server_deduplicates=True
    )


def first(operation: str, sent: bytes) -> Callable[..., Answer | None]:
    """Make a rule that answers the first request of an operation with bytes that are no answer."""
    left = [sent]

    def rule(asked: str, *_: Any) -> Answer | None:
        if asked == operation and left:
            raise RawAnswer(left.pop())
        return None

    return rule


@pytest.mark.parametrize("where", ["optim_step", "retrieve_future", "create_session"])
@pytest.mark.parametrize("what", NO_HTTP)
def test_what_is_not_http_is_asked_again(server: testing.SocketServer, what: str, where: str) -> None:
    """A submission is sent again under its number, a poll is asked again; the step is applied once."""
    server.service.rules.append(first(where, NO_HTTP[what]))
    with ServiceClient(config=config_for(server.url)) as client:
        trainer = client.create_lora_training_client("tinsmith/tiny").result()
        for _ in range(2):
            trainer.optim_step(ADAM).result(WAIT_S)
    server.service.ledger.assert_exactly_once(trainer.model_id, 2)


@pytest.mark.parametrize("where", ["optim_step", "retrieve_future"])
def test_compression_that_stays_broken_ends(server: testing.SocketServer, where: str) -> None:
    """A proxy that spoils each answer in the same way is not asked until the progress timeout."""
    junk = NO_HTTP["gzip that is none"]

    def rule(asked: str, seen: Seen, _body: Any) -> Answer | None:
        if asked == where and seen.headers.get("x-tinker-request-type", "OptimStep") == "OptimStep":
            raise RawAnswer(junk)
        return None

    with ServiceClient(config=config_for(server.url)) as client:
        trainer = client.create_lora_training_client("tinsmith/tiny").result()
        server.service.rules.append(rule)
        error: Any = trainer.optim_step(ADAM).exception(WAIT_S)
    assert isinstance(error, APIConnectionError)
    assert "answer cannot be read" in str(error)
    assert (error.seq_id, error.applied) == (1, "unknown")


@pytest.mark.parametrize("lane", [Lane.CONTROL, Lane.UPLOAD])
@pytest.mark.parametrize("name", ["zstd", "br", "gzip, zstd", "x"])
def test_compression_that_was_not_offered_is_not_undone(
    server: testing.SocketServer, monkeypatch: pytest.MonkeyPatch, lane: Lane, name: str
) -> None:
    """Where its library is installed, one piece could unfold to gigabytes: the body stays as it came."""
    monkeypatch.setattr("httpx._models.SUPPORTED_DECODERS", {"zstd": Bomb, "br": Bomb, "gzip": Bomb})
    told = Answer(200, {"content-encoding": name}, b"small")
    server.service.rules.append(once("optim_step", told))
    asked = Request("optim_step", "POST", "api/v1/optim_step", lane, json_body({}))
    assert _send(config_for(server.url), asked).body == b"small"


class Bomb:
    """A decoder that unfolds."""

    def decode(self, _data: bytes) -> bytes:
        """Unfold."""
        return b"0" * 1_000_000

    def flush(self) -> bytes:
        """End."""
        return b""


@pytest.mark.parametrize("where", ["optim_step", "retrieve_future"])
def test_answer_without_end_ends(
    server: testing.SocketServer, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """An answer above the bound is refused as unreadable: a poll is not repeated for hours with gigabytes."""
    monkeypatch.setattr("tinsmith.io.http.messages.MAX_RESPONSE_BYTES", 1000)
    with ServiceClient(config=config_for(server.url)) as client:
        trainer = client.create_lora_training_client("tinsmith/tiny").result()
        large = reply({"request_id": "r", "metrics": {}, "filler": "x" * 2000})
        server.service.rules.append(lambda asked, *_: large if asked == where else None)
        error: Any = trainer.optim_step(ADAM).exception(WAIT_S)
    assert "larger than 1000 bytes" in str(error)
    assert (error.seq_id, error.applied) == (1, "unknown")


@pytest.mark.parametrize("lane", [Lane.CONTROL, Lane.UPLOAD])
@pytest.mark.parametrize("what", NO_HTTP)
def test_a_fault_holds_nothing_of_the_request(server: testing.SocketServer, what: str, lane: Lane) -> None:
    """The libraries' errors hold the request and its key; ours has no cause and no context."""
    server.service.rules.append(first("optim_step", NO_HTTP[what]))
    with pytest.raises(Faulted) as caught:
        _send(config_for(server.url), Request("x", "POST", "api/v1/optim_step", lane, json_body({})))
    assert caught.value.fault in (Fault.TRUNCATED, Fault.RESET, Fault.BROKEN_BODY)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_long_headers_are_read(server: testing.SocketServer) -> None:
    """A proxy's cookie of 9 kB is no fault."""
    body = b'{"request_id": "r", "type": "x"}'
    head = HEAD + b"set-cookie: " + b"a" * 9000 + b"\r\ncontent-length: %d\r\n\r\n" % len(body)
    server.service.rules.append(first("optim_step", head + body))
    answer = _send(
        config_for(server.url),
        Request("optim_step", "POST", "api/v1/optim_step", Lane.UPLOAD, json_body({})),
    )
    assert answer.body == body


@pytest.mark.parametrize("where", ["http://[::bad", "http://a:port/"])
def test_redirect_to_no_url(server: testing.SocketServer, where: str) -> None:
    """A location that cannot be read is a refused redirect."""
    server.service.rules.append(lambda *_: Answer(302, {"location": where}, b""))
    with pytest.raises(Faulted) as caught:
        _send(config_for(server.url), Request("x", "GET", "api/v1/x", Lane.CONTROL))
    assert caught.value.fault is Fault.REDIRECT


ODD_DETAILS = [
    [{"loc": 5, "msg": None}],
    [{"loc": None, "msg": 1}],
    [{"msg": "x"}],
    [[]],
    {"a": 1},
]


@pytest.mark.parametrize("detail", ODD_DETAILS)
def test_odd_details_of_a_refusal(service: testing.LedgerService, detail: object) -> None:
    """Whatever a 400 says, it is a refusal: not applied, and the next step has its number."""
    service.rules.append(once("optim_step", refuse(400, detail=detail)))
    trainer = trainer_on(service)
    error = trainer.optim_step(ADAM).exception(WAIT_S)
    assert isinstance(error, TinkerError)
    assert error.applied == "no"
    trainer.optim_step(ADAM).result(WAIT_S)


@pytest.mark.parametrize("detail", ODD_DETAILS)
def test_odd_details_of_a_poll(service: testing.LedgerService, detail: object) -> None:
    """Whatever a 500 says, the poll is asked again."""
    service.rules.append(once("retrieve_future", refuse(500, detail=detail)))
    trainer_on(service).optim_step(ADAM).result(WAIT_S)


ECHOES = [
    reply({"detail": f"bad key {KEY}"}, 400),
    reply({"detail": f"bad key {KEY}"}, 401),
    reply({"detail": f"bad key {KEY}"}, 422),
    reply({"error": f"bad key {KEY}", "category": "user"}),
]


@pytest.mark.parametrize("answer", ECHOES)
def test_a_poll_that_quotes_the_key(service: testing.LedgerService, answer: Answer) -> None:
    """The key is in no message, argument, cause or pickle of the error."""
    service.rules.append(once("retrieve_future", *[answer] * 20))
    client = ServiceClient(**service.settings(api_key=KEY))
    with pytest.raises(TinkerError) as caught:
        client.create_lora_training_client("tinsmith/tiny").result()
    told = f"{caught.value!r} {caught.value} {vars(caught.value)} {pickle.dumps(caught.value)!r}"
    assert "bad key ***" in told
    assert KEY not in told


def test_headers_and_queue_reasons_that_quote_the_key(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """What is logged or told to observers is without the key."""
    told: list[object] = []
    paused = {"type": "try_again", "queue_state": "paused_capacity", "queue_state_reason": f"{KEY} waits"}
    service.rules.append(once("retrieve_future", *[reply(paused, 408)] * 9))
    service.rules.append(
        once("optim_step", Answer(400, {"x-deprecation-note": f"{KEY} is old"}, b'{"detail": "no"}'))
    )
    with caplog.at_level(logging.DEBUG):
        client = ServiceClient(**service.settings(api_key=KEY, observer=told.append))
        trainer = client.create_lora_training_client("tinsmith/tiny").result()
        trainer.optim_step(ADAM).exception(WAIT_S)
    assert "*** is old" in caplog.text
    assert any("*** waits" in str(event) for event in told)
    assert KEY not in caplog.text + str(told)


def test_short_words_are_no_secrets() -> None:
    """A key that is a short word is left alone, since results hold such words."""
    request = Request("healthz", "GET", "api/v1/healthz", Lane.CONTROL)
    assert not list(secrets_of(request, Secret("x" * (SHORTEST - 1))))
    answer = Answer(200, {}, b"an answer")
    assert without_secrets(answer, ["other-secret"]) is answer


def test_large_results_are_not_searched() -> None:
    """Only a refusal is searched whatever its size."""
    body = KEY.encode() + b"0" * 1_000_000
    assert without_secrets(Answer(200, {}, body), [KEY]).body is body
    assert KEY.encode() not in without_secrets(Answer(500, {}, body), [KEY]).body


def test_nothing_is_sent_after_close(server: testing.SocketServer) -> None:
    """A transport that was closed opens no connection again."""

    async def late(transport: Transport) -> None:
        await transport.aclose()
        await transport.send(Request("x", "GET", "api/v1/x", Lane.CONTROL))

    with pytest.raises(Faulted) as caught:
        _run(config_for(server.url), late)
    assert caught.value.fault is Fault.CLOSED
    assert server.connections == 0


@pytest.mark.parametrize("answer", [refuse(503), None])
def test_samples_in_flight_end_with_their_client(server: testing.SocketServer, answer: Answer | None) -> None:
    """Samples whose submission is refused again and again, or is not answered, end when the client does."""

    def rule(operation: str, *_: Any) -> Answer | None:
        if operation != "asample":
            return None
        if answer is None:
            raise Faulted(Fault.DEADLINE, "silence")
        return answer

    server.service.rules.append(rule)
    client = ServiceClient(config=config_for(server.url))
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    futures = [sampler.sample(ModelInput.from_ints([1]), 1, SamplingParams(max_tokens=1)) for _ in range(9)]
    while not any(seen.path.endswith("asample") for seen in server.service.seen):
        time.sleep(0.001)
    client.close()
    errors = [future.exception(WAIT_S) for future in futures]
    assert all(isinstance(error, TinkerError) for error in errors)
    while server._open:
        time.sleep(0.001)  # what was on its way when the client ended is read
    sent = len(server.service.seen)
    time.sleep(10 * FAST.retry_delay_max)
    assert len(server.service.seen) == sent


def _send(config: ClientConfig, request: Request) -> Answer:
    """Send one request by a transport of its own."""

    async def send(transport: Transport) -> Answer:
        try:
            return await transport.send(request)
        finally:
            await transport.aclose()

    answer: Answer = _run(config, send)
    return answer


def _run(config: ClientConfig, act: Callable[[Transport], Any]) -> Any:
    return asyncio.run(act(Transport(config)))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirected_submission_was_not_applied(service: testing.LedgerService, status: int) -> None:
    """It says where the server points, gives its number back, and the client goes on."""
    moved = Answer(status, {"location": "https://elsewhere.example/api/v1/optim_step?sig=CANARY"}, b"")
    service.rules.append(once("optim_step", moved))
    with ServiceClient(**service.settings()) as client:
        trainer = client.create_lora_training_client("tinsmith/tiny").result()
        error: Any = trainer.optim_step(ADAM).exception(WAIT_S)
        assert (error.applied, error.status_code, error.attempts) == ("no", status, 1)
        assert "points to https://elsewhere.example/api/v1/optim_step," in str(error)
        assert "CANARY" not in str(error)
        trainer.optim_step(ADAM).result(WAIT_S)
        service.ledger.assert_exactly_once(trainer.model_id, 1)


OVERFLOWS = {"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}


@pytest.mark.parametrize(
    "where", ["create_session", "optim_step", "retrieve_future", "asample", "session_heartbeat"]
)
def test_advice_that_overflows_is_none(service: testing.LedgerService, where: str) -> None:
    """One such answer costs a retry, wherever it comes; the heart beats on."""
    service.rules.append(once(where, Answer(503, OVERFLOWS, b"{}")))
    with ServiceClient(**service.settings()) as client:
        trainer = client.create_lora_training_client("tinsmith/tiny").result()
        trainer.optim_step(ADAM).result(WAIT_S)
        sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
        sampler.sample(ModelInput.from_ints([1]), 1, SamplingParams(max_tokens=1)).result(WAIT_S)
        client.holder.connection.runtime.spawn(asyncio.sleep(100)).result(WAIT_S)
    assert sum(seen.path.endswith("session_heartbeat") for seen in service.seen) >= 8


@pytest.mark.parametrize("where", ["retrieve_future", "session_heartbeat"])
def test_no_answer_ends_a_background_task(
    service: testing.LedgerService, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Whatever goes wrong in reading one answer, the poller asks again and the heart beats on."""
    left = [1]
    judged: Any = polling.Poll.decide

    def breaks(*given: Any, **named: Any) -> Any:
        if left:
            left.pop()
            raise OverflowError("a defect that one answer meets")
        return judged(*given, **named)

    with ServiceClient(**service.settings()) as client:
        trainer = client.create_lora_training_client("tinsmith/tiny").result()
        if where == "session_heartbeat":
            judged = client.holder.connection.sender.exchange
            monkeypatch.setattr(client.holder.connection.sender, "exchange", breaks)
            client.holder.connection.runtime.spawn(asyncio.sleep(100)).result(WAIT_S)
        else:
            monkeypatch.setattr(polling.Poll, "decide", breaks)
            trainer.optim_step(ADAM).result(WAIT_S)
    assert not left
    beats = sum(seen.path.endswith("session_heartbeat") for seen in service.seen)
    assert where == "retrieve_future" or beats >= 8


SPELT = {
    "as numbers": "".join(f"\\u{ord(each):04X}" for each in KEY),
    "some as numbers": KEY.replace("-", "\\u002d"),
    "JSON within JSON": KEY.replace("-", "\\\\u002D"),
}


@pytest.mark.parametrize("spelt", SPELT.values(), ids=SPELT)
def test_a_key_that_json_spells_otherwise_is_struck_out(service: testing.LedgerService, spelt: str) -> None:
    """A server that quotes the key may escape any of its characters."""
    quoted = Answer(400, {}, b'{"detail": "bad key ' + spelt.encode() + b' !"}')
    service.rules.append(once("optim_step", quoted))
    with ServiceClient(**service.settings(api_key=KEY)) as client:
        error: Any = (
            client.create_lora_training_client("tinsmith/tiny").result().optim_step(ADAM).exception(WAIT_S)
        )
    assert "bad key *** !" in str(error)
    many = b"\\" * 200_000
    assert without_secrets(Answer(400, {}, many), [KEY]).body == many


@pytest.mark.parametrize(("kind", "told"), [("application/json", True), ("application/x-protobuf", False)])
@pytest.mark.parametrize("lane", [Lane.CONTROL, Lane.UPLOAD])
def test_an_answer_may_unfold_to_a_bound(
    server: testing.SocketServer, monkeypatch: pytest.MonkeyPatch, lane: Lane, kind: str, told: bool
) -> None:
    """A JSON answer unfolds to 20 times its size or 64 MB, whichever is more; here to 100 kB."""
    monkeypatch.setattr("tinsmith.io.http.messages.UNFOLDED_BYTES", 100_000)
    random = Random(1)
    dense = b"".join(random.randbytes(1) * 8 for _ in range(40_000))
    bodies = [dense, b"0" * 90_000, b"0" * 1_000_000]
    headers = {"content-encoding": "gzip", "content-type": kind}
    server.service.rules.append(once("optim_step", *(Answer(200, headers, gzip.compress(b)) for b in bodies)))
    asked = Request("optim_step", "POST", "api/v1/optim_step", lane, json_body({}))
    config = config_for(server.url)
    assert _send(config, asked).body == bodies[0]
    assert _send(config, asked).body == bodies[1]
    if not told:
        assert _send(config, asked).body == bodies[2]
        return
    with pytest.raises(Faulted, match="unfolds") as caught:
        _send(config, asked)
    assert caught.value.fault is Fault.BROKEN_BODY
