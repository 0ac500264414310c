"""/v1/chat/completions: the chat template, events, log-probabilities, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tinsmith.types import ModelInput, SamplingParams

from tests.gateway.conftest import MODEL, chat, events, refusal

if TYPE_CHECKING:
    import tinsmith
    from starlette.testclient import TestClient

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def test_the_answer_continues_the_template(gateway: TestClient, service: tinsmith.ServiceClient) -> None:
    """The prompt is the rendered conversation; the answer is what a SamplingClient draws behind it."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    sampler = service.create_sampling_client(base_model=MODEL)
    tokenizer = sampler.get_tokenizer()
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True)
    params = SamplingParams(max_tokens=6, seed=1)
    drawn = sampler.sample(ModelInput.from_ints(prompt), 2, params).result().sequences
    body = {"model": "tiny", "messages": messages, "max_completion_tokens": 6, "seed": 1, "n": 2}
    answer = gateway.post("/v1/chat/completions", json=body).json()
    assert (answer["object"], answer["model"]) == ("chat.completion", "tiny")
    for choice, sequence in zip(answer["choices"], drawn, strict=True):
        assert choice["message"]["role"] == "assistant"
        decoded = tokenizer.decode(list(sequence.tokens), skip_special_tokens=True)
        assert choice["message"]["content"] == decoded
        assert (choice["finish_reason"], choice["logprobs"]) == ("length", None)
    assert answer["usage"]["prompt_tokens"] == len(prompt)


def test_newer_shapes_of_messages(gateway: TestClient) -> None:
    """A developer is a system to the template, and a content of several parts is their text."""
    plain = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    newer: list[dict[str, Any]] = [
        {
            "role": "developer",
            "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "brief."}],
        },
        {"role": "user", "content": "Hello", "name": None},
    ]
    found = [
        gateway.post(
            "/v1/chat/completions", json={"model": MODEL, "messages": one, "max_tokens": 4, "seed": 1}
        )
        for one in (plain, newer)
    ]
    assert found[0].json()["choices"] == found[1].json()["choices"]


def test_log_probabilities(gateway: TestClient) -> None:
    """Each token has its bytes; the likeliest ones begin with the one that temperature 0 takes."""
    [choice] = chat(gateway, "Hi", max_tokens=5, temperature=0, logprobs=True, top_logprobs=3)["choices"]
    content = choice["logprobs"]["content"]
    assert len(content) == 5
    for entry in content:
        assert len(entry["top_logprobs"]) == 3
        assert {**entry["top_logprobs"][0], "top_logprobs": entry["top_logprobs"]} == entry
    raw = b"".join(bytes(entry["bytes"]) for entry in content)
    assert raw.decode(errors="replace") == choice["message"]["content"]


def test_events(gateway: TestClient) -> None:
    """Role, content as it comes, the reason of the end; joined they are the whole answer."""
    whole = chat(gateway, "Hi", max_tokens=12, temperature=0, n=2, logprobs=True)
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 12, "n": 2}
    asked = {**body, "temperature": 0, "logprobs": True, "stream": True}
    found = events(gateway.post("/v1/chat/completions", json=asked))
    assert {each["object"] for each in found} == {"chat.completion.chunk"}
    assert len({each["id"] for each in found}) == 1
    for choice in whole["choices"]:
        mine = [each["choices"][0] for each in found if each["choices"][0]["index"] == choice["index"]]
        assert mine[0]["delta"] == {"role": "assistant", "content": ""}
        assert "".join(each["delta"].get("content", "") for each in mine) == choice["message"]["content"]
        assert [each["finish_reason"] for each in mine if each["finish_reason"]] == [choice["finish_reason"]]
        logprobs = [entry for each in mine if each["logprobs"] for entry in each["logprobs"]["content"]]
        assert logprobs == choice["logprobs"]["content"]


REFUSED = [
    ({"messages": []}, "messages"),
    ({"messages": "Hello"}, "messages"),
    ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
    ({"messages": [{"role": "assistant", "tool_calls": [1]}]}, "messages[0].tool_calls"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"tools": [{"type": "web"}]}, "tools[0]"),
    ({"tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": {"type": "function"}}, "tool_choice"),
    ({"response_format": {"type": "json_object"}}, "response_format.type"),
    ({"functions": [{}]}, "functions"),
    ({"modalities": ["audio"]}, "modalities"),
    ({"chat_template_kwargs": {"tokenize": False}}, "chat_template_kwargs.tokenize"),
    ({"chat_template_kwargs": {"self": 1}}, "chat_template_kwargs.self"),
    ({"chat_template_kwargs": {"nonsense": 1}}, "nonsense"),
    ({"messages": [{"role": "user", "content": "x" * 5000}]}, "messages"),
]


@pytest.mark.parametrize(("fields", "param"), REFUSED, ids=[str(fields)[:60] for fields, _ in REFUSED])
def test_refused(gateway: TestClient, fields: dict[str, Any], param: str) -> None:
    """What is wrong or not supported is refused by its name."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], **fields}
    for stream in (False, True):
        answer = gateway.post("/v1/chat/completions", json={**body, "stream": stream})
        assert answer.status_code == 400, answer.text
        assert refusal(answer)["param"] == param


def test_what_changes_nothing_is_taken(gateway: TestClient) -> None:
    """Parameters without effect, and values that ask for what happens anyway, do not hinder."""
    fields = {
        "store": False,
        "metadata": {"a": "b"},
        "response_format": {"type": "text"},
        "tool_choice": "none",
        "modalities": ["text"],
        "reasoning_effort": "low",
        "parallel_tool_calls": True,
        "verbosity": "medium",
        "functions": [],
    }
    plain = chat(gateway, "Hi", max_tokens=4, seed=1)
    assert chat(gateway, "Hi", max_tokens=4, seed=1, **fields)["choices"] == plain["choices"]
