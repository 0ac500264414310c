"""/v1/completions: prompts in four forms, echo, log-probabilities, stop texts, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tinsmith.types import ModelInput, SamplingParams

from tests.gateway.conftest import MODEL, complete, events, refusal

if TYPE_CHECKING:
    import tinsmith
    from starlette.testclient import TestClient

TEXT = "abc def"
IDS = list(TEXT.encode())
"""The tokens of the text: the tiny model has one for each byte."""


@pytest.mark.parametrize(
    ("prompt", "count"),
    [(TEXT, 1), ([TEXT], 1), ([TEXT, "x"], 2), (IDS, 1), ([IDS], 1), ([IDS, [120]], 2)],
)
def test_forms_of_a_prompt(gateway: TestClient, prompt: Any, count: int) -> None:
    """A text, texts, tokens and lists of tokens are continued alike, n times each, in their order."""
    answer = complete(gateway, prompt, max_tokens=3, seed=2, n=2)
    assert answer["object"] == "text_completion"
    assert [choice["index"] for choice in answer["choices"]] == list(range(2 * count))
    alone = complete(gateway, TEXT, max_tokens=3, seed=2, n=2)
    assert [choice["text"] for choice in answer["choices"][:2]] == [c["text"] for c in alone["choices"]]
    used = answer["usage"]
    assert used["prompt_tokens"] == len(IDS) + (count - 1)
    assert used["completion_tokens"] == 6 * count
    assert used["total_tokens"] == used["prompt_tokens"] + used["completion_tokens"]


def test_the_answer_is_what_the_service_samples(gateway: TestClient, service: tinsmith.ServiceClient) -> None:
    """The same seed draws the same tokens as a SamplingClient, with their log-probabilities."""
    sampler = service.create_sampling_client(base_model=MODEL)
    params = SamplingParams(max_tokens=8, seed=3, temperature=0.7, top_p=0.9)
    drawn = sampler.sample(ModelInput.from_ints(IDS), 1, params).result().sequences[0]
    answer = complete(gateway, TEXT, max_tokens=8, seed=3, temperature=0.7, top_p=0.9, logprobs=2)
    [choice] = answer["choices"]
    decoded = sampler.get_tokenizer().decode(list(drawn.tokens), skip_special_tokens=True)
    assert choice["text"] == decoded
    assert choice["logprobs"]["token_logprobs"] == drawn.logprobs
    assert len(choice["logprobs"]["tokens"]) == 8
    assert all(len(top) in {2, 3} for top in choice["logprobs"]["top_logprobs"])


@pytest.mark.parametrize("max_tokens", [0, 1])
def test_echo_with_log_probabilities(
    gateway: TestClient, service: tinsmith.ServiceClient, max_tokens: int
) -> None:
    """The prompt comes back with what each token of it was worth; the first one is worth nothing."""
    sampler = service.create_sampling_client(base_model=MODEL)
    wanted = sampler.compute_logprobs(ModelInput.from_ints(IDS)).result()
    answer = complete(gateway, TEXT, max_tokens=max_tokens, echo=True, logprobs=1, temperature=0)
    [choice] = answer["choices"]
    assert choice["text"].startswith(TEXT)
    found = choice["logprobs"]
    assert found["token_logprobs"][: len(IDS)] == wanted
    assert found["token_logprobs"][0] is None
    assert found["top_logprobs"][0] is None
    assert found["tokens"][: len(IDS)] == list(TEXT)
    assert found["text_offset"][: len(IDS)] == list(range(len(IDS)))
    assert {len(values) for values in found.values()} == {len(IDS) + max_tokens}
    for token, value, top in list(zip(*list(found.values())[:3], strict=True))[1:]:
        assert top[token] == value
        assert max(top.values()) >= value
    assert answer["usage"]["completion_tokens"] == max_tokens


def test_nothing_is_drawn_for_an_echo_alone(gateway: TestClient) -> None:
    """Without log-probabilities and new tokens the prompt is all there is, and stays as it was written."""
    answer = complete(gateway, TEXT, max_tokens=0, echo=True, n=2)
    assert [choice["text"] for choice in answer["choices"]] == [TEXT, TEXT]
    assert {choice["finish_reason"] for choice in answer["choices"]} == {"length"}
    assert answer["usage"]["completion_tokens"] == 0


def test_stop_texts_end_an_answer_and_are_not_in_it(gateway: TestClient) -> None:
    """The text ends before the first stop text; without one it goes on to its length."""
    whole = complete(gateway, TEXT, max_tokens=40, seed=5)["choices"][0]
    assert whole["finish_reason"] == "length"
    place = next(at for at in range(5, 30) if whole["text"][at] not in whole["text"][:at] + "\ufffd")
    for stop in (whole["text"][place], ["never there", whole["text"][place]]):
        cut = complete(gateway, TEXT, max_tokens=40, seed=5, stop=stop)["choices"][0]
        assert (cut["text"], cut["finish_reason"]) == (whole["text"][:place], "stop")


def test_events_of_several_choices(gateway: TestClient) -> None:
    """The events of a choice, joined, are its text; the last one tells the usage."""
    body = {"model": MODEL, "prompt": [TEXT, "x"], "max_tokens": 5, "temperature": 0, "logprobs": 1}
    answer = gateway.post(
        "/v1/completions", json={**body, "stream": True, "stream_options": {"include_usage": True}}
    )
    *found, last = events(answer)
    whole = complete(gateway, [TEXT, "x"], max_tokens=5, temperature=0, logprobs=1)
    for choice in whole["choices"]:
        mine = [each["choices"][0] for each in found if each["choices"][0]["index"] == choice["index"]]
        assert "".join(each["text"] for each in mine) == choice["text"]
        assert [each["finish_reason"] for each in mine][-1] == choice["finish_reason"]
        for name, values in choice["logprobs"].items():
            assert [value for each in mine for value in each["logprobs"][name]] == values
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == whole["usage"]["total_tokens"]


def test_events_of_nothing(gateway: TestClient) -> None:
    """Where no token is wanted, none is drawn: each choice ends at once."""
    body = {"model": MODEL, "prompt": [TEXT, "x"], "max_tokens": 0, "n": 2, "stream": True}
    found = [each["choices"][0] for each in events(gateway.post("/v1/completions", json=body))]
    assert [(each["index"], each["text"], each["finish_reason"]) for each in found] == [
        (index, "", "length") for index in range(4)
    ]


REFUSED = [
    ({}, "prompt", "missing_required_parameter"),
    ({"prompt": []}, "prompt", "invalid_type"),
    ({"prompt": ""}, "prompt", "invalid_value"),
    ({"prompt": [1, "a"]}, "prompt", "invalid_type"),
    ({"prompt": [-1]}, "prompt", "invalid_type"),
    ({"prompt": [[1], 2]}, "prompt", "invalid_type"),
    ({"prompt": "a", "n": 0}, "n", "invalid_value"),
    ({"prompt": "a", "n": 1.5}, "n", "invalid_type"),
    ({"prompt": "a", "temperature": 3}, "temperature", "invalid_value"),
    ({"prompt": "a", "temperature": True}, "temperature", "invalid_type"),
    ({"prompt": "a", "top_p": "1"}, "top_p", "invalid_type"),
    ({"prompt": "a", "logprobs": 21}, "logprobs", "invalid_value"),
    ({"prompt": "a", "stop": [""]}, "stop", "invalid_value"),
    ({"prompt": "a", "stop": [1]}, "stop", "invalid_type"),
    ({"prompt": "a", "best_of": 3}, "best_of", "unsupported_parameter"),
    ({"prompt": "a", "suffix": "b"}, "suffix", "unsupported_parameter"),
    ({"prompt": "a", "presence_penalty": 1}, "presence_penalty", "unsupported_parameter"),
    ({"prompt": "a", "logit_bias": {"5": 1}}, "logit_bias", "unsupported_parameter"),
    ({"prompt": "a", "echo": True, "stream": True}, "echo", "unsupported_parameter"),
    ({"prompt": "a", "stream_options": {"x": 1}}, "stream_options.x", "unknown_parameter"),
    ({"prompt": "a", "stream_options": 1}, "stream_options", "invalid_type"),
    ({"prompt": "a", "max_tokens": 4096}, "prompt", "context_length_exceeded"),
    ({"prompt": "a", "colour": "red"}, "colour", "unknown_parameter"),
    ({"prompt": "a", "model": None}, "model", "missing_required_parameter"),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED, ids=[str(fields) for fields, _, _ in REFUSED])
def test_refused(gateway: TestClient, fields: dict[str, Any], param: str, code: str) -> None:
    """What is wrong or not supported is refused by its name."""
    answer = gateway.post("/v1/completions", json={"model": MODEL, **fields})
    assert answer.status_code == 400
    error = refusal(answer)
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


def test_what_changes_nothing_is_taken(gateway: TestClient) -> None:
    """Parameters without effect, and values that ask for what happens anyway, do not hinder."""
    fields = {"user": "me", "presence_penalty": 0, "logit_bias": {}, "best_of": 1, "suffix": None, "seed": 2}
    plain = complete(gateway, TEXT, max_tokens=3, seed=2)
    assert complete(gateway, TEXT, max_tokens=3, **fields)["choices"] == plain["choices"]
    assert (
        complete(gateway, TEXT, max_tokens=3, top_p=0)["choices"]
        == complete(gateway, TEXT, max_tokens=3, temperature=0)["choices"]
    )
