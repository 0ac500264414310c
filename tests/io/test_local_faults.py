"""What is wrong on this machine is told at once, by the variable or the path that is to be changed."""

from __future__ import annotations

import socket
from base64 import b64encode
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from tinsmith import InputError, ServiceClient, TinkerError, testing
from tinsmith.core.config import RetryConfig
from tinsmith.io.download import Download
from tinsmith.io.http.addressing import proxy_for
from tinsmith.io.http.messages import Faulted, Lane

from tests.clients.test_download import PATH, Store
from tests.io.bench import WAIT_S
from tests.io.test_transport import config_for, post, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tinsmith.core.config import ClientConfig

LANES = (Lane.CONTROL, Lane.UPLOAD)


@pytest.fixture
def server() -> Iterator[testing.SocketServer]:
    """Run a service behind a socket."""
    with testing.SocketServer(testing.LedgerService()) as running:
        yield running


def asked(config: ClientConfig) -> TinkerError:
    """Return what a client's first question fails with."""
    with ServiceClient(config=config) as client, pytest.raises(TinkerError) as caught:
        client.get_server_capabilities()
    return caught.value


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("content", [None, b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSLKEYLOGFILE"])
def test_certificates_that_cannot_be_read_name_their_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, content: bytes | None, lane: Lane
) -> None:
    """One error, no retry: whether the file is missing or holds none."""
    path = tmp_path / "certificates.pem"
    if content is not None and variable == "SSL_CERT_FILE":
        path.write_bytes(content)
    monkeypatch.setenv(variable, str(path) if variable == "SSL_CERT_FILE" else str(path / "log"))
    with pytest.raises(InputError, match=variable) as caught:
        send(config_for("https://127.0.0.1:9/"), post(lane))
    assert str(path) in str(caught.value)
    assert caught.value.applied == "no"
    told = asked(config_for("https://127.0.0.1:9/"))
    assert isinstance(told, InputError)


def test_certificates_of_a_folder_that_holds_none_are_named(
    secure: testing.SocketServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is not accepted says whose word was asked, where the user chose."""
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert f"SSL_CERT_DIR={tmp_path}" in str(asked(config_for(secure.url)))


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_that_refuses_is_named(
    server: testing.SocketServer, monkeypatch: pytest.MonkeyPatch, lane: Lane, variable: str
) -> None:
    """Not the server: the proxy, its variable, and what goes around it; never its password."""
    monkeypatch.setenv(variable, "http://user:CANARY@127.0.0.1:9/")
    told = str(asked(config_for(server.url)))
    assert f"the proxy 127.0.0.1:9 of {variable}" in told
    assert "NO_PROXY=127.0.0.1" in told
    assert "CANARY" not in told


class _Proxy(BaseHTTPRequestHandler):
    """A proxy that answers by itself, and notes what it was asked."""

    asked: ClassVar[list[tuple[str, str, str | None]]] = []

    def do_POST(self) -> None:
        """Answer in the server's place."""
        self.asked.append((self.command, self.path, self.headers["Proxy-Authorization"]))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def do_CONNECT(self) -> None:
        """Open no tunnel."""
        self.asked.append((self.command, self.path, self.headers["Proxy-Authorization"]))
        self.send_error(502)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_gets_its_name_and_password(monkeypatch: pytest.MonkeyPatch, lane: Lane, scheme: str) -> None:
    """As Basic authentication, whether it passes requests on or opens a tunnel, and in no other header."""
    monkeypatch.setattr(_Proxy, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as proxy:
        thread = Thread(target=proxy.serve_forever)
        thread.start()
        monkeypatch.setenv(f"{scheme}_proxy", f"http://us%40er:p%C3%A4ss@127.0.0.1:{proxy.server_port}/")
        try:
            with nullcontext() if scheme == "http" else pytest.raises(Faulted):
                send(config_for(f"{scheme}://127.0.0.1:9/"), post(lane))
        finally:
            proxy.shutdown()
            thread.join()
    command, path, word = _Proxy.asked[0]
    assert (command, "127.0.0.1:9" in path) == ("POST" if scheme == "http" else "CONNECT", True)
    assert word == "Basic " + b64encode("us@er:p\u00e4ss".encode()).decode()


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:9", "socks://h", "not a url", "http://", "http://h:x"])
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Another kind, or no address at all: the variable and NO_PROXY, and no retry."""
    monkeypatch.setenv("all_proxy", value)
    with pytest.raises(InputError, match=r"all_proxy.*NO_PROXY=example\.com") as caught:
        proxy_for("https://example.com/")
    assert caught.value.applied == "no"


@pytest.mark.parametrize(
    ("addresses", "problem"),
    [
        (["192.0.2.7"], "resolves to 192.0.2.7"),
        (["127.0.0.1", "192.0.2.7"], "192.0.2.7"),
        ([], "not resolve"),
    ],
)
def test_a_name_below_localhost_gets_no_key_elsewhere(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str], problem: str
) -> None:
    """It is looked up before the first byte; http to another machine is refused at once."""
    resolve_to(monkeypatch, addresses)
    told = asked(config_for("http://something.localhost:9/"))
    assert isinstance(told, InputError)
    assert problem in str(told)


def test_a_name_below_localhost_that_resolves_here_is_used(
    server: testing.SocketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that the user vouched for is not looked up."""
    resolve_to(monkeypatch, ["127.0.0.1"])
    url = server.url.replace("127.0.0.1", "something.localhost")
    with ServiceClient(config=config_for(url)) as client:
        assert client.get_server_capabilities().supported_models
    resolve_to(monkeypatch, [])
    vouched = config_for("http://something.localhost:9/", insecure=True, retry=RetryConfig(start_retries=0))
    assert not isinstance(asked(vouched), InputError)


def resolve_to(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    """Have names below localhost resolve to some addresses."""
    real = socket.getaddrinfo

    def found(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if not name.endswith(".localhost"):
            return real(host, port, *rest, **named)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port or 0)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_a_full_disk_ends_a_download_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One try, one error that names the file; the signed URL is not asked for again."""
    store = Store()
    service = testing.LedgerService()
    service.rules.append(store.rule)
    part = tmp_path / ".got.tinsmith-part"
    part.symlink_to("/dev/full")
    monkeypatch.setattr(Download, "_start_over", lambda _: None)  # it would take the link away
    with ServiceClient(**service.settings()) as client:
        future = client.create_rest_client().download_checkpoint(PATH, tmp_path / "got")
        error = future.exception(WAIT_S)
    assert isinstance(error, TinkerError)
    assert f"cannot write {part}" in str(error)
    assert "No space left" in str(error)
    assert (store.signed, len(store.ranges)) == (1, 1)


def test_a_folder_that_cannot_be_written_is_named() -> None:
    """Nothing is fetched for it."""
    service = testing.LedgerService()
    with ServiceClient(**service.settings()) as client:
        future = client.create_rest_client().download_checkpoint(PATH, "/proc/nowhere/got")
        error = future.exception(WAIT_S)
    assert isinstance(error, TinkerError)
    assert "cannot write /proc/nowhere" in str(error)
    assert service.seen == []
