"""What must not change a result: how examples are packed, split, ordered and dealt to workers."""

import contextlib
import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith_local.engine import train, unembed, workers
from tinsmith_local.engine.batch import Example, ExampleError
from tinsmith_local.engine.jobs import SampleJob
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.engine.scheduler import sample
from tinsmith_local.engine.train import BatchOutput, DivergedError, forward_backward

from tests.embedded.engine.golden import Golden, distance, load_golden
from tests.embedded.engine.models import random_model
from tests.embedded.tolerances import model_terms, rounding

GOLDEN = load_golden("llama_tied")
MODEL = GOLDEN.model
SAME = rounding(model_terms(MODEL.config, 70))
"""Relative difference of the same sums in another order."""


def examples_of(lengths: list[int], seed: int) -> list[Example]:
    """Random examples of given lengths."""
    rng = np.random.default_rng(seed)
    made = []
    for length in lengths:
        tokens = rng.integers(0, MODEL.config.vocab_size, length + 1)
        weights = rng.uniform(0.0, 1.0, length).astype(np.float32) * (rng.random(length) > 0.4)
        made.append(Example(tokens=tokens[:-1], targets=tokens[1:], weights=weights.astype(np.float32)))
    return made


def run(examples: list[Example]) -> tuple[BatchOutput, npt.NDArray[np.float32]]:
    """Return the output and the gradient of cross-entropy."""
    adapter = GOLDEN.adapter
    output = forward_backward(MODEL, adapter, examples, "cross_entropy")
    assert adapter.flat_grads is not None
    return output, adapter.flat_grads


LENGTHS = st.lists(st.integers(1, 70), min_size=2, max_size=6)


@settings(max_examples=25)
@given(lengths=LENGTHS, seed=st.integers(0, 2**16), data=st.data())
def test_order_of_examples_changes_nothing(lengths: list[int], seed: int, data: st.DataObject) -> None:
    """Shuffled examples give the same numbers, each at its own place."""
    examples = examples_of(lengths, seed)
    order = data.draw(st.permutations(range(len(examples))))
    output, grads = run(examples)
    shuffled, shuffled_grads = run([examples[index] for index in order])
    for place, index in enumerate(order):
        assert distance(shuffled.logprobs[place], output.logprobs[index]) < SAME
    assert shuffled.metrics["loss:sum"] == pytest.approx(output.metrics["loss:sum"], rel=SAME)
    np.testing.assert_allclose(shuffled_grads, grads, atol=SAME * max(1.0, float(np.abs(grads).max())))


@settings(max_examples=25)
@given(lengths=LENGTHS, seed=st.integers(0, 2**16))
def test_a_batch_is_the_sum_of_its_examples(lengths: list[int], seed: int) -> None:
    """One call over a batch equals one call an example, gradients added up."""
    examples = examples_of(lengths, seed)
    output, grads = run(examples)
    adapter = GOLDEN.adapter
    singles = [forward_backward(MODEL, adapter, [example], "cross_entropy") for example in examples]
    assert adapter.flat_grads is not None
    for index, single in enumerate(singles):
        assert distance(single.logprobs[0], output.logprobs[index]) < SAME
        assert distance(single.elementwise_loss[0], output.elementwise_loss[index]) < SAME
    np.testing.assert_allclose(adapter.flat_grads, grads, atol=SAME * max(1.0, float(np.abs(grads).max())))


def test_same_inputs_give_the_same_bits() -> None:
    """A second run, after other work has used the same memory, differs in no bit."""
    examples = examples_of([33, 7, 64, 64, 1], 5)
    output, grads = run(examples)
    run(examples_of([128, 90], 6))
    again, grads_again = run(examples)
    assert grads.tobytes() == grads_again.tobytes()
    assert [a.tobytes() for a in output.logprobs] == [a.tobytes() for a in again.logprobs]
    assert output.metrics == again.metrics


def test_nothing_depends_on_how_work_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several passes, small blocks of logits and another number of workers give the same numbers."""
    examples = examples_of([40, 25, 61, 8], 9)
    output, grads = run(examples)
    monkeypatch.setattr(train, "TAPE_BYTES", 300_000)
    monkeypatch.setattr(unembed, "LOGIT_BYTES", 4_000)
    monkeypatch.setattr(unembed, "VOCAB_BLOCK", 16)
    for size in (1, 3):
        monkeypatch.setattr(workers, "_team", workers.Team(size))
        other, other_grads = run(examples)
        for ours, wanted in zip(other.logprobs, output.logprobs, strict=True):
            assert distance(ours, wanted) < SAME
        np.testing.assert_allclose(other_grads, grads, atol=SAME * float(np.abs(grads).max()))


def test_forward_gives_the_same_numbers_and_no_gradient(golden: Golden) -> None:
    """`backward=False` returns the same values and leaves the adapter alone."""
    adapter = golden.adapter
    output = forward_backward(golden.model, adapter, golden.examples, "cross_entropy", backward=False)
    assert adapter.grads == {}
    for index, found in enumerate(output.logprobs):
        assert distance(found, golden.arrays[f"data/{index}/found"]) < 1e-4


def test_an_adapter_with_b_zero_changes_nothing(golden: Golden) -> None:
    """A fresh adapter gives the base model's numbers."""
    fresh = Adapter.create(golden.model.config, LoraSpec(rank=4, seed=3))
    with_adapter = forward_backward(golden.model, fresh, golden.examples, "cross_entropy", backward=False)
    without = forward_backward(golden.model, None, golden.examples, "cross_entropy", backward=False)
    for ours, wanted in zip(with_adapter.logprobs, without.logprobs, strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_untrained_parts_get_no_parameters() -> None:
    """Only what the spec names has parameters, and its gradient is that of the full adapter."""
    full = GOLDEN.adapter
    forward_backward(MODEL, full, GOLDEN.examples, "cross_entropy")
    for part, words in (("attn", ("self_attn",)), ("mlp", ("mlp",)), ("unembed", ("lm_head",))):
        flags = {f"train_{name}": name == part for name in ("attn", "mlp", "unembed")}
        adapter = Adapter.create(MODEL.config, LoraSpec(rank=3, **flags))
        forward_backward(MODEL, adapter, GOLDEN.examples, "cross_entropy")
        assert adapter.params
        assert all(any(word in name for word in words) for name in adapter.params)
        assert any(np.abs(grad).max() > 0 for grad in adapter.grads.values())


def test_only_a_block_of_logits_exists_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peak memory of a step stays far below one array of tokens times vocabulary."""
    model = random_model(vocab_size=20_000, num_layers=1, max_context=400)
    adapter = Adapter.create(model.config, LoraSpec(rank=1, train_unembed=False))
    tokens = np.arange(401) % 20_000
    example = Example(tokens=tokens[:-1], targets=tokens[1:], weights=np.ones(400, np.float32))
    monkeypatch.setattr(unembed, "LOGIT_BYTES", 2_000_000)
    monkeypatch.setattr(workers, "_team", workers.Team(2))
    tracemalloc.start()
    try:
        forward_backward(model, adapter, [example], "cross_entropy")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 400 * 20_000 * 4 / 4


def test_gradients_add_up_until_the_step() -> None:
    """Two calls give twice the gradient of one."""
    once, twice = GOLDEN.adapter, GOLDEN.adapter
    forward_backward(MODEL, once, GOLDEN.examples, "ppo")
    for _ in range(2):
        forward_backward(MODEL, twice, GOLDEN.examples, "ppo")
    assert once.flat_grads is not None
    assert twice.flat_grads is not None
    np.testing.assert_array_equal(twice.flat_grads, 2 * once.flat_grads)


def test_a_diverged_adapter_warns_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses and samples that are no numbers any more are errors or NaN, never warnings."""
    monkeypatch.setattr(workers, "_team", workers.Team(3))
    for size in (1e10, 1e25, np.inf, np.nan):
        adapter = GOLDEN.adapter
        adapter.flat[...] = size
        for loss in ("cross_entropy", "ppo", "gspo"):
            with contextlib.suppress(ExampleError, DivergedError):
                forward_backward(MODEL, adapter, GOLDEN.examples, loss)
        job = SampleJob(
            prompt=np.arange(50), adapter=adapter, max_tokens=3, num_samples=5, prompt_logprobs=True
        )
        for temperature, top_p in ((1.0, 1.0), (0.0, 1.0), (0.7, 0.9)):
            sample(
                MODEL,
                evolve(
                    job, temperature=temperature, top_p=top_p, prompt_alt_tokens_k=2, topk_sample_logprobs=2
                ),
            )


def test_a_failed_call_adds_nothing() -> None:
    """A loss that overflows is an error that names its datum, and the gradient stays what it was."""
    adapter = GOLDEN.adapter
    forward_backward(MODEL, adapter, GOLDEN.examples, "ppo")
    assert adapter.flat_grads is not None
    before = adapter.flat_grads.copy()
    wrong = evolve(GOLDEN.examples[1], logprobs=np.full(5, -1e30, np.float32))
    with pytest.raises(ValueError, match=r"datum 1: logprobs") as caught:
        forward_backward(MODEL, adapter, [GOLDEN.examples[0], wrong], "importance_sampling")
    assert getattr(caught.value, "index", None) == 1
    np.testing.assert_array_equal(adapter.flat_grads, before)
