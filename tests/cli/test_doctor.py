"""`tinsmith doctor` against planted faults, over real sockets."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import testing

from tests.cli.conftest import KEY
from tests.cli.test_every_command import INTERRUPTED
from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Result, Server

INFO = {
    "key_id": 7,
    "name": "laptop",
    "note": "",
    "details": {"org_details": {"name": "acme"}, "user_details": {"email": "ada@example.com"}},
}


@pytest.fixture
def healthy(server: Server) -> Server:
    """Give a server that has all that is asked for."""
    server.on("GET", "/healthz", (200, {"status": "ok"}))
    server.on("GET", "/auth/apikey/me", (200, INFO))
    server.on("GET", "/get_server_capabilities", (200, {"supported_models": [{"model_name": "Big/One"}]}))
    server.on("POST", "/client/config", (200, {"proto_compress_fwdbwd": False}))
    server.on("POST", "/create_session", (200, {"session_id": "s", "type": "create_session"}))
    server.on("POST", "/session_heartbeat", (200, {"type": "session_heartbeat"}))
    server.on("POST", "/forward_backward", (422, {"detail": []}))
    server.on("POST", "/sessions/s/finish", (204, None))
    return server


def checked(cli: Callable[..., Result], *words: str) -> dict[str, Any]:
    """Run the doctor, and return the findings by check; the exit code is that of the worst one."""
    done = cli("doctor", "-f", "json", *words)
    document = done.json
    assert done.code == (document["status"] == "bad"), done.err
    assert KEY not in done.out + done.err
    return {each["check"]: each for each in document["checks"]} | {"": document}


def test_a_healthy_server(cli: Callable[..., Result], healthy: Server) -> None:
    """Every check is a line that says ok."""
    found = checked(cli)
    assert found[""]["status"] == "ok", found
    assert found["Accepted"]["finding"] == "the key is that of ada@example.com (acme)"
    assert found["Models"]["finding"] == "1, such as Big/One"
    assert found["Clock"]["finding"] == "the same as the server's"
    assert "POST /sessions/s/finish" in healthy.routes()
    shown = cli("doctor")
    assert shown.code == 0
    assert "ok Session opened, kept alive and ended again" in shown.words


def test_the_embedded_service(cli: Callable[..., Result]) -> None:
    """It needs neither network nor key."""
    found = checked(cli, "--base-url", "local:")
    assert found[""]["status"] == "ok"
    assert "DNS" not in found
    assert found["Kind"]["finding"] == "tinsmith"


def test_no_listener(cli: Callable[..., Result], server: Server) -> None:
    """A port where nobody listens."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        found = checked(cli, "--base-url", f"http://127.0.0.1:{held.getsockname()[1]}")
    assert found["Connection"]["status"] == "bad"
    assert "Connection refused" in found["Connection"]["finding"]
    assert found["Connection"]["advice"]
    assert "HTTP" not in found


def test_no_name(cli: Callable[..., Result], server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that has no address."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    found = checked(cli, "--base-url", "https://nowhere.invalid")
    assert found["DNS"]["status"] == "bad"
    assert "nowhere.invalid has no address" in found["DNS"]["finding"]


def test_all_that_can_be_checked_is(
    cli: Callable[..., Result], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is offline and has no key learns of both, and of nothing that was not looked at."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    monkeypatch.delenv("TINKER_API_KEY")
    found = checked(cli, "--base-url", "https://nowhere.invalid")
    assert [name for name in found if name] == ["Versions", "Extras", "Server", "Proxy", "DNS", "Key"]
    assert (found["DNS"]["status"], found["Key"]["status"]) == ("bad", "bad")
    assert found["Key"]["advice"] == "tinsmith auth login stores a key"


def test_no_tls(cli: Callable[..., Result], healthy: Server) -> None:
    """An address with https whose server speaks http."""
    found = checked(cli, "--base-url", healthy.url.replace("http:", "https:"))
    assert found["TLS"]["status"] == "bad"
    assert "speaks no TLS" in found["TLS"]["finding"]


def test_a_certificate_of_an_unknown_authority(
    cli: Callable[..., Result], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that nobody known has signed is not trusted, until the user names it."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=local"
        f" -keyout {key} -out {certificate} -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with testing.SocketServer(testing.LedgerService(), tls=context) as secure:
        found = checked(cli, "--base-url", secure.url)
        assert found["TLS"]["status"] == "bad"
        assert "the certificate is not trusted" in found["TLS"]["finding"]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert checked(cli, "--base-url", secure.url)["TLS"]["status"] == "ok"


def test_no_key(cli: Callable[..., Result], healthy: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way is looked at, and the key that is missing is named; a bad one too."""
    monkeypatch.delenv("TINKER_API_KEY")
    found = checked(cli)
    assert (found["Connection"]["status"], found["Key"]["status"]) == ("ok", "bad")
    assert healthy.asked == []
    monkeypatch.setenv("TINKER_API_KEY", "sk-other")
    assert "does not start with 'tml-'" in checked(cli)["Key"]["finding"]


@pytest.mark.parametrize("route", ["/auth/apikey/me", "/healthz"])
def test_a_refused_key(cli: Callable[..., Result], healthy: Server, route: str) -> None:
    """401 is told as what it is, wherever it comes."""
    healthy.on("GET", route, (401, {"detail": "unknown key"}))
    healthy.on("GET", "/auth/apikey/me", (401, {"detail": "unknown key"}))
    found = checked(cli)
    assert found["Accepted"]["status"] == "bad"
    assert "unknown key" in found["Accepted"]["finding"]


def test_an_address_of_something_else(cli: Callable[..., Result], server: Server) -> None:
    """A server that knows none of the routes."""
    found = checked(cli)
    assert found["HTTP"]["status"] == "bad"
    assert "this API" in found["HTTP"]["advice"]


def test_no_address(cli: Callable[..., Result]) -> None:
    """An address that is none."""
    assert checked(cli, "--base-url", "ftp://example.com")["Server"]["status"] == "bad"


def test_a_server_without_models_and_sessions(cli: Callable[..., Result], healthy: Server) -> None:
    """What is odd is a warning, what keeps one from working is bad."""
    healthy.on("GET", "/get_server_capabilities", (200, {"supported_models": []}))
    healthy.on("POST", "/create_session", (403, {"detail": "no sessions for you"}))
    found = checked(cli)
    assert (found["Models"]["status"], found["Session"]["status"]) == ("warn", "bad")
    assert "no sessions for you" in found["Session"]["finding"]


def test_a_slow_server(cli: Callable[..., Result], healthy: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning, and exit code 0."""
    monkeypatch.setattr("tinsmith.cli.doctor.SLOW_S", 0.0)
    assert checked(cli)["Latency"]["status"] == "warn"


def test_a_proxy(cli: Callable[..., Result], healthy: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy and its variable are named, and it is what is reached; one that is none is bad."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:secret@127.0.0.1:{port}")
        found = checked(cli, "--base-url", "https://example.com")
    assert f"the proxy 127.0.0.1:{port} of HTTPS_PROXY" in found["Proxy"]["finding"]
    assert found["Connection"]["status"] == "bad"
    assert "secret" not in str(found)
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    assert checked(cli, "--base-url", "https://example.com")["Proxy"]["status"] == "bad"


class _Page(BaseHTTPRequestHandler):
    """A web page, and a clock that stands."""

    body = b"<html>Welcome</html>"

    def do_GET(self) -> None:
        self.send_response_only(200)
        self.send_header("Content-Type", "text/html" if self.body.startswith(b"<") else "application/json")
        self.send_header("Date", "Fri, 01 Mar 2024 00:00:00 GMT")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the page, and return its address."""
    monkeypatch.setenv("TINKER_API_KEY", KEY)
    monkeypatch.setattr("tinsmith.cli.doctor.PATIENCE_S", 0.5)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{http.server_address[1]}"
    http.shutdown()
    http.server_close()
    thread.join()


def test_a_web_page(cli: Callable[..., Result], page: str) -> None:
    """HTML in place of JSON is an address of something else."""
    found = checked(cli, "--base-url", page)
    assert found["HTTP"]["status"] == "bad"
    assert "not to another page" in found["HTTP"]["advice"]


def test_a_clock_that_is_off(cli: Callable[..., Result], page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference to the server's time is a warning, with its size and side."""
    monkeypatch.setattr(_Page, "body", b'{"status": "ok"}')
    found = checked(cli, "--base-url", page)
    assert found["Clock"]["status"] == "warn"
    assert "s ahead of the server" in found["Clock"]["finding"]


def test_ctrl_c() -> None:
    """Ctrl-C while the server thinks ends it with 130 and no half a result."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "doctor", "--base-url", "local:"],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert "Traceback" not in done.stderr
