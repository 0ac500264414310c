"""Several weighted targets a position, as for distillation from a teacher's likeliest tokens."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.train import forward_backward

from tests.embedded.engine.golden import load_golden
from tests.embedded.tolerances import model_terms, rounding

GOLDEN = load_golden("llama_tied")
RANDOM = np.random.default_rng(8)
TOKENS = RANDOM.integers(0, 61, 20)
SAME = rounding(model_terms(GOLDEN.model.config, 20))
"""Relative: the kernels add up the same products in different orders, as the rows are longer or shorter."""
SAME_LOSS = SAME + rounding(100)
"""The loss is a sum of 100 such logprobs, all of one sign."""
COUNTS = RANDOM.integers(0, 5, 20)
"""How many tokens the teacher names at each position."""


def row_by_row(fill: Callable[[], float]) -> npt.NDArray[np.float64]:
    """Fill each position's first places."""
    table = np.zeros((20, 5))
    for row, count in zip(table, COUNTS, strict=True):
        row[:count] = [fill() for _ in range(count)]
    return table


TARGETS = row_by_row(lambda: int(RANDOM.integers(1, 61))).astype(np.int64)
WEIGHTS = row_by_row(lambda: float(RANDOM.uniform(0.1, 1.0))).astype(np.float32)
"""As a sparse tensor is laid out: token 0 with weight 0 where there is none."""


def run(examples: list[Example]) -> tuple[float, npt.NDArray[np.float32]]:
    """Return the loss and the gradient."""
    adapter = GOLDEN.adapter
    output = forward_backward(GOLDEN.model, adapter, examples, "cross_entropy")
    assert adapter.flat_grads is not None
    return output.metrics["loss:sum"], adapter.flat_grads


def test_several_targets_are_the_sum_of_single_ones() -> None:
    """Loss and gradient of [N, K] targets equal those of K datums with one target a position."""
    loss, grads = run([Example(tokens=TOKENS, targets=TARGETS, weights=WEIGHTS)])
    columns = range(TARGETS.shape[1])
    single = [Example(tokens=TOKENS, targets=TARGETS[:, k], weights=WEIGHTS[:, k]) for k in columns]
    wanted, wanted_grads = run(single)
    assert loss == pytest.approx(wanted, rel=SAME_LOSS)
    np.testing.assert_allclose(grads, wanted_grads, atol=SAME * float(np.abs(wanted_grads).max()))


@pytest.mark.parametrize("more", [1, 40])
def test_positions_without_a_target_add_nothing(more: int) -> None:
    """Wider rows, filled up with token 0 and weight 0, give the same loss and gradient."""
    loss, grads = run([Example(tokens=TOKENS, targets=TARGETS, weights=WEIGHTS)])
    pad = ((0, 0), (0, more))
    wide = Example(tokens=TOKENS, targets=np.pad(TARGETS, pad), weights=np.pad(WEIGHTS, pad))
    other = Example(
        tokens=TOKENS, targets=np.pad(TARGETS, ((0, 0), (0, 3))), weights=np.zeros((20, 8), np.float32)
    )
    found, found_grads = run([wide, other])
    assert found == pytest.approx(loss, rel=SAME_LOSS)
    np.testing.assert_allclose(found_grads, grads, atol=SAME * float(np.abs(grads).max()))


def test_a_teachers_own_distribution_has_its_gradient_at_the_teacher() -> None:
    """With the model's own probabilities as weights over the whole vocabulary nothing pulls anywhere."""
    everything = np.tile(np.arange(61), (20, 1))
    none = Example(tokens=TOKENS, targets=everything, weights=np.zeros((20, 61), np.float32))
    logprobs = forward_backward(
        GOLDEN.model, GOLDEN.adapter, [none], "cross_entropy", backward=False
    ).logprobs[0]
    loss, grads = run([Example(tokens=TOKENS, targets=everything, weights=np.exp(logprobs))])
    assert loss == pytest.approx(-float((np.exp(logprobs) * logprobs).sum()), rel=SAME_LOSS)
    _, hard = run([Example(tokens=TOKENS, targets=TOKENS, weights=np.ones(20, np.float32))])
    assert float(np.abs(grads).max()) < 1e-4 * float(np.abs(hard).max())
