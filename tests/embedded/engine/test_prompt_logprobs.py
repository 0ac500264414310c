"""What a job asks about its prompt and samples, held against whole rows of logprobs from `forward`."""

import numpy as np
import numpy.typing as npt
import pytest
from attrs import evolve
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.jobs import SampleJob, StopRule
from tinsmith_local.engine.scheduler import sample
from tinsmith_local.engine.train import forward_backward

from tests.embedded.engine.models import random_model
from tests.embedded.engine.test_sampling import ADAPTERS, bits
from tests.embedded.tolerances import logprob_atol

MODEL = random_model(max_context=1200)
VOCABULARY = 97
RANDOM = np.random.default_rng(11)
PROMPT = RANDOM.integers(0, VOCABULARY, 30)
NEAR, NEAR_LONG = logprob_atol(MODEL.config, 42), logprob_atol(MODEL.config, 1100)
"""How near sampling comes to training, for the short prompts and for the long one."""
JOB = SampleJob(prompt=PROMPT, adapter=ADAPTERS[1], max_tokens=0, seed=3)


def whole_rows(tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Logprobs [tokens, vocabulary] of what follows each token, from the training side."""
    targets = np.tile(np.arange(VOCABULARY), (len(tokens), 1))
    example = Example(tokens=tokens, targets=targets, weights=np.zeros(targets.shape, np.float32))
    return forward_backward(MODEL, ADAPTERS[1], [example], "cross_entropy", backward=False).logprobs[0]


def test_given_tokens_are_scored_at_their_positions() -> None:
    """Cell [i, j] is the logprob of its token at prompt position i + 1; -1 gets NaN."""
    asked = RANDOM.integers(0, VOCABULARY, (29, 4))
    asked[RANDOM.random((29, 4)) < 0.3] = -1
    found = sample(MODEL, evolve(JOB, target_prompt_logprobs=asked)).target_prompt_logprobs
    assert found is not None
    assert found.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(found), asked == -1)
    wanted = np.take_along_axis(whole_rows(PROMPT)[:-1], np.maximum(asked, 0), axis=1)
    np.testing.assert_allclose(found[asked >= 0], wanted[asked >= 0], atol=NEAR)


def test_the_prompts_own_tokens_as_targets_are_its_logprobs() -> None:
    """Asked for the prompt's own tokens, the answer is `prompt_logprobs` to the last bit."""
    job = evolve(JOB, target_prompt_logprobs=PROMPT[1:, None], prompt_logprobs=True)
    output = sample(MODEL, job)
    assert output.prompt_logprobs is not None
    assert output.target_prompt_logprobs is not None
    assert [None, *output.target_prompt_logprobs[:, 0].tolist()] == output.prompt_logprobs


def test_alternatives_follow_the_distribution_at_their_position() -> None:
    """Frequencies of 4000 draws at each position match tempered probabilities; logprobs are untempered."""
    prompt, count, temperature = PROMPT[:4], 4000, 1.5
    job = evolve(JOB, prompt=prompt, prompt_alt_tokens_k=count, temperature=temperature, top_k=1, top_p=0.1)
    found = sample(MODEL, job).prompt_alt_tokens
    assert found is not None
    assert found.tokens.shape == found.logprobs.shape == (3, count)
    rows = whole_rows(prompt).astype(np.float64)
    for position, tokens in enumerate(found.tokens):
        np.testing.assert_allclose(found.logprobs[position], rows[position][tokens], atol=NEAR)
        tempered = np.exp(rows[position] / temperature)
        expected = count * tempered / tempered.sum()
        large = expected > 20
        counts = np.bincount(tokens, minlength=VOCABULARY)
        assert float(((counts - expected)[large] ** 2 / expected[large]).sum()) < 2.5 * large.sum()


def test_alternatives_come_from_the_seed_and_differ_from_the_samples() -> None:
    """A seed repeats them, another changes them, and each position has numbers of its own."""
    job = evolve(JOB, prompt=np.full(20, 7), prompt_alt_tokens_k=30, num_samples=2, max_tokens=5)
    first, second, other = sample(MODEL, job), sample(MODEL, job), sample(MODEL, evolve(job, seed=4))
    assert bits(first) == bits(second)
    assert first.prompt_alt_tokens is not None
    assert other.prompt_alt_tokens is not None
    assert first.prompt_alt_tokens.tokens.tolist() != other.prompt_alt_tokens.tokens.tolist()
    assert len({row.tobytes() for row in first.prompt_alt_tokens.tokens}) == 19
    plain = sample(MODEL, evolve(job, prompt_alt_tokens_k=0))
    assert bits(plain)[0] == bits(first)[0]


def test_alternatives_at_temperature_0_are_the_likeliest() -> None:
    """Every draw is the token with the largest logprob."""
    found = sample(MODEL, evolve(JOB, prompt_alt_tokens_k=3, temperature=0.0)).prompt_alt_tokens
    assert found is not None
    likeliest = whole_rows(PROMPT)[:-1].argmax(axis=1)
    np.testing.assert_array_equal(found.tokens, np.repeat(likeliest[:, None], 3, axis=1))


@pytest.mark.parametrize("last", [0, 1, 7, 29, 30, 1000])
def test_only_the_last_positions(last: int) -> None:
    """Entries before the last n positions are None; those there are what the whole answer has."""
    job = evolve(JOB, prompt_logprobs=True, topk_prompt_logprobs=3)
    whole, part = sample(MODEL, job), sample(MODEL, evolve(job, prompt_logprobs_last_n=last))
    start = max(1, 30 - last)
    for all_, some in (
        (whole.prompt_logprobs, part.prompt_logprobs),
        (whole.topk_prompt_logprobs, part.topk_prompt_logprobs),
    ):
        assert all_ is not None
        assert some is not None
        assert len(some) == 30
        assert some[:start] == [None] * start
        assert None not in some[start:]
    assert whole.prompt_logprobs is not None
    assert part.prompt_logprobs is not None
    wanted = np.array(whole.prompt_logprobs[start:], np.float32)
    np.testing.assert_allclose(np.array(part.prompt_logprobs[start:], np.float32), wanted, atol=NEAR)


def test_the_likeliest_tokens_at_sampled_positions() -> None:
    """Likeliest first, logprobs untempered and uncut, one row a sampled token, the stopping one included."""
    job = evolve(JOB, max_tokens=12, topk_sample_logprobs=4, temperature=1.4, top_k=2, stop=StopRule())
    one = sample(MODEL, job).samples[0]
    assert one.topk is not None
    rows = whole_rows(np.concatenate([PROMPT, one.tokens]))[29:-1]
    assert one.topk.tokens.shape == (12, 4)
    np.testing.assert_array_equal(one.topk.tokens, np.argsort(-rows, axis=1, kind="stable")[:, :4])
    np.testing.assert_allclose(one.topk.logprobs, -np.sort(-rows, axis=1)[:, :4], atol=NEAR)
    taken = [row.index(token) for token, row in zip(one.tokens, one.topk.tokens.tolist(), strict=True)]
    assert set(taken) == {0, 1}  # top_k of 2
    np.testing.assert_array_equal(one.topk.logprobs[np.arange(12), taken], one.logprobs)


def test_results_that_were_not_requested_are_none() -> None:
    """A plain job carries none of these."""
    output = sample(MODEL, evolve(JOB, max_tokens=2))
    assert output.samples[0].topk is None
    assert output.target_prompt_logprobs is None
    assert output.prompt_alt_tokens is None


def test_a_prompt_of_several_slices() -> None:
    """All of them at once, about a prompt that is read and asked about in slices."""
    tokens = RANDOM.integers(0, VOCABULARY, 1100)
    asked = RANDOM.integers(0, VOCABULARY, (1099, 2))
    job = evolve(
        JOB,
        prompt=tokens,
        prompt_logprobs=True,
        topk_prompt_logprobs=1,
        prompt_logprobs_last_n=600,
        target_prompt_logprobs=asked,
        prompt_alt_tokens_k=2,
    )
    output, rows = sample(MODEL, job), whole_rows(tokens)[:-1]
    assert output.prompt_logprobs is not None
    assert output.topk_prompt_logprobs is not None
    assert output.target_prompt_logprobs is not None
    assert output.prompt_alt_tokens is not None
    assert output.prompt_logprobs[:500] == [None] * 500
    own = rows[np.arange(1099), tokens[1:]]
    np.testing.assert_allclose(np.array(output.prompt_logprobs[500:]), own[499:], atol=NEAR_LONG)
    top = [row[0][1] for row in output.topk_prompt_logprobs[500:] if row is not None]
    np.testing.assert_allclose(top, rows[499:].max(axis=1), atol=NEAR_LONG)
    np.testing.assert_allclose(
        output.target_prompt_logprobs, np.take_along_axis(rows, asked, axis=1), atol=NEAR_LONG
    )
    drawn = output.prompt_alt_tokens
    np.testing.assert_allclose(drawn.logprobs, np.take_along_axis(rows, drawn.tokens, axis=1), atol=NEAR_LONG)


def test_a_prompt_of_one_token_has_no_logprobs() -> None:
    """Tables have no rows then."""
    job = evolve(
        JOB, prompt=PROMPT[:1], target_prompt_logprobs=np.zeros((0, 3), np.int64), prompt_alt_tokens_k=2
    )
    output = sample(MODEL, job)
    assert output.target_prompt_logprobs is not None
    assert output.prompt_alt_tokens is not None
    assert output.target_prompt_logprobs.shape == (0, 3)
    assert output.prompt_alt_tokens.tokens.shape == (0, 2)
