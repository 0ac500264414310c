"""Stands between a client and a service, passes everything on, and keeps what was said, redacted.

Keeps a few examples of each route, status and kind; long lists cut, no credential, no path of this machine.
"""

import base64
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn
from contract_captures import Contract, Exchange
from contract_document import CONTRACT, load
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tinsmith.contract.exchange import explained, redacted

#: Examples of one name; they differ in the fields that they carry.
KEPT = 3
#: Entries of a list that are kept.
LONGEST_LIST = 8
#: Protobuf bodies beyond this are only counted.
LONGEST_PROTOBUF = 4000
HEADERS = ("accept", "content-type", "content-encoding", "user-agent", "location", "expires", "retry-after")
METHODS = ["GET", "POST", "PUT", "DELETE"]
HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host", "content-encoding")
_PRIVATE = {"traceback", "exception_stack", "error_message", "exception"}


class Recorder:
    """Keeps examples of what passes."""

    def __init__(self, upstream: str, about: str) -> None:
        self._http = httpx.AsyncClient(base_url=upstream, timeout=600, trust_env=False)
        self._contract = Contract(load(CONTRACT))
        self._about = about
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, dict[str, Any]] = {}
        self._shapes: dict[str, set[str]] = {}

    async def pass_on(self, request: Request) -> Response:
        """Send a request on and its answer back."""
        body = await request.body()
        headers = [(name, value) for name, value in request.headers.items() if name not in HOP[:4]]
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = await self._http.request(request.method, path, content=body, headers=headers)
        self._keep(request, path, body, answer)
        kept = {name: value for name, value in answer.headers.items() if name not in HOP}
        return Response(answer.content, answer.status_code, kept)

    def _keep(self, request: Request, path: str, body: bytes, answer: httpx.Response) -> None:
        """Keep an exchange if there is none of its kind yet."""
        said = _readable(body, request.headers.get("content-type", ""))
        told = _readable(answer.content, answer.headers.get("content-type", ""))
        headers = _headers(request.headers)
        name = self._name(request.method, path, answer.status_code, headers, said)
        if name is None:
            return
        self._counts[name] += 1
        shape = repr(sorted(said)) if isinstance(said, dict) else ""
        shapes = self._shapes.setdefault(name, set())
        if shape in shapes or len(shapes) == KEPT or "too_long" in (*_keys(said), *_keys(told)):
            return
        shapes.add(shape)
        kept = explained(
            Exchange(
                name=name if len(shapes) == 1 else f"{name} #{len(shapes)}",
                source="",
                method=request.method,
                path=path,
                query={},
                status=answer.status_code,
                request_headers=self._redacted(headers),
                request=self._redacted(said),
                answer_headers=self._redacted(_headers(answer.headers)),
                answer=self._redacted(told),
            )
        )
        fields = ("method", "path", "status", "request_headers", "request", "answer_headers", "answer")
        self._examples[kept.name] = {field: getattr(kept, field) for field in fields}

    def _name(self, method: str, path: str, status: int, headers: dict[str, str], said: Any) -> str | None:
        """Name the kind of an exchange; None outside the API."""
        address = urlsplit(path)
        query = {key: values[-1] for key, values in parse_qs(address.query).items()}
        asked = Exchange("", "", method, address.path, query, status, headers, said, {}, None)
        operation = self._contract.operation_of(asked.method, asked.path)
        if operation is None:
            return None if "/x-tinsmith/" in path else f"{method} {address.path} {status}"
        kind = headers.get("x-tinker-request-type", "")
        if isinstance(said, dict) and "forward_backward_input" in said:
            kind = said["forward_backward_input"]["loss_fn"]
        return f"{method} {operation.path} {status}{f' ({kind})' if kind else ''}"

    def _redacted(self, value: Any) -> Any:
        """Take out secrets, what telemetry says of the machine, and the rest of long lists."""
        return redacted(_without_machine(value), self._contract)

    @property
    def exchanges(self) -> int:
        """How many exchanges have passed."""
        return self._counts.total()

    def document(self) -> dict[str, Any]:
        """Return what was kept."""
        return {"about": self._about, "counts": dict(self._counts), "examples": self._examples}

    def write(self, path: Path) -> None:
        """Write what was kept."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _keys(value: Any) -> list[str]:
    """Name the keys of an object."""
    return list(value) if isinstance(value, dict) else []


def _readable(body: bytes, content_type: str) -> Any:
    """Return a body as JSON can keep it."""
    if not body:
        return None
    if "protobuf" in content_type:
        if len(body) > LONGEST_PROTOBUF:
            return {"too_long": len(body)}
        return {"protobuf": base64.b64encode(body).decode()}
    try:
        return json.loads(body)
    except ValueError:
        return {"bytes": len(body)}


def _headers(headers: Any) -> dict[str, str]:
    """Keep the headers that the contract or the encodings speak of."""
    kept = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in kept.items() if name in HEADERS or name.startswith("x-tinker-")}


def _without_machine(value: Any) -> Any:
    """Take out what telemetry says of the machine, and the rest of long lists."""
    if isinstance(value, dict):
        return {
            key: "REDACTED" if key in _PRIVATE else _without_machine(found) for key, found in value.items()
        }
    return [_without_machine(found) for found in value[:LONGEST_LIST]] if isinstance(value, list) else value


@contextmanager
def recording(upstream: str, about: str) -> Iterator[tuple[str, Recorder]]:
    """Stand before a service while the block runs; the address for the client."""
    recorder = Recorder(upstream, about)
    app = Starlette(routes=[Route("/{path:path}", recorder.pass_on, methods=METHODS)])
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", http="h11")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", recorder
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
