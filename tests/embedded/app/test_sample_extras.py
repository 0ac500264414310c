"""What newer clients ask of a sample: likeliest tokens, targets and alternatives along the prompt."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from tinsmith.core.codec.decode import decode_sample
from tinsmith.core.codec.wire import ProtobufPayload

from tests.embedded.app.caller import TEXT, Caller
from tests.embedded.tolerances import TINY_NEAR

Open = Callable[..., Caller]
LENGTH = len(TEXT)


def ask(caller: Caller, **more: Any) -> dict[str, Any]:
    """Sample on the base model; the result."""
    prompt = {"chunks": [{"type": "encoded_text", "tokens": list(TEXT)}]}
    params = {"max_tokens": 3, "seed": 5, "stop": []}
    return caller.done("asample", base_model="tinsmith/tiny", prompt=prompt, sampling_params=params, **more)


def test_fields_that_were_not_requested_are_absent(caller: Caller) -> None:
    """A plain sample has the fields that it always had."""
    found = ask(caller)
    assert set(found) == {"type", "sequences", "prompt_logprobs", "topk_prompt_logprobs"}
    assert set(found["sequences"][0]) == {"stop_reason", "tokens", "logprobs"}


def test_the_likeliest_tokens_at_each_sampled_position(caller: Caller) -> None:
    """So many pairs a position, likeliest first; asked for all, the sampled token is among them."""
    [sequence] = ask(caller, topk_sample_logprobs=260)["sequences"]
    for token, logprob, row in zip(
        sequence["tokens"], sequence["logprobs"], sequence["topk_sampled_logprobs"], strict=True
    ):
        values = [value for _, value in row]
        assert values == sorted(values, reverse=True)
        assert dict(map(tuple, row))[token] == pytest.approx(logprob, abs=TINY_NEAR)
        assert math.fsum(map(math.exp, values)) == pytest.approx(1, abs=TINY_NEAR)


def test_targets_along_the_prompt(caller: Caller) -> None:
    """Asked for the prompt's own tokens, they are the prompt logprobs; the shape is the one asked for."""
    own = ask(caller, prompt_logprobs=True)["prompt_logprobs"]
    flat = {"data": list(TEXT[1:]), "dtype": "int64", "shape": [LENGTH - 1]}
    table = {**flat, "shape": [LENGTH - 1, 1]}
    for tensor in (flat, table):
        found = ask(caller, target_prompt_logprobs=tensor)["target_prompt_logprobs"]
        assert found["data"] == pytest.approx(own[1:], abs=TINY_NEAR)
        assert (found["dtype"], found["shape"]) == ("float32", tensor["shape"])


def test_sparse_targets_are_answered_in_their_places(caller: Caller) -> None:
    """Two cells at the second position, one at the last: three numbers, the same indices."""
    rows = [0, 0, 2, *[2] * (LENGTH - 4), 3]
    tensor = {
        "data": [TEXT[2], 7, TEXT[-1]],
        "dtype": "int64",
        "shape": [LENGTH - 1, 3],
        "sparse_crow_indices": rows,
        "sparse_col_indices": [0, 2, 1],
    }
    own = ask(caller, prompt_logprobs=True)["prompt_logprobs"]
    found = ask(caller, target_prompt_logprobs=tensor)["target_prompt_logprobs"]
    assert (found["sparse_crow_indices"], found["sparse_col_indices"]) == (rows, [0, 2, 1])
    assert [found["data"][0], found["data"][2]] == pytest.approx([own[2], own[-1]], abs=TINY_NEAR)
    assert found["shape"] == [LENGTH - 1, 3]


@pytest.mark.parametrize("token", [-1, 260, 10**6])
def test_a_target_outside_the_vocabulary_is_400(caller: Caller, token: int) -> None:
    """It is refused by field."""
    prompt = {"chunks": [{"type": "encoded_text", "tokens": list(TEXT)}]}
    tensor = {"data": [token, *TEXT[2:]], "dtype": "int64"}
    body = {"base_model": "tinsmith/tiny", "prompt": prompt, "sampling_params": {"max_tokens": 1}}
    answer = caller.post("asample", **body, target_prompt_logprobs=tensor)
    assert (answer.status_code, answer.json()["field"]) == (400, "target_prompt_logprobs.data")


def test_alternatives_are_drawn_along_the_prompt(caller: Caller) -> None:
    """So many a position but the first, reproducible by the seed, with the model's own logprobs."""
    found = ask(caller, prompt_alt_tokens_k=4)["prompt_alt_tokens"]
    assert found == ask(caller, prompt_alt_tokens_k=4)["prompt_alt_tokens"]
    assert (found["tokens"]["dtype"], found["tokens"]["shape"]) == ("int64", [LENGTH - 1, 4])
    everything = ask(caller, prompt_logprobs=True, topk_prompt_logprobs=260)["topk_prompt_logprobs"]
    drawn = zip(found["tokens"]["data"], found["logprobs"]["data"], strict=True)
    for place, (token, logprob) in enumerate(drawn):
        row = dict(map(tuple, everything[1 + place // 4]))
        assert row[token] == pytest.approx(logprob, abs=TINY_NEAR)


def test_the_last_prompt_logprobs_alone(caller: Caller) -> None:
    """The list keeps its length; what was not asked for is null."""
    whole = ask(caller, prompt_logprobs=True)["prompt_logprobs"]
    last = ask(caller, prompt_logprobs=True, prompt_logprobs_last_n=2)["prompt_logprobs"]
    assert last[:-2] == [None] * (LENGTH - 2)
    assert last[-2:] == pytest.approx(whole[-2:], abs=TINY_NEAR)


def test_all_of_it_in_protobuf(caller: Caller) -> None:
    """The same values come in the other encoding."""
    asked: dict[str, Any] = {
        "topk_sample_logprobs": 2,
        "prompt_alt_tokens_k": 2,
        "target_prompt_logprobs": {"data": list(TEXT[1:]), "dtype": "int64"},
        "prompt_logprobs": True,
        "topk_prompt_logprobs": 2,
    }
    prompt = {"chunks": [{"type": "encoded_text", "tokens": list(TEXT)}]}
    params = {"max_tokens": 3, "seed": 5, "stop": []}
    body = {"base_model": "tinsmith/tiny", "prompt": prompt, "sampling_params": params, **asked}
    request_id = caller.ok("asample", **body)["request_id"]
    plain = decode_sample(caller.result(request_id))
    answer = caller.send(
        "POST",
        "retrieve_future",
        json={"request_id": request_id},
        headers={"Accept": "application/x-protobuf"},
    )
    binary = decode_sample(ProtobufPayload(answer.content))
    [one], [other] = plain.sequences, binary.sequences
    assert one.tokens == other.tokens
    for ours, theirs in zip(one.topk_logprobs or (), other.topk_logprobs or (), strict=True):
        assert ours is not None
        assert theirs is not None
        assert [token for token, _ in ours] == [token for token, _ in theirs]
    assert plain.target_prompt_logprobs is not None
    assert binary.target_prompt_logprobs is not None
    assert binary.target_prompt_logprobs.tolist() == pytest.approx(
        plain.target_prompt_logprobs.tolist(), abs=TINY_NEAR
    )
    assert plain.prompt_alt_tokens is not None
    assert binary.prompt_alt_tokens is not None
    assert binary.prompt_alt_tokens.tokens.tolist() == plain.prompt_alt_tokens.tokens.tolist()
