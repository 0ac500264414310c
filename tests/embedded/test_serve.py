"""The service behind uvicorn: address, key, loopback, the same answers as in the process."""

import asyncio
import contextlib
import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from tinsmith_local.connections import log_accept_errors_once
from tinsmith_local.listening import listen
from tinsmith_local.models.source import ModelFileError
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import Address, read_telemetry, serve, serving

from tests.embedded.models.gguf_files import llama_tensors, to_gguf, write_gguf
from tests.guard import WAIT_S


def test_it_listens_on_loopback_with_a_random_key(tmp_path: Path) -> None:
    """Two services have two ports and two keys, which start as keys do."""
    options = [ServeOptions(data_dir=tmp_path / name) for name in "ab"]
    with serving(options[0]) as (one, _), serving(options[1]) as (other, _):
        assert one.base_url.startswith("http://127.0.0.1:")
        assert one.base_url != other.base_url
        assert one.token.startswith("tml-")
        assert one.token != other.token
        lines = one.export_lines
        assert lines == (f"export TINKER_BASE_URL={one.base_url}", f"export TINKER_API_KEY={one.token}")
        assert one.token not in repr(one)
        found = httpx.get(
            f"{one.base_url}/api/v1/sessions", headers={"x-api-key": one.token}, trust_env=False
        )
        wrong = httpx.get(
            f"{one.base_url}/api/v1/sessions", headers={"x-api-key": other.token}, trust_env=False
        )
        assert (found.status_code, wrong.status_code) == (200, 401)


def test_taken_port_is_named(tmp_path: Path) -> None:
    """A port in use is named, and nothing is made."""
    with listen("127.0.0.1", 0, allow_remote=False) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"port {port} of 127\.0\.0\.1 is taken .*--port"):
            serve(ServeOptions(data_dir=tmp_path / "data"), port=port)
    assert not (tmp_path / "data").exists()


def test_other_hosts_need_allow_remote(tmp_path: Path) -> None:
    """A host beyond loopback is refused before anything is opened."""
    for host in ("0.0.0.0", "::", "192.168.0.1", "example.org"):
        with pytest.raises(ValueError, match="--allow-remote"):
            serve(ServeOptions(data_dir=tmp_path / "data"), host=host)
    assert not (tmp_path / "data").exists()


def _nothing_there(path: Path) -> None:
    """Leave the path empty."""


def _text(path: Path) -> None:
    """Write something that is no model."""
    path.write_text("hello")


def _cut_off(path: Path) -> None:
    """Write the first two thirds of a model."""
    write_gguf(path, to_gguf(llama_tensors()))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def _pipe(path: Path) -> None:
    """Make a pipe, which nobody writes to."""
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_nothing_there, "does not exist"),
        (_text, "is not a GGUF file"),
        (_cut_off, "the file is cut off"),
        (Path.mkdir, "is missing, so this is not a model directory"),
        (_pipe, "is neither a file nor a directory"),
    ],
)
def test_a_path_without_a_model_is_an_error_at_the_start(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    """The file and the reason are named before anything is made, though no model is loaded yet."""
    path = tmp_path / "bad.gguf"
    make(path)
    options = ServeOptions(data_dir=tmp_path / "data", models={"x": path})
    with pytest.raises(ModelFileError, match=f"{path}.*{reason}"):
        serve(options)
    assert not (tmp_path / "data").exists()


def test_an_unreadable_model_is_an_error_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system says of it is passed on."""
    path = write_gguf(tmp_path / "closed.gguf", to_gguf(llama_tensors()))
    plain = Path.open

    def refuse(self: Path, *rest: Any, **more: Any) -> Any:
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return plain(self, *rest, **more)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelFileError, match=r"closed\.gguf: cannot be read: .*Permission denied"):
        serve(ServeOptions(data_dir=tmp_path / "data", models={"x": path}))


def test_the_models_given_are_opened_and_not_loaded(tmp_path: Path) -> None:
    """A good model costs its header at the start; its tensors wait for the first use."""
    path = write_gguf(tmp_path / "good.gguf", to_gguf(llama_tensors()))
    with serving(ServeOptions(data_dir=tmp_path / "data", models={"x": path})) as (_, running):
        assert running.base_models.loaded() == []
        running.base_models.get("x")
        assert running.base_models.loaded() == ["x"]


def test_a_directory_keeps_its_key(tmp_path: Path) -> None:
    """Clients go on with their key when the service starts again; another directory has another one."""
    tokens = []
    for name in ("a", "a", "b"):
        with serving(ServeOptions(data_dir=tmp_path / name)) as (address, _):
            tokens.append(address.token)
    assert tokens[0] == tokens[1] != tokens[2]


def test_accepted_connections_send_at_once() -> None:
    """The listener says that it is TCP: asyncio switches delayed sending off for those sockets alone."""
    with listen("127.0.0.1", 0, allow_remote=False) as listener, socket.socket() as plain:
        assert (listener.proto, plain.proto) == (socket.IPPROTO_TCP, 0)


@pytest.mark.parametrize(
    "noise", [b"\x00\xff" * 100 + b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /\r\n\r\n"]
)
def test_bytes_that_are_no_http_end_only_their_connection(tmp_path: Path, noise: bytes) -> None:
    """What is no HTTP is answered 4xx, and the service lives on."""
    with serving(ServeOptions(data_dir=tmp_path)) as (address, _):
        url = httpx.URL(address.base_url)
        with socket.create_connection((url.host, url.port or 0)) as raw:
            raw.sendall(noise)
            assert b" 40" in raw.recv(100)
        assert httpx.get(f"{address.base_url}/api/v1/healthz", trust_env=False).status_code == 200


def test_a_header_block_without_end_is_cut(tmp_path: Path) -> None:
    """Headers are bounded while they are read."""
    with serving(ServeOptions(data_dir=tmp_path)) as (address, _):
        url = httpx.URL(address.base_url)
        with socket.create_connection((url.host, url.port or 0)) as raw:
            raw.sendall(b"GET /api/v1/healthz HTTP/1.1\r\n" + b"x-long: " + b"a" * (200 << 10))
            try:
                answer = raw.recv(100)
            except ConnectionResetError:
                answer = b""
            assert answer == b"" or b" 4" in answer


class Pipe:
    """One raw connection to a service; a context manager."""

    def __init__(self, address: Address) -> None:
        url = httpx.URL(address.base_url)
        self.raw = socket.create_connection((url.host, url.port or 0), timeout=WAIT_S)
        self.head = f"Host: {url.host}:{url.port}\r\nX-API-Key: {address.token}\r\n".encode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.raw.close()

    def healthy(self) -> None:
        """Ask a question and get the whole answer."""
        self.raw.sendall(b"GET /api/v1/healthz HTTP/1.1\r\n" + self.head + b"\r\n")
        answer = b""
        while b"}" not in answer:
            answer += self.raw.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")

    def rest(self) -> bytes:
        """Read until the service ends the connection."""
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.raw.recv(65536):
                found += piece
        return found


@pytest.mark.parametrize("sent", [b"", b"GET /api/v1/healthz HTTP/1.1\r\nHost: x"])
def test_a_head_has_a_deadline(tmp_path: Path, sent: bytes) -> None:
    """A connection that sends no head, or a part of one, is ended, also behind a whole request."""
    with serving(ServeOptions(data_dir=tmp_path, head_s=0.2)) as (address, _):
        with Pipe(address) as idle:
            idle.raw.sendall(sent)
            assert idle.rest() == b""
        if sent:
            with Pipe(address) as second:
                second.healthy()
                second.raw.sendall(sent)
                assert second.rest() == b""


def test_a_kept_connection_has_no_deadline_between_requests(tmp_path: Path) -> None:
    """The deadline of heads does not end a connection that waits for its next request."""
    with serving(ServeOptions(data_dir=tmp_path, head_s=0.2)) as (address, _), Pipe(address) as kept:
        kept.healthy()
        time.sleep(0.5)  # longer than a head may take
        kept.healthy()


def test_a_body_has_a_deadline(tmp_path: Path) -> None:
    """A body that stops in the middle is answered 408."""
    with serving(ServeOptions(data_dir=tmp_path, body_s=0.2)) as (address, _), Pipe(address) as half:
        head = b"POST /api/v1/create_session HTTP/1.1\r\nContent-Type: application/json\r\n" + half.head
        half.raw.sendall(head + b"Content-Length: 1000\r\n\r\n{")
        answer = half.rest()
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"the body was not there after 0.2 s" in answer


def test_connections_are_capped(tmp_path: Path) -> None:
    """Connections above the cap are ended at once; those below it go on."""
    with (
        serving(ServeOptions(data_dir=tmp_path, max_connections=2)) as (address, _),
        Pipe(address) as first,
        Pipe(address) as second,
    ):
        first.healthy()
        second.healthy()
        with Pipe(address) as third:
            assert third.rest() == b""
        first.healthy()


def test_the_cap_follows_the_descriptor_limit() -> None:
    """It leaves room for the service's own files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = (
        "import resource; from tinsmith_local.connections import most_connections\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))\nprint(most_connections())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 256 - 64
    assert soft > 0


def test_errors_of_accepting_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The loop asks again every second; one line is enough."""
    loop = asyncio.new_event_loop()
    log_accept_errors_once(loop)
    for _ in range(3):
        trouble = {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many")}
        loop.call_exception_handler(trouble)
    loop.close()
    assert [record.message for record in caplog.records] == [
        "no further connection can be taken for now: [Errno 24] Too many"
    ]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_bearer_token_is_a_key_too(tmp_path: Path, scheme: str) -> None:
    """Clients that send Authorization: Bearer are served; a wrong one is refused."""
    with serving(ServeOptions(data_dir=tmp_path)) as (address, _):
        url = f"{address.base_url}/api/v1/sessions"
        for token, status in ((address.token, 200), ("tml-wrong", 401)):
            headers = {"Authorization": f"{scheme} {token}"}
            assert httpx.get(url, headers=headers, trust_env=False).status_code == status
        basic = {"Authorization": f"Basic {address.token}"}
        assert httpx.get(url, headers=basic, trust_env=False).status_code == 401


def test_interrupting_it_is_quick_and_clean(tmp_path: Path) -> None:
    """Ctrl-C ends the process with its state written and the directory free."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tinsmith_local.options import ServeOptions; from tinsmith_local.serve import serve\n"
        "tell = lambda address: print(address.base_url, address.token, flush=True)\n"
        "serve(ServeOptions(data_dir=Path(sys.argv[1])), announce=tell)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    base_url, token = process.stdout.readline().split()
    event = {"event": "GENERIC_EVENT", "event_id": "1", "event_session_index": 0, "severity": "INFO"}
    events = [{**event, "timestamp": "2026-11-22T06:55:44Z", "event_name": "tried", "event_data": {}}]
    body = {"events": events, "platform": "Linux", "sdk_version": "1", "session_id": "s"}
    for _ in range(200):
        try:
            answer = httpx.post(
                f"{base_url}/api/v1/telemetry", json=body, headers={"x-api-key": token}, trust_env=False
            )
            break
        except httpx.TransportError:
            continue
    assert answer.status_code == 200
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=WAIT_S)
    [line] = read_telemetry(tmp_path)
    assert '"event_name":"tried"' in line
