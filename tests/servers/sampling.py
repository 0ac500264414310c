"""Steps: samplers and what they draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinsmith import SamplingClient, SamplingParams

from tests.servers.drive import WAIT_S, Drive, holds, same, step

if TYPE_CHECKING:
    from tinsmith import SampleResponse

LONGEST = 12
"""Most tokens that are drawn."""
TOLERANCE = 2e-3
"""Largest difference of a log-probability between training and sampling, whose kernels differ."""


def _drawn(
    drive: Drive, sampler: SamplingClient, count: int = 1, asked: Any = None, **params: Any
) -> SampleResponse:
    """Draw, and check what holds of any sample."""
    wanted = SamplingParams(**{"max_tokens": LONGEST, "temperature": 0.0, **params})
    drawn = sampler.sample(drive.prompt, count, wanted, **(asked or {})).result(WAIT_S)
    same(len(drawn.sequences), count, "sequences")
    for sequence in drawn.sequences:
        holds(0 < len(sequence.tokens) <= LONGEST, f"{len(sequence.tokens)} tokens")
        if sequence.logprobs is not None:
            same(len(sequence.logprobs), len(sequence.tokens), "logprobs of a sequence")
    return drawn


@step("create_sampling_client of a checkpoint")
def create(drive: Drive) -> object:
    """A sampler of saved weights."""
    return drive.sampler.sampling_session_id


@step("sample two sequences")
def two(drive: Drive) -> object:
    """Both have a log-probability for each token."""
    drawn = _drawn(drive, drive.sampler, 2, temperature=0.7, seed=1)
    holds(all(sequence.logprobs is not None for sequence in drawn.sequences), "there are no logprobs")
    return [list(sequence.tokens) for sequence in drawn.sequences]


@step("sample greedily, twice the same")
def greedy(drive: Drive) -> object:
    """Temperature 0 has one answer."""
    first, second = (list(_drawn(drive, drive.sampler).sequences[0].tokens) for _ in range(2))
    same(second, first, "the second sample")
    return first


@step("sample until a token id")
def stop_ids(drive: Drive) -> object:
    """The sequence ends at a token that is named by its id."""
    whole = list(_drawn(drive, drive.sampler).sequences[0].tokens)
    end = whole[len(whole) // 2]
    found = _drawn(drive, drive.sampler, stop=[end]).sequences[0]
    cut = whole[: whole.index(end)]
    holds(list(found.tokens) in (cut, [*cut, end]), f"{list(found.tokens)} of {whole}, stopped at {end}")
    return found.stop_reason


@step("sample until a text")
def stop_text(drive: Drive) -> object:
    """The sequence ends at a text."""
    whole = list(_drawn(drive, drive.sampler).sequences[0].tokens)
    text = drive.words.decode([whole[-1]])
    found = _drawn(drive, drive.sampler, stop=[text]).sequences[0]
    holds(len(found.tokens) <= len(whole), f"{list(found.tokens)} of {whole}, stopped at {text!r}")
    return found.stop_reason


@step("sample with top_k and top_p")
def narrowed(drive: Drive) -> object:
    """The other parameters are taken."""
    return list(_drawn(drive, drive.sampler, temperature=1.0, top_k=5, top_p=0.9, seed=3).sequences[0].tokens)


@step("sample with prompt logprobs")
def prompt_logprobs(drive: Drive) -> object:
    """One entry a prompt token, and none for the first."""
    drawn = _drawn(drive, drive.sampler, asked={"include_prompt_logprobs": True})
    found = drawn.prompt_logprobs
    assert found is not None
    same(len(found), drive.prompt.length, "prompt logprobs")
    holds(found[0] is None and None not in found[1:], f"they are {found}")
    return len(found)


@step("sample with the likeliest prompt tokens")
def topk(drive: Drive) -> object:
    """Three pairs at each position but the first."""
    drawn = _drawn(drive, drive.sampler, asked={"include_prompt_logprobs": True, "topk_prompt_logprobs": 3})
    found = drawn.topk_prompt_logprobs
    holds(found is not None, "there are none")
    assert found is not None
    same(len(found), drive.prompt.length, "positions")
    return [None if pairs is None else len(pairs) for pairs in found]


@step("compute_logprobs")
def logprobs(drive: Drive) -> object:
    """They are those that training computes of the same weights."""
    tokens = drive.ids("for x in range(10): print(x)")
    trainer = drive.create(rank=4)
    drive.learn(trainer)
    saved = drive.done(trainer, trainer.save_weights_for_sampler("now"), "save_weights_for_sampler")
    sampler = drive.service.create_sampling_client(str(saved.path))
    found = sampler.compute_logprobs(type(drive.prompt).from_ints(tokens)).result(WAIT_S)
    same((len(found), found[0]), (len(tokens), None), "length and start")
    looked = trainer.forward([drive.datum("for x in range(", "10): print(x)")], "cross_entropy")
    trained = drive.done(trainer, looked, "forward").loss_fn_outputs[0]["logprobs"].data
    joined = drive.datum("for x in range(", "10): print(x)").loss_fn_inputs["target_tokens"].data
    if joined == tokens[1:]:  # the tokenizer may cut the joined text elsewhere
        apart = max(abs(a - (b or 0.0)) for a, b in zip(trained, found[1:], strict=True))
        holds(apart < TOLERANCE, f"they are {apart} apart")
        return f"at most {apart:.1e} apart"
    return f"{len(found)} of another cut"


@step("save_weights_and_get_sampling_client")
def ephemeral(drive: Drive) -> object:
    """The weights as they are, without a named checkpoint."""
    sampler = drive.handed(drive.trainer)
    return list(_drawn(drive, sampler).sequences[0].tokens)


@step("create_sampling_client of the base model")
def base(drive: Drive) -> object:
    """A sampler without an adapter."""
    sampler = drive.service.create_sampling_client(base_model=drive.base_model)
    same(sampler.get_base_model(), drive.base_model, "base model")
    return list(_drawn(drive, sampler).sequences[0].tokens)


@step("20 samples at once")
def many(drive: Drive) -> object:
    """Each ends."""
    params = SamplingParams(max_tokens=4, temperature=1.0)
    futures = [drive.sampler.sample(drive.prompt, 1, params) for _ in range(20)]
    return sum(len(future.result(WAIT_S).sequences) for future in futures)


@step("a sample is cancelled")
def cancelled(drive: Drive) -> object:
    """Cancelling harms nobody else, whether the server knows of it or not."""
    params = SamplingParams(max_tokens=LONGEST)
    first, second = (drive.sampler.sample(drive.prompt, 1, params) for _ in range(2))
    ended = first.cancel()
    same(len(second.result(WAIT_S).sequences), 1, "the other sample")
    return ended
