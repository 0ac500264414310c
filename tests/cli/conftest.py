"""The command line run in this process, and a scripted server to run it against."""

from __future__ import annotations

import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from tinsmith.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "tml-key-of-the-tests"


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """What stdout says, in one line: tables pad and wrap."""
        return " ".join(self.out.split())


class Asked(NamedTuple):
    """One request that the scripted server got."""

    method: str
    path: str
    query: dict[str, str]
    key: str | None
    body: Any


Answer = tuple[int, Any]
"""Status, and what to send as JSON."""


class Server:
    """A server on loopback that answers from a table and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Answer | Callable[[Asked], Answer]] = {}
        self.asked: list[Asked] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                asked = Asked(
                    self.command,
                    parts.path.removeprefix("/api/v1"),
                    query,
                    self.headers.get("X-API-Key"),
                    json.loads(body) if body else None,
                )
                status, document = server.answer(asked)
                payload = b"" if document is None else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = do_PUT = do_DELETE = do_any  # noqa: N815 - the names of http.server

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def answer(self, asked: Asked) -> Answer:
        """Note a request and look its answer up."""
        self.asked.append(asked)
        found = self.answers.get((asked.method, asked.path), (404, {"detail": "no such thing"}))
        return found(asked) if callable(found) else found

    def on(self, method: str, path: str, answer: Answer | Callable[[Asked], Answer]) -> None:
        """Script the answer to one route."""
        self.answers[method, path] = answer

    def routes(self) -> list[str]:
        """Return what was asked for, in order."""
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Start a scripted server that the environment names."""
    scripted = Server()
    monkeypatch.setenv("TINKER_BASE_URL", scripted.url)
    monkeypatch.setenv("TINKER_API_KEY", KEY)
    yield scripted
    scripted.close()


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command as the `tinsmith` program would."""

    def run(*arguments: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(arguments)
        out, err = capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return Result(code, out, err)

    return run
