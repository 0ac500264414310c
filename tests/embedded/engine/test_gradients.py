"""Gradients against finite differences, in double precision: the one test that needs no reference."""

import numpy as np
import pytest
from tinsmith_local.engine import train
from tinsmith_local.engine.base_model import BaseModel
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.lora import Adapter
from tinsmith_local.engine.losses import LOSS_NAMES
from tinsmith_local.engine.train import forward_backward

from tests.embedded.engine.golden import FAMILIES, load_golden

STEP = 1e-6


def slope(model: BaseModel, adapter: Adapter, examples: list[Example], loss: str, direction: object) -> float:
    """Central difference of the loss along a direction of the parameters."""
    start, values = adapter.flat.copy(), []
    for sign in (1.0, -1.0):
        adapter.flat[...] = start + sign * STEP * np.asarray(direction)
        output = forward_backward(model, adapter, examples, loss, backward=False)
        values.append(output.metrics["loss:sum"])
    adapter.flat[...] = start
    return (values[0] - values[1]) / (2.0 * STEP)


def assert_slopes_match(family: str, loss: str) -> None:
    """Compare the gradient with finite differences along random directions."""
    golden = load_golden(family, np.float64)
    model, adapter, examples = golden.model, golden.adapter, golden.examples
    forward_backward(model, adapter, examples, loss)
    assert adapter.flat_grads is not None
    rng = np.random.default_rng(0)
    for _ in range(3):
        direction = rng.normal(0.0, 1.0, adapter.flat.size)
        wanted = slope(model, adapter, examples, loss, direction)
        assert float(adapter.flat_grads @ direction) == pytest.approx(
            wanted, rel=1e-6
        )  # of the finite difference: STEP squared and eps / STEP


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family(family: str) -> None:
    """Cross-entropy through every kind of block."""
    assert_slopes_match(family, "cross_entropy")


# cispo and gspo hold a factor constant, so their gradient is not the slope of their value.
@pytest.mark.parametrize("loss", [name for name in LOSS_NAMES if name not in ("cispo", "gspo")])
def test_each_loss(loss: str) -> None:
    """Every loss whose gradient is the slope of its value."""
    assert_slopes_match("llama_tied", loss)


def test_recomputed_blocks_give_the_same_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sequence too long for the tape is computed block by block again, with the same result."""
    golden = load_golden("qwen3", np.float64)
    whole, parts = golden.adapter, golden.adapter
    forward_backward(golden.model, whole, golden.examples, "cross_entropy")
    monkeypatch.setattr(train, "TAPE_BYTES", 10_000)
    forward_backward(golden.model, parts, golden.examples, "cross_entropy")
    assert whole.flat_grads is not None
    assert parts.flat_grads is not None
    np.testing.assert_allclose(parts.flat_grads, whole.flat_grads, rtol=1e-9, atol=1e-11)
