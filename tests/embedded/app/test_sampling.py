"""Samples through the app: seeds, stops, logprobs, repetitions, cancelling, and what samplers live on."""

import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tinsmith_local.options import Imitation

from tests.embedded.app.caller import Caller
from tests.embedded.tolerances import TINY_NEAR

Open = Callable[..., Caller]
PROMPT = list(b"the quick brown")


def body(prompt: list[int] = PROMPT, samples: int = 1, **params: Any) -> dict[str, Any]:
    """Return a sample request without its source."""
    return {
        "prompt": {"chunks": [{"tokens": prompt}]},
        "num_samples": samples,
        "sampling_params": {"max_tokens": 8, "seed": 5, **params},
    }


def draw(caller: Caller, given: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Sample from the base model."""
    return caller.done("asample", base_model="tinsmith/tiny", **given, **more)


def trained(caller: Caller) -> str:
    """Make a model that differs from its base."""
    model = caller.model()
    for step in range(3):
        caller.forward_backward(model, 2 * step + 1)
        caller.optim_step(model, 2 * step + 2, learning_rate=0.05)
    return model


def sampler(caller: Caller, model: str, number: int, **source: Any) -> str:
    """Make a sampler in the session of a model."""
    session = model.partition(":")[0]
    made = caller.ok("create_sampling_session", session_id=session, sampling_session_seq_id=number, **source)
    return str(made["sampling_session_id"])


def test_a_seed_makes_samples_reproducible_and_different(caller: Caller) -> None:
    """The same request gives the same samples, and those of a group differ."""
    first = draw(caller, body(samples=4))
    again = draw(caller, body(samples=4))
    assert first["sequences"] == again["sequences"]
    assert "prompt_cache_hit_tokens" not in first
    assert again["prompt_cache_hit_tokens"] == len(PROMPT)
    assert len({tuple(one["tokens"]) for one in first["sequences"]}) == 4
    assert draw(caller, body(samples=4, seed=6))["sequences"] != first["sequences"]


def test_a_sample_does_not_depend_on_other_samples(caller: Caller) -> None:
    """Alone and among fifteen others: the same tokens and logprobs."""
    wanted = {"base_model": "tinsmith/tiny", **body(samples=2)}
    alone = caller.done("asample", **wanted)["sequences"]
    others = [{"base_model": "tinsmith/tiny", **body(PROMPT[:n], seed=n)} for n in range(1, 16)]
    gate = threading.Event()
    caller.block(gate)
    answers = caller.together(*(("asample", one) for one in [*others[:7], wanted, *others[7:]]))
    gate.set()
    results = [caller.result(answer.json()["request_id"]) for answer in answers]
    assert results[7]["sequences"] == alone


def test_samplers_see_the_weights_they_were_made_of(caller: Caller) -> None:
    """A named and an ephemeral sampler of the same moment agree; the base model and later weights differ."""
    model = trained(caller)
    path = caller.done("save_weights_for_sampler", model_id=model, seq_id=7, path="now")["path"]
    assert path == f"tinker://{model}/sampler_weights/now"
    made = caller.done("save_weights_for_sampler", model_id=model, seq_id=8, sampling_session_seq_id=0)
    assert made["path"] is None
    named, ephemeral = sampler(caller, model, 1, model_path=path), made["sampling_session_id"]
    caller.forward_backward(model, 9)
    caller.optim_step(model, 10, learning_rate=0.05)
    later = caller.done("save_weights_for_sampler", model_id=model, seq_id=11, sampling_session_seq_id=2)
    greedy = body(temperature=0, max_tokens=5)
    outs = [
        caller.done("asample", sampling_session_id=one, seq_id=0, **greedy)["sequences"][0]["logprobs"]
        for one in (named, ephemeral, later["sampling_session_id"])
    ]
    base = draw(caller, greedy)["sequences"][0]["logprobs"]
    assert outs[0] == outs[1]
    assert outs[1] != outs[2]
    assert base not in outs
    direct = caller.done("asample", model_path=path, **greedy)["sequences"][0]["logprobs"]
    assert direct == outs[0]


def test_samples_and_forward_agree_on_logprobs(caller: Caller) -> None:
    """At temperature 1 the sampler's logprobs are those that training computes for the same tokens."""
    model = trained(caller)
    made = caller.done("save_weights_for_sampler", model_id=model, seq_id=7, sampling_session_seq_id=0)
    out = caller.done(
        "asample", sampling_session_id=made["sampling_session_id"], seq_id=0, **body(max_tokens=20)
    )
    [one] = out["sequences"]
    tokens = PROMPT + one["tokens"]
    datum = {
        "model_input": {"chunks": [{"tokens": tokens[:-1]}]},
        "loss_fn_inputs": {"target_tokens": {"data": tokens[1:], "dtype": "int64"}},
    }
    forward = caller.done(
        "forward", model_id=model, seq_id=8, forward_input={"data": [datum], "loss_fn": "cross_entropy"}
    )
    computed = forward["loss_fn_outputs"][0]["logprobs"]["data"][len(PROMPT) - 1 :]
    assert one["logprobs"] == pytest.approx(computed, abs=TINY_NEAR)


def test_prompt_logprobs_have_one_entry_a_token(caller: Caller) -> None:
    """The first is null; the likeliest alternatives come likewise."""
    out = draw(caller, body(), prompt_logprobs=True, topk_prompt_logprobs=3)
    assert out["prompt_logprobs"][0] is None
    assert len(out["prompt_logprobs"]) == len(PROMPT)
    assert all(value < 0 for value in out["prompt_logprobs"][1:])
    assert out["topk_prompt_logprobs"][0] is None
    for row in out["topk_prompt_logprobs"][1:]:
        values = [value for _, value in row]
        assert (len(values), values) == (3, sorted(values, reverse=True))
    plain = draw(caller, body())
    assert (plain["prompt_logprobs"], plain["topk_prompt_logprobs"]) == (None, None)


def test_prompt_logprobs_one_short(open_caller: Open) -> None:
    """A server that leaves the leading null out."""
    whole = draw(open_caller("a"), body(), prompt_logprobs=True)["prompt_logprobs"]
    short = draw(
        open_caller("b", imitate=Imitation(short_prompt_logprobs=True)), body(), prompt_logprobs=True
    )
    assert short["prompt_logprobs"] == whole[1:]


def test_stops(caller: Caller) -> None:
    """A text, texts, tokens, null and none: what stops a sample, and what is said about it."""
    free = draw(caller, body(stop=[], max_tokens=40))["sequences"][0]
    assert (free["stop_reason"], len(free["tokens"])) == ("length", 40)
    third = free["tokens"][2]
    first = free["tokens"].index(third)
    cut = draw(caller, body(stop=[third], max_tokens=40))["sequences"][0]
    assert (cut["stop_reason"], cut["tokens"]) == ("stop", free["tokens"][: first + 1])
    letters = [index for index, token in enumerate(free["tokens"]) if token < 128]
    text = chr(free["tokens"][letters[0]])
    for stop in (text, [text]):
        cut = draw(caller, body(stop=stop, max_tokens=40))["sequences"][0]
        assert (cut["stop_reason"], cut["tokens"][-1]) == ("stop", ord(text))
    ends = draw(caller, body(stop=[256, 258], max_tokens=40, seed=9))["sequences"]
    assert draw(caller, body(stop=None, max_tokens=40, seed=9))["sequences"] == ends


def test_a_repeated_sample_request_gets_the_same_promise(caller: Caller) -> None:
    """(sampler, seq_id): same content, same promise; other content, 409; disorder is fine."""
    model = caller.model()
    one = sampler(caller, model, 0, base_model="tinsmith/tiny")
    given = body()
    given["sampling_params"].pop("seed")
    first = caller.ok("asample", sampling_session_id=one, seq_id=7, **given)
    assert (
        caller.ok("asample", sampling_session_id=one, seq_id=7, **given)["request_id"] == first["request_id"]
    )
    assert caller.post("asample", sampling_session_id=one, seq_id=7, **body(samples=2)).status_code == 409
    caller.done("asample", sampling_session_id=one, seq_id=3, **given)
    assert len(first["sample_sequence_ids"]) == 1


def test_a_repeated_sampler_is_the_same(caller: Caller) -> None:
    """The same number with the same content is the same sampler, with other content 409."""
    model = caller.model()
    assert sampler(caller, model, 4, base_model="tinsmith/tiny") == sampler(
        caller, model, 4, base_model="tinsmith/tiny"
    )
    session = model.partition(":")[0]
    other = {"session_id": session, "sampling_session_seq_id": 4, "base_model": "tinsmith/tiny-untied"}
    assert caller.post("create_sampling_session", **other).status_code == 409
    saved = caller.post("save_weights_for_sampler", model_id=model, seq_id=1, sampling_session_seq_id=4)
    assert saved.status_code == 409
    caller.forward_backward(model, 1)


def test_joined_clients_have_counters(caller: Caller) -> None:
    """Each client that joins a sampler gets the next counter."""
    one = sampler(caller, caller.model(), 0, base_model="tinsmith/tiny")
    counters = [
        caller.ok("join_sampling_session", sampling_session_id=one)["client_counter"] for _ in range(3)
    ]
    assert counters == [1, 2, 3]


def test_a_sample_can_be_cancelled(caller: Caller) -> None:
    """A cancelled sample's promise is gone; its company goes on."""
    gate = threading.Event()
    caller.block(gate)
    doomed = caller.ok("asample", base_model="tinsmith/tiny", **body(max_tokens=4000, stop=[]))["request_id"]
    other = caller.ok("asample", base_model="tinsmith/tiny", **body())["request_id"]
    assert caller.post("cancel_future", request_id=doomed).status_code == 204
    gate.set()
    assert caller.post("retrieve_future", request_id=doomed).status_code == 410
    assert caller.result(other)["sequences"]
    assert caller.post("cancel_future", request_id=other).status_code == 204
    assert caller.result(other)["sequences"]
    assert caller.post("cancel_future", request_id="x").status_code == 404


def test_one_poll_serves_a_whole_sampler(caller: Caller) -> None:
    """retrieve_futures lists completions behind a cursor; the results are read one by one."""
    one = sampler(caller, caller.model(), 0, base_model="tinsmith/tiny")
    target = {"type": "sampling_session", "sampling_session_id": one}
    asked = [
        caller.ok("asample", sampling_session_id=one, seq_id=n, **body(seed=n))["request_id"]
        for n in range(5)
    ]
    found: list[str] = []
    cursor = 0
    while len(found) < 5:
        page = caller.ok("retrieve_futures", target=target, prev_cursor=cursor, timeout=5)
        assert {one["state"] for one in page["completions"]} <= {"finished"}
        found += [one["request_id"] for one in page["completions"]]
        cursor = page["cursor"]
    assert sorted(found) == sorted(asked)
    empty = caller.ok("retrieve_futures", target=target, prev_cursor=cursor, timeout=0)
    assert (empty["completions"], empty["cursor"]) == ([], cursor)


def test_too_many_samples_are_429(open_caller: Open) -> None:
    """Back-pressure: refused with Retry-After, accepted later."""
    caller = open_caller(max_queued_samples=2)
    gate = threading.Event()
    caller.block(gate)
    answers = [caller.post("asample", base_model="tinsmith/tiny", **body(seed=n)) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert float(answers[2].headers["retry-after"]) > 0
    gate.set()
    caller.result(answers[0].json()["request_id"])
    caller.result(answers[1].json()["request_id"])
    assert draw(caller, body())["sequences"]


def test_logprobs_are_those_of_the_untempered_model(caller: Caller) -> None:
    """Temperature changes which tokens come, not what is said about them."""
    hot = draw(caller, body(temperature=0.5, max_tokens=1))["sequences"][0]
    alternatives = draw(caller, body([*PROMPT, 0], max_tokens=1), topk_prompt_logprobs=260)[
        "topk_prompt_logprobs"
    ][-1]
    assert hot["logprobs"][0] == pytest.approx(
        dict(map(tuple, alternatives))[hot["tokens"][0]], abs=TINY_NEAR
    )
    assert math.fsum(math.exp(value) for _, value in alternatives) == pytest.approx(1, abs=TINY_NEAR)
