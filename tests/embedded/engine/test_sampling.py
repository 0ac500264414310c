"""Sampling: what a job returns, when it ends, and that nothing else in flight can change it."""

from collections.abc import Sequence
from concurrent.futures import CancelledError
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith_local.engine import prompts, slot_table, workers
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.jobs import SampleHandle, SampleJob, SampleOutput, StopRule, TopTokens
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.engine.scheduler import Scheduler, sample
from tinsmith_local.engine.train import forward_backward

from tests.embedded.engine.models import random_model
from tests.embedded.tolerances import logprob_atol

MODEL = random_model()
PROMPT = np.array([5, 17, 42, 8, 8, 91])
NEVER = StopRule()
NEAR = logprob_atol(MODEL.config, 40)
"""How near sampling comes to training."""


def adapter(seed: int) -> Adapter:
    """Make an adapter that changes every matrix."""
    made = Adapter.create(MODEL.config, LoraSpec(rank=3, seed=seed))
    made.flat[...] = np.random.default_rng(seed).normal(0.0, 0.1, made.flat.size)
    return made


ADAPTERS = (None, adapter(1), adapter(2))


def finish(scheduler: Scheduler, handles: Sequence[SampleHandle]) -> list[SampleOutput]:
    """Step until nothing is left and return the results."""
    while not scheduler.idle:
        scheduler.step()
    for handle in handles:
        if handle.error is not None:
            raise handle.error
    return [handle.output for handle in handles if handle.output is not None]


def bits(output: SampleOutput) -> list[Any]:
    """Everything of a result, to be compared exactly."""
    samples = [
        (s.tokens.tolist(), s.logprobs.tobytes(), s.stop_reason, pairs(s.topk)) for s in output.samples
    ]
    targets = output.target_prompt_logprobs
    asked = [output.prompt_logprobs, output.topk_prompt_logprobs, pairs(output.prompt_alt_tokens)]
    return [samples, *asked, None if targets is None else targets.tobytes()]


def pairs(found: TopTokens | None) -> tuple[bytes, bytes] | None:
    """Tokens and logprobs of a table, to be compared exactly."""
    return None if found is None else (found.tokens.tobytes(), found.logprobs.tobytes())


JOBS = st.builds(
    SampleJob,
    prompt=st.lists(st.integers(0, 96), min_size=1, max_size=40).map(np.array),
    adapter=st.sampled_from(ADAPTERS),
    num_samples=st.integers(1, 3),
    max_tokens=st.integers(0, 20),
    temperature=st.sampled_from([0.0, 0.7, 1.0, 1.3]),
    top_k=st.sampled_from([-1, 1, 5]),
    top_p=st.sampled_from([1.0, 0.8]),
    seed=st.integers(-(2**40), 2**40),
    stop=st.sampled_from([None, NEVER]),
    prompt_logprobs=st.booleans(),
    topk_prompt_logprobs=st.sampled_from([0, 2]),
    prompt_logprobs_last_n=st.sampled_from([None, 1, 5]),
    prompt_alt_tokens_k=st.sampled_from([0, 2]),
    topk_sample_logprobs=st.sampled_from([0, 3]),
    owner=st.sampled_from([None, "a", "b"]),
)


@settings(max_examples=15)
@given(
    job=JOBS, mates=st.lists(JOBS, min_size=1, max_size=15), place=st.integers(0, 15), late=st.integers(0, 4)
)
def test_a_job_alone_and_among_others_gives_the_same_bits(
    job: SampleJob, mates: list[SampleJob], place: int, late: int
) -> None:
    """Tokens, logprobs and prompt logprobs are equal to the last bit, whatever else is in flight."""
    alone = bits(sample(MODEL, job))
    scheduler = Scheduler(MODEL, max_batch=12)
    for mate in mates[:place]:
        scheduler.submit(mate)
    for _ in range(late):
        scheduler.step()
    handle = scheduler.submit(job)
    for mate in mates[place:]:
        scheduler.submit(mate)
    assert bits(finish(scheduler, [handle])[0]) == alone


def test_kept_prompts_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt taken from an earlier request gives what a fresh one gives; a longer one is another."""
    job = SampleJob(prompt=PROMPT, max_tokens=12, seed=4, num_samples=3, prompt_logprobs=True)
    longer = evolve(job, prompt=np.append(PROMPT, 3))
    fresh = [bits(sample(MODEL, one)) for one in (job, longer)]
    scheduler = Scheduler(MODEL)
    kept = [finish(scheduler, [scheduler.submit(one)])[0] for one in (job, longer, job, longer)]
    assert [bits(output) for output in kept] == fresh * 2
    assert [output.known_tokens for output in kept] == [0, 0, len(PROMPT), len(PROMPT) + 1]
    monkeypatch.setattr(prompts, "KEPT_BYTES", 0)
    assert [bits(finish(scheduler, [scheduler.submit(one)])[0]) for one in (job, longer)] == fresh


def test_prompts_of_several_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt read in slices has the logprobs of one pass, and the same bits alone, in a crowd and again."""
    monkeypatch.setattr(workers, "_team", workers.Team(2))
    model = random_model(max_context=1200)
    tokens = np.random.default_rng(0).integers(0, 97, 1100)
    job = SampleJob(
        prompt=tokens, adapter=ADAPTERS[1], max_tokens=6, seed=1, prompt_logprobs=True, num_samples=3
    )
    output = sample(model, job)
    example = Example(tokens=tokens[:-1], targets=tokens[1:], weights=np.ones(1099, np.float32))
    wanted = forward_backward(model, ADAPTERS[1], [example], "cross_entropy", backward=False).logprobs[0]
    assert output.prompt_logprobs is not None
    np.testing.assert_allclose(
        np.array(output.prompt_logprobs[1:]), wanted, atol=logprob_atol(model.config, 1100)
    )
    scheduler = Scheduler(model, max_batch=3)
    handles = [scheduler.submit(evolve(job, prompt=tokens[:n], seed=n)) for n in (512, 513, 1024, 20)]
    handles += [scheduler.submit(job), scheduler.submit(evolve(job, owner="another"))]
    found = [bits(one) for one in finish(scheduler, handles)]
    assert found[-2:] == [bits(output)] * 2
    last = [one.output for one in handles[-2:] if one.output is not None]
    assert sorted(one.known_tokens for one in last) == [0, 1100]
    assert found[:4] == [bits(sample(model, handle.job)) for handle in handles[:4]]


def test_long_prompts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt that all workers share gives the same bits alone and in a crowd."""
    monkeypatch.setattr(workers, "_team", workers.Team(2))
    tokens = np.random.default_rng(0).integers(0, 97, 200)
    job = SampleJob(prompt=tokens, max_tokens=6, seed=1, prompt_logprobs=True)
    alone = bits(sample(MODEL, job))
    scheduler = Scheduler(MODEL)
    handles = [scheduler.submit(evolve(job, prompt=tokens[:n], seed=n)) for n in (30, 199, 150)]
    handles.append(scheduler.submit(job))
    assert bits(finish(scheduler, handles)[-1]) == alone


def test_seeds() -> None:
    """A seed repeats a group, its members differ, and no seed means a new one each time."""
    job = SampleJob(prompt=PROMPT, max_tokens=16, num_samples=4, seed=7, stop=NEVER)
    first, second = sample(MODEL, job), sample(MODEL, job)
    assert bits(first) == bits(second)
    assert len({tuple(s.tokens.tolist()) for s in first.samples}) == 4
    assert bits(sample(MODEL, evolve(job, seed=8))) != bits(first)
    assert bits(sample(MODEL, evolve(job, seed=None))) != bits(sample(MODEL, evolve(job, seed=None)))


def test_a_group_begins_like_a_smaller_one() -> None:
    """Sample i of a group depends on the seed and i alone."""
    job = SampleJob(prompt=PROMPT, max_tokens=10, num_samples=4, seed=7)
    assert bits(sample(MODEL, job))[0][:2] == bits(sample(MODEL, evolve(job, num_samples=2)))[0]


def test_logprobs_agree_with_training() -> None:
    """Logprobs of samples and of the prompt are those that `forward` computes on the same tokens."""
    for one in ADAPTERS:
        job = SampleJob(
            prompt=PROMPT,
            adapter=one,
            max_tokens=30,
            temperature=0.8,
            seed=3,
            prompt_logprobs=True,
            stop=NEVER,
        )
        output = sample(MODEL, job)
        tokens = np.concatenate([PROMPT, output.samples[0].tokens])
        ones = np.ones(len(tokens) - 1, np.float32)
        example = Example(tokens=tokens[:-1], targets=tokens[1:], weights=ones)
        wanted = forward_backward(MODEL, one, [example], "cross_entropy", backward=False).logprobs[0]
        assert output.prompt_logprobs is not None
        assert output.prompt_logprobs[0] is None
        assert len(output.prompt_logprobs) == len(PROMPT)
        np.testing.assert_allclose(np.array(output.prompt_logprobs[1:]), wanted[: len(PROMPT) - 1], atol=NEAR)
        np.testing.assert_allclose(output.samples[0].logprobs, wanted[len(PROMPT) - 1 :], atol=NEAR)


def test_top_prompt_logprobs() -> None:
    """The likeliest tokens come first, sum to one over the whole vocabulary, and contain the prompt's own."""
    job = SampleJob(prompt=PROMPT, max_tokens=0, prompt_logprobs=True, topk_prompt_logprobs=97)
    output = sample(MODEL, job)
    assert output.topk_prompt_logprobs is not None
    assert output.prompt_logprobs is not None
    assert output.topk_prompt_logprobs[0] is None
    assert len(output.topk_prompt_logprobs) == len(PROMPT)
    for position, row in enumerate(output.topk_prompt_logprobs[1:], start=1):
        assert row is not None
        found = dict(row)
        assert sorted(found.values(), reverse=True) == [logprob for _, logprob in row]
        assert sum(np.exp(list(found.values()))) == pytest.approx(1.0, abs=NEAR)
        assert found[int(PROMPT[position])] == pytest.approx(output.prompt_logprobs[position], abs=NEAR)


def test_one_token_prompt() -> None:
    """A prompt of one token has one entry of prompt logprobs, and it is None."""
    job = SampleJob(prompt=np.array([3]), max_tokens=2, prompt_logprobs=True, topk_prompt_logprobs=2)
    output = sample(MODEL, job)
    assert output.prompt_logprobs == [None]
    assert output.topk_prompt_logprobs == [None]


@pytest.mark.parametrize("change", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}])
def test_cuts_that_leave_one_token_are_greedy(change: dict[str, Any]) -> None:
    """Top-k of one, a tiny top-p and a tiny temperature all take the likeliest token."""
    job = SampleJob(prompt=PROMPT, max_tokens=20, temperature=0.0, stop=NEVER, seed=1)
    greedy = sample(MODEL, job).samples[0].tokens.tolist()
    cut = sample(MODEL, evolve(job, **{"temperature": 1.0, **change}))
    assert cut.samples[0].tokens.tolist() == greedy


def test_first_tokens_follow_the_distribution() -> None:
    """Frequencies of the first token over many samples match the model's probabilities."""
    asked = SampleJob(prompt=np.append(PROMPT, 0), max_tokens=0, topk_prompt_logprobs=97)
    found = sample(MODEL, asked).topk_prompt_logprobs
    assert found is not None
    assert found[-1] is not None
    wanted = dict(found[-1])
    output = sample(MODEL, SampleJob(prompt=PROMPT, max_tokens=1, num_samples=3000, seed=5))
    counts = np.bincount([int(s.tokens[0]) for s in output.samples], minlength=97)
    expected = 3000 * np.exp([wanted[token] for token in range(97)])
    large = expected > 20
    assert large.sum() > 5
    assert float(((counts - expected)[large] ** 2 / expected[large]).sum()) < 2.5 * large.sum()


def text(tokens: Sequence[int]) -> str:
    """Read tokens as letters."""
    return "".join(chr(97 + token % 26) for token in tokens)


def test_stop_rules() -> None:
    """Null stops at the model's end token, an empty rule at nothing, others at theirs; all is kept."""
    job = SampleJob(prompt=PROMPT, max_tokens=150, seed=2, stop=NEVER)
    free = sample(MODEL, job).samples[0]
    tokens = free.tokens.tolist()
    assert (len(tokens), free.stop_reason) == (150, "length")
    assert 1 in tokens
    ended = sample(MODEL, evolve(job, stop=None)).samples[0]
    assert (ended.tokens.tolist(), ended.stop_reason) == (tokens[: tokens.index(1) + 1], "stop")
    wanted = tokens[10]
    by_token = sample(MODEL, evolve(job, stop=StopRule(token_ids=frozenset({wanted})))).samples[0]
    assert by_token.tokens.tolist() == tokens[: tokens.index(wanted) + 1]
    string = text(tokens[30:34])
    by_text = sample(MODEL, evolve(job, stop=StopRule(strings=(string,), decode=text))).samples[0]
    assert by_text.tokens.tolist() == tokens[: text(tokens).index(string) + 4]
    assert by_text.stop_reason == "stop"


def test_the_context_ends_a_sample() -> None:
    """Without max_tokens, and with more than fit, a sample ends with the model's context."""
    prompt = np.arange(90) % 97
    model = random_model(max_context=100)
    for asked in (None, 5000):
        ended = sample(model, SampleJob(prompt=prompt, max_tokens=asked, stop=NEVER, seed=0)).samples[0]
        assert (len(ended.tokens), ended.stop_reason) == (10, "length")


def test_more_samples_than_fit_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two samples, or memory for one, a larger group still gives the same result."""
    job = SampleJob(prompt=PROMPT, max_tokens=9, num_samples=5, seed=3)
    wanted = bits(sample(MODEL, job))
    narrow = Scheduler(MODEL, max_batch=2)
    assert bits(finish(narrow, [narrow.submit(job)])[0]) == wanted
    monkeypatch.setattr(slot_table, "KV_BYTES", 1)
    assert bits(sample(MODEL, job)) == wanted


def test_cancel_and_failures_touch_one_job_only() -> None:
    """A cancelled job and one whose decoder fails end with an error; the others end as if they were alone."""

    def fails(tokens: Sequence[int]) -> str:
        if len(tokens) > 3:
            raise RuntimeError("no such text")
        return ""

    job = SampleJob(prompt=PROMPT, max_tokens=12, seed=3, num_samples=2)
    wanted = bits(sample(MODEL, job))
    scheduler = Scheduler(MODEL)
    handles = [scheduler.submit(job), scheduler.submit(evolve(job, seed=9)), scheduler.submit(job)]
    broken = scheduler.submit(evolve(job, stop=StopRule(strings=("x",), decode=fails)))
    scheduler.step()
    scheduler.cancel(handles[1])
    reported = [done for _ in range(30) for done in scheduler.step()]
    assert scheduler.idle
    assert isinstance(handles[1].error, CancelledError)
    assert isinstance(broken.error, RuntimeError)
    assert sorted(map(id, reported)) == sorted(map(id, [handles[0], handles[2], broken]))
    for handle in (handles[0], handles[2]):
        assert handle.output is not None
        assert bits(handle.output) == wanted


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prompt": np.array([], np.int64)}, "prompt"),
        ({"prompt": np.array([97])}, "prompt"),
        ({"prompt": np.array([-1])}, "prompt"),
        ({"prompt": np.zeros(257, np.int64)}, "prompt"),
        ({"prompt": np.zeros(256, np.int64)}, "prompt"),
        ({"num_samples": 0}, "num_samples"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"top_k": 0}, "top_k"),
        ({"topk_prompt_logprobs": 98}, "topk_prompt_logprobs"),
        ({"topk_sample_logprobs": 98}, "topk_sample_logprobs"),
        ({"prompt_alt_tokens_k": -1}, "prompt_alt_tokens_k"),
        ({"prompt_logprobs_last_n": -1}, "prompt_logprobs_last_n"),
        ({"target_prompt_logprobs": np.zeros((6, 1), np.int64)}, "target_prompt_logprobs"),
        ({"target_prompt_logprobs": np.zeros(5, np.int64)}, "target_prompt_logprobs"),
        ({"target_prompt_logprobs": np.full((5, 1), 97)}, "target_prompt_logprobs"),
        ({"target_prompt_logprobs": np.full((5, 1), -2)}, "target_prompt_logprobs"),
        ({"stop": StopRule(strings=("",), decode=text)}, "stop"),
        ({"stop": StopRule(strings=("x",))}, "stop"),
    ],
)
def test_wrong_jobs_name_their_field(change: dict[str, Any], field: str) -> None:
    """Each impossible value is refused before anything runs, and the next job works."""
    scheduler = Scheduler(MODEL)
    with pytest.raises(ValueError, match=field) as caught:
        scheduler.submit(evolve(SampleJob(prompt=PROMPT, max_tokens=1), **change))
    assert getattr(caught.value, "field", None) == field
    assert finish(scheduler, [scheduler.submit(SampleJob(prompt=PROMPT, max_tokens=1))])
