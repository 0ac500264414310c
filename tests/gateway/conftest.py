"""A gateway over `local:` in this process, and what tests ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tinsmith
from starlette.testclient import TestClient
from tinsmith.clients.sampling import SamplingClient
from tinsmith.core.values.results import SamplePiece
from tinsmith.gateway import GatewayOptions, gateway_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tinsmith.io.future import APIFuture
    from tinsmith.types import SampleResponse

MODEL = "tinsmith/tiny"


@pytest.fixture(scope="package")
def service() -> Iterator[tinsmith.ServiceClient]:
    """Open a service that keeps nothing."""
    with tinsmith.ServiceClient(base_url="local:") as opened:
        yield opened


@pytest.fixture(scope="package")
def gateway(service: tinsmith.ServiceClient) -> Iterator[TestClient]:
    """Open a gateway over it, in which the model has a second name."""
    with TestClient(gateway_app(service, GatewayOptions(aliases={"tiny": MODEL}))) as client:
        yield client


class OneWholePiece:
    """What `SamplingClient.stream` returns, over the future of a sample; a cancelled future is never done."""

    def __init__(self, sampled: APIFuture[SampleResponse]) -> None:
        self._sampled = sampled

    async def __aenter__(self) -> AsyncIterator[SamplePiece]:
        return self._pieces()

    async def __aexit__(self, *_: object) -> None:
        self._sampled.cancel()

    async def _pieces(self) -> AsyncIterator[SamplePiece]:
        drawn = (await self._sampled).sequences[0]
        yield SamplePiece(tokens=drawn.tokens, logprobs=drawn.logprobs, stop_reason=drawn.stop_reason)


def stand_in(patch: pytest.MonkeyPatch, sample: Callable[..., APIFuture[Any]]) -> None:
    """Have samples and streams of every sampler come from `sample(prompt, num_samples)`."""
    patch.setattr(SamplingClient, "sample", lambda _, prompt, count, *__, **___: sample(prompt, count))
    patch.setattr(SamplingClient, "stream", lambda _, prompt, *__: OneWholePiece(sample(prompt, 1)))


def complete(gateway: TestClient, prompt: Any, **fields: Any) -> dict[str, Any]:
    """Return the answer of /v1/completions, which must be one."""
    answer = gateway.post("/v1/completions", json={"model": MODEL, "prompt": prompt, **fields})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def chat(gateway: TestClient, text: str, **fields: Any) -> dict[str, Any]:
    """Return the answer of /v1/chat/completions to one message, which must be one."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": text}], **fields}
    answer = gateway.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def events(answer: Any) -> list[dict[str, Any]]:
    """Return the events of a stream, which must end as the API says."""
    import orjson

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    *lines, last = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert last == "[DONE]"
    return [orjson.loads(line) for line in lines]


def refusal(answer: Any) -> dict[str, Any]:
    """Return the error of an answer, which must have the shape of the API."""
    document = answer.json()
    assert set(document) == {"error"}
    assert set(document["error"]) == {"message", "type", "param", "code"}
    error: dict[str, Any] = document["error"]
    assert error["message"]
    return error
