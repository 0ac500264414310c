"""The transport on real sockets: names of faults, proxies, redirects, TLS, and who may see the key."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from tinsmith import APIConnectionError, ServiceClient, TinkerError, testing
from tinsmith.core.config import ClientConfig, PollPolicy, RetryConfig, Secret, Timeouts
from tinsmith.core.retry import Fault
from tinsmith.io.connection import Connection
from tinsmith.io.http.addressing import proxy_for
from tinsmith.io.http.messages import Answer, Faulted, Lane, Request, json_body
from tinsmith.io.http.tls_sessions import ResumingObject
from tinsmith.io.http.transport import EARLY_CONNECTIONS, Transport, client_of
from tinsmith.testing.fault_plans import AtPosition, FaultKind
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tinsmith.io.http.messages import Seen

LANES = (Lane.CONTROL, Lane.UPLOAD)
"""The two kinds of connections: httpx's own, and the lean ones."""


def config_for(url: str, **changed: Any) -> ClientConfig:
    """Make a configuration with short limits."""
    made = ClientConfig(
        base_url=url,
        api_key=Secret("tml-canary"),
        timeouts=Timeouts(connect_s=2.0, read_s=1.2, write_s=2.0, total_s=2.0),
        server_deduplicates=True,
    )
    return attrs.evolve(made, **changed)


def send(config: ClientConfig, request: Request) -> Answer:
    """Send one request on a loop of its own."""

    async def run() -> Answer:
        transport = Transport(config)
        try:
            return await transport.send(request)
        finally:
            await transport.aclose()

    return asyncio.run(run())


def post(lane: Lane, body: object = None) -> Request:
    """Make a small POST."""
    return Request("optim_step", "POST", "api/v1/x", lane, json_body(body or {}), idempotency_key="k")


@pytest.fixture
def server() -> Iterator[testing.SocketServer]:
    """Run a service behind a socket."""
    with testing.SocketServer(testing.LedgerService()) as running:
        yield running


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (FaultKind.RESET_BEFORE, Fault.RESET),
        (FaultKind.RESET_AFTER, Fault.RESET),
        (FaultKind.TRUNCATED_AFTER, Fault.TRUNCATED),
        (FaultKind.DRIP_AFTER, Fault.DEADLINE),
    ],
)
def test_fault_has_its_name(server: testing.SocketServer, lane: Lane, kind: FaultKind, fault: Fault) -> None:
    """A reset, a cut and a drip are told apart, and a drip ends at the total deadline."""
    server.service.plan = AtPosition({0: kind})
    with pytest.raises(Faulted) as caught:
        send(config_for(server.url), post(lane))
    assert caught.value.fault is fault


@pytest.mark.parametrize("lane", LANES)
def test_reset_of_a_reused_connection_is_no_refusal(server: testing.SocketServer, lane: Lane) -> None:
    """A keep-alive connection that dies under a POST proves nothing about what the server saw."""
    server.service.plan = AtPosition({1: FaultKind.RESET_AFTER})

    async def run() -> None:
        transport = Transport(config_for(server.url))
        try:
            await transport.send(post(lane))
            await transport.send(post(lane))
        finally:
            await transport.aclose()

    with pytest.raises(Faulted) as caught:
        asyncio.run(run())
    assert caught.value.fault is Fault.RESET


@pytest.mark.parametrize("lane", LANES)
def test_refused_connection(lane: Lane) -> None:
    """Nobody listening is a refusal: nothing was sent."""
    with testing.SocketServer(testing.LedgerService()) as gone:
        url = gone.url
    with pytest.raises(Faulted) as caught:
        send(config_for(url), post(lane))
    assert caught.value.fault is Fault.REFUSED


@pytest.mark.parametrize("lane", LANES)
def test_silence_is_a_timeout(server: testing.SocketServer, lane: Lane) -> None:
    """A server that says nothing is a read timeout."""
    hold = threading.Event()

    def rule(_operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        hold.wait(3.0)
        return None

    server.service.rules.append(rule)
    with pytest.raises(Faulted) as caught:
        send(config_for(server.url), post(lane))
    hold.set()
    assert caught.value.fault is Fault.READ_TIMEOUT


def test_answer_that_is_read_while_the_client_closes() -> None:
    """One library has no name for its own end: it is a connection lost like any other, and no defect."""

    async def run(closes: bool) -> Answer | BaseException:
        async def answer(_seen: Seen) -> Answer:
            if closes:
                await transport.aclose()
            raise RuntimeError("Connection closed.")

        transport = Transport(config_for("http://127.0.0.1:1/"), client_of(answer))
        return (await asyncio.gather(transport.send(post(Lane.POLL)), return_exceptions=True))[0]

    error = asyncio.run(run(closes=True))
    assert isinstance(error, Faulted)
    assert error.fault is Fault.RESET
    assert isinstance(asyncio.run(run(closes=False)), RuntimeError)


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("size", [10, 3_000_000])
def test_body_arrives_as_it_was_built(server: testing.SocketServer, lane: Lane, size: int) -> None:
    """Small bodies, and large ones written piece by piece, arrive byte for byte with their length."""
    request = post(lane, {"x": "y" * size})
    server.service.rules.append(lambda _name, _seen, _body: reply({}))
    send(config_for(server.url), request)
    assert request.body is not None
    (seen,) = server.service.seen
    assert seen.body == request.body.joined()
    assert seen.headers["content-length"] == str(request.body.size_bytes)
    assert "transfer-encoding" not in seen.headers


@pytest.mark.parametrize("lane", LANES)
def test_headers_of_a_request(server: testing.SocketServer, lane: Lane) -> None:
    """The key, the idempotency key and the caller's headers and query are sent."""
    server.service.rules.append(lambda _name, _seen, _body: reply({}))
    config = config_for(server.url, default_headers={"X-Team": "blue"}, default_query={"tenant": "a b"})
    send(config, post(lane))
    (seen,) = server.service.seen
    assert seen.headers["x-api-key"] == "tml-canary"
    assert seen.headers["x-idempotency-key"] == "k"
    assert seen.headers["x-team"] == "blue"
    assert seen.target == "api/v1/x?tenant=a+b"


# Redirects


def _get() -> Request:
    return Request("get_training_run", "GET", "api/v1/training_runs/x", Lane.CONTROL)


def test_redirect_to_another_origin_is_not_followed(server: testing.SocketServer) -> None:
    """The key never follows a redirect to another origin: the answer is handed up as it is."""
    with testing.SocketServer(testing.LedgerService()) as other:
        server.service.rules.append(lambda *_: reply({}, 307, {"location": f"{other.url}steal"}))
        assert send(config_for(server.url), _get()).status == 307
        assert other.service.seen == []


def test_redirect_within_the_origin_is_followed_thrice(server: testing.SocketServer) -> None:
    """A GET follows redirects within its origin, three at most."""
    server.service.rules.append(lambda *_: reply({}, 307, {"location": "/api/v1/again"}))
    with pytest.raises(Faulted) as caught:
        send(config_for(server.url), _get())
    assert caught.value.fault is Fault.REDIRECT
    assert len(server.service.seen) == 4


def test_post_is_never_redirected(server: testing.SocketServer) -> None:
    """A POST that is redirected is handed up, not sent again elsewhere."""
    server.service.rules.append(lambda *_: reply({}, 307, {"location": "/api/v1/again"}))
    assert send(config_for(server.url), post(Lane.UPLOAD)).status == 307
    assert len(server.service.seen) == 1


# Proxies and TLS


@pytest.mark.parametrize("lane", LANES)
def test_proxy_of_the_environment_is_used(
    server: testing.SocketServer, lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY sends every lane through the proxy."""
    monkeypatch.setenv("http_proxy", server.url)
    server.service.rules.append(lambda *_: reply({"via": "proxy"}))
    answer = send(config_for("http://127.0.0.1:9/"), post(lane))
    assert answer.json() == {"via": "proxy"}
    assert "127.0.0.1:9" in server.service.seen[0].target


@pytest.mark.parametrize("lane", LANES)
def test_no_proxy_is_honoured(
    server: testing.SocketServer, lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_PROXY keeps a host away from the proxy."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.service.rules.append(lambda *_: reply({}))
    assert send(config_for(server.url), post(lane)).status == 200


def test_proxy_of_a_foreign_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SOCKS proxy is named as not supported rather than bypassed."""
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(TinkerError, match="not supported"):
        proxy_for("https://example.com/")


@pytest.mark.parametrize("lane", LANES)
def test_unknown_certificate_is_refused(secure: testing.SocketServer, lane: Lane) -> None:
    """A certificate that nobody vouches for is a TLS fault, which is never retried."""
    with pytest.raises(Faulted) as caught:
        send(config_for(secure.url), post(lane))
    assert caught.value.fault is Fault.TLS


@pytest.mark.parametrize("lane", LANES)
def test_ssl_cert_file_is_honoured(
    secure: testing.SocketServer, certificate: Path, lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE names whom to trust, on the lean lanes too."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    secure.service.rules.append(lambda *_: reply({}))
    assert send(config_for(secure.url), post(lane)).status == 200


def test_bad_certificate_is_told_without_retries(secure: testing.SocketServer) -> None:
    """A TLS error names the reason at once, and does not propose to switch verification off."""
    client = ServiceClient(config=config_for(secure.url))
    with pytest.raises(APIConnectionError) as caught:
        client.get_server_capabilities()
    assert caught.value.attempts == 1
    assert "certificate" in str(caught.value)
    assert "verif" not in str(caught.value).replace("CERTIFICATE_VERIFY_FAILED", "").replace(
        "certificate verify failed", ""
    )
    client.close()


# Connections


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connections_are_opened_before_they_are_needed(
    server: testing.SocketServer,
    secure: testing.SocketServer,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
) -> None:
    """The first submission and its poll find connections; the poll of the next one finds one that is idle."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    target = server if scheme == "http" else secure
    target.service.rules.append(lambda *_: reply({}))
    found = []

    async def run() -> None:
        transport = Transport(config_for(target.url))
        try:
            await transport.open_early()
            await asyncio.gather(transport.send(post(Lane.UPLOAD)), transport.send(post(Lane.POLL)))
            found.append(target.connections)
            await transport.send(post(Lane.POLL))
            found.append(target.connections)
            transport.renew(Lane.UPLOAD)
            await transport.send(post(Lane.POLL))
            found.append(target.connections)
        finally:
            await transport.aclose()

    asyncio.run(run())
    assert found == [EARLY_CONNECTIONS, EARLY_CONNECTIONS, EARLY_CONNECTIONS + 1]


def test_tls_sessions_are_resumed(
    secure: testing.SocketServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A further connection resumes the session of an earlier one, whichever library opens it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    resumed: list[bool | None] = []
    handshake = ResumingObject.do_handshake

    def noted(self: ResumingObject) -> None:
        handshake(self)
        resumed.append(self.session_reused)

    monkeypatch.setattr(ResumingObject, "do_handshake", noted)
    secure.service.rules.append(lambda *_: reply({}))

    async def run() -> None:
        transport = Transport(config_for(secure.url))
        for lane in (Lane.CONTROL, Lane.HEARTBEAT, Lane.UPLOAD, Lane.ALONE):
            assert (await transport.send(post(lane))).status == 200
        await transport.aclose()

    asyncio.run(run())
    assert resumed == [False, True, True, True]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://elsewhere.localhost:1/"])
def test_connections_that_cannot_be_opened_early_are_left_to_requests(url: str) -> None:
    """Nothing is raised: the request that needs one names the fault."""

    async def run() -> None:
        transport = Transport(config_for(url))
        await transport.open_early()
        await transport.aclose()
        assert not transport.opens_early
        await transport.open_early()

    asyncio.run(run())


def test_a_session_opens_connections_early(
    server: testing.SocketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, when the first model or sampler is asked for; what only reads opens none."""
    began: list[str | None] = []

    async def noted(connection: Connection) -> None:
        began.append(connection.config.base_url)

    monkeypatch.setattr(Connection, "open_early", noted)
    with ServiceClient(config=config_for(server.url)) as client:
        client.get_server_capabilities()
        assert began == []
        client.create_lora_training_client("tinsmith/tiny").result(WAIT_S)
        client.create_sampling_client(base_model="tinsmith/tiny").result(WAIT_S)
    assert began == [server.url]


# A whole run on sockets


def test_faults_on_sockets_are_survived(server: testing.SocketServer) -> None:
    """40 steps over real connections, with every kind of fault among them: applied once, in order."""
    kinds = [kind for kind in FaultKind if kind is not FaultKind.STATUS_429_ADVISED]
    plan = {index * 5: kind for index, kind in enumerate(kinds)}
    server.service.plan = AtPosition(plan)
    fast = RetryConfig(retry_delay_base=0.01, retry_delay_max=0.05)
    quick = PollPolicy(storm_base_s=0.01, storm_polls_per_s=1000.0, read_timeout_s=0.6)
    client = ServiceClient(config=config_for(server.url, retry=fast, poll=quick))
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    steps = [trainer.optim_step(ADAM) for _ in range(40)]
    for step in steps:
        step.result(WAIT_S)
    server.service.ledger.assert_exactly_once(trainer.model_id, 40)
    client.close()


def test_refused_at_start_is_told_soon(caplog: pytest.LogCaptureFixture) -> None:
    """A wrong address costs three tries, warns at the first, and names host and variable."""
    with testing.SocketServer(testing.LedgerService()) as gone:
        url = gone.url
    quick = RetryConfig(retry_delay_base=0.01, retry_delay_max=0.02)
    client = ServiceClient(config=config_for(url, retry=quick))
    with pytest.raises(APIConnectionError) as caught:
        client.get_server_capabilities()
    assert caught.value.attempts == 3
    assert url in str(caught.value)
    assert "TINKER_BASE_URL" in str(caught.value)
    assert any("cannot reach" in record.message for record in caplog.records)
    client.close()


@pytest.mark.parametrize(("trusted", "alone"), [(True, False), (False, True)])
def test_changes_ride_alone_where_a_second_send_could_count_twice(
    server: testing.SocketServer, trusted: bool, alone: bool
) -> None:
    """A connection that was used before may be closing at the other end: the outcome would be unknown."""
    config = config_for(server.url, server_deduplicates=trusted, encoding="json")
    with ServiceClient(config=config) as client:
        trainer = client.create_lora_training_client("tinsmith/tiny")
        for _ in range(2):
            trainer.optim_step(ADAM).result(WAIT_S)
        trainer.save_state("a").result(WAIT_S)
    changes = [
        seen.headers.get("connection") == "close"
        for seen in server.service.seen
        if seen.path.removeprefix("api/v1/") in ("create_model", "optim_step", "save_weights")
    ]
    others = [seen for seen in server.service.seen if seen.path.endswith("retrieve_future")]
    assert changes == [alone] * 4
    assert all(seen.headers.get("connection") != "close" for seen in others)
