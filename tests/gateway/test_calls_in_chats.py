"""A chat in which a model calls functions: a sampler that writes what a test wants stands for the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tinsmith
from starlette.testclient import TestClient
from tinsmith.clients.sampling import SamplingClient
from tinsmith.gateway import gateway_app
from tinsmith.io.future import APIFuture
from tinsmith.types import SampledSequence, SampleResponse

from tests.gateway.conftest import MODEL, chat, events, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = [{"type": "function", "function": {"name": name}} for name in ("weather", "now")]
CALLS = [
    f'<tool_call>{{"name": "{name}", "arguments": {{"a": "é"}}}}</tool_call>' for name in ("weather", "now")
]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}{{ m.content }}{{ m.tool_calls }}<|im_end|>{% endfor %}"
    "{{ tools }}<tool_call>"
)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Open a gateway whose model writes `CALLS` behind a word, and whose template shows calls."""

    def sample(prompt: Any, num_samples: int) -> APIFuture[Any]:
        tokens = [*b"Hm.", *"".join(CALLS).encode(), 258]
        done: APIFuture[Any] = APIFuture()
        sequence = SampledSequence(stop_reason="stop", tokens=tokens, logprobs=[-1.0] * len(tokens))
        done.settle(SampleResponse(sequences=[sequence] * num_samples))
        return done

    stand_in(monkeypatch, sample)
    with tinsmith.ServiceClient(base_url="local:") as service:
        tokenizer = service.create_sampling_client(base_model=MODEL).get_tokenizer()
        assert tokenizer.eos_token_id == 258
        tokenizer.chat_template = TEMPLATE
        monkeypatch.setattr(SamplingClient, "get_tokenizer", lambda self: tokenizer)
        with TestClient(gateway_app(service)) as client:
            yield client


def test_calls_of_an_answer(gateway: TestClient) -> None:
    """Calls are apart from the content, their arguments are JSON, and the reason says so."""
    [choice] = chat(gateway, "Hi", tools=TOOLS)["choices"]
    assert choice["finish_reason"] == "tool_calls"
    message = choice["message"]
    assert message["content"] == "Hm."
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["weather", "now"]
    assert message["tool_calls"][0]["function"]["arguments"] == '{"a":"é"}'
    assert message["tool_calls"][0]["type"] == "function"


def test_one_call_where_no_more_are_wanted(gateway: TestClient) -> None:
    """parallel_tool_calls: false leaves the first."""
    [choice] = chat(gateway, "Hi", tools=TOOLS, parallel_tool_calls=False)["choices"]
    assert [call["function"]["name"] for call in choice["message"]["tool_calls"]] == ["weather"]


@pytest.mark.parametrize("fields", [{}, {"tools": TOOLS, "tool_choice": "none"}])
def test_without_tools_all_is_text(gateway: TestClient, fields: dict[str, Any]) -> None:
    """A request that offers no functions gets what the model wrote."""
    [choice] = chat(gateway, "Hi", **fields)["choices"]
    assert choice["message"]["content"] == "Hm." + "".join(CALLS)
    assert (choice["finish_reason"], "tool_calls" in choice["message"]) == ("stop", False)


def test_calls_in_events(gateway: TestClient) -> None:
    """They come in one event behind the content, each with its place."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "tools": TOOLS, "stream": True}
    found = [each["choices"][0] for each in events(gateway.post("/v1/chat/completions", json=body))]
    assert "".join(each["delta"].get("content", "") for each in found) == "Hm."
    [calls] = [each["delta"]["tool_calls"] for each in found if "tool_calls" in each["delta"]]
    assert [(call["index"], call["function"]["name"]) for call in calls] == [(0, "weather"), (1, "now")]
    assert found[-1]["finish_reason"] == "tool_calls"


def test_results_of_calls_go_back(gateway: TestClient) -> None:
    """An answer with calls, and their results, can be sent back as they came."""
    message = chat(gateway, "Hi", tools=TOOLS)["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "sunny"}
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}, message, result], "tools": TOOLS}
    assert gateway.post("/v1/chat/completions", json=body).status_code == 200
