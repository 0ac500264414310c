"""A client of the ASGI app for tests: plain requests, promises waited for, all in the test's own thread."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from tinsmith_local.options import ServeOptions
from tinsmith_local.service import Service

from tests.guard import WAIT_S

API = "/api/v1/"
TEXT = b"hello world"


def datum(text: bytes = TEXT, weight: float = 1.0) -> dict[str, Any]:
    """Return a cross_entropy datum over the bytes of a text, as an old client writes it."""
    tokens = list(text)
    length = len(tokens) - 1
    return {
        "model_input": {"chunks": [{"tokens": tokens[:-1]}]},
        "loss_fn_inputs": {
            "target_tokens": {"data": tokens[1:], "dtype": "int64", "shape": [length]},
            "weights": {"data": [weight] * length, "dtype": "float32", "shape": [length]},
        },
    }


class Clock:
    """The time of day, or what it will be."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        """Return the time in seconds since the epoch."""
        return time.time() + self.ahead_s


class Caller:
    """Talks to a running service through its ASGI app."""

    def __init__(self, service: Service, clock: Clock | None = None) -> None:
        self.service = service
        self.clock = clock or Clock()
        """The clock of a service that `on` started."""
        self._closed = False
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(service.app), base_url="http://127.0.0.1", timeout=WAIT_S
        )

    @classmethod
    def on(cls, directory: Path, **options: Any) -> "Caller":
        """Start a service on a directory and talk to it."""
        clock = Clock()
        return cls(Service(ServeOptions(data_dir=directory, **options), clock=clock), clock)

    def close(self) -> None:
        """End the service, once."""
        if self._closed:
            return
        self._closed = True
        self._runner.run(self._client.aclose())
        self._runner.close()
        self.service.close()

    def use_key(self, key: str) -> None:
        """Send this key with every request from now on."""
        self._client.headers["x-api-key"] = key

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send one request."""
        return self._runner.run(self._client.request(method, API + path, **more))

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET a path of the root, which is no operation."""
        return self._runner.run(self._client.get(path, headers=headers))

    def together(self, *calls: tuple[str, dict[str, Any]]) -> list[httpx.Response]:
        """POST several bodies at the same time."""

        async def all_of_them() -> list[httpx.Response]:
            return await asyncio.gather(*(self._client.post(API + path, json=body) for path, body in calls))

        return self._runner.run(all_of_them())

    def post(self, operation: str, /, **body: Any) -> httpx.Response:
        """POST a body."""
        return self.send("POST", operation, json=body)

    def ok(self, operation: str, /, **body: Any) -> dict[str, Any]:
        """POST a body that must be accepted; the answer."""
        response = self.post(operation, **body)
        assert response.is_success, (operation, response.status_code, response.text)
        found: dict[str, Any] = response.json()
        return found

    def result(self, request_id: str) -> dict[str, Any]:
        """Wait for a promise; its result, which may be a failure."""
        while True:
            response = self.post("retrieve_future", request_id=request_id)
            found: dict[str, Any] = response.json()
            if response.status_code != 408 and found.get("type") != "try_again":
                assert response.status_code == 200, response.text
                return found

    def done(self, operation: str, /, **body: Any) -> dict[str, Any]:
        """POST a promise operation and return its result."""
        return self.result(self.ok(operation, **body)["request_id"])

    def session(self) -> str:
        """Open a session."""
        return str(self.ok("create_session", tags=[], user_metadata={}, sdk_version="0.6.3")["session_id"])

    def model(self, session_id: str | None = None, number: int = 0, **lora: Any) -> str:
        """Make a model on the tiny base model."""
        config = {"rank": 4, "seed": 7, **lora}
        found = self.done(
            "create_model",
            session_id=session_id or self.session(),
            model_seq_id=number,
            base_model="tinsmith/tiny",
            lora_config=config,
        )
        return str(found["model_id"])

    def forward_backward(
        self, model_id: str, seq_id: int, *data: dict[str, Any], **more: Any
    ) -> dict[str, Any]:
        """Compute a cross_entropy loss with gradients."""
        body = {"data": list(data) or [datum()], "loss_fn": "cross_entropy", **more}
        return self.done("forward_backward", model_id=model_id, seq_id=seq_id, forward_backward_input=body)

    def optim_step(self, model_id: str, seq_id: int, **adam: Any) -> dict[str, Any]:
        """Take an optimizer step."""
        return self.done("optim_step", model_id=model_id, seq_id=seq_id, adam_params=adam)

    def block(self, gate: threading.Event) -> None:
        """Keep the engine's thread waiting until the event."""

        def wait() -> None:
            gate.wait(20)

        self.service.engine_thread.put(wait)

    def ledger(self, model_id: str) -> list[int | None]:
        """Numbers applied to a model, in order of application."""
        return [line.seq for line in self.service.promise_table.ledger(model_id)]
