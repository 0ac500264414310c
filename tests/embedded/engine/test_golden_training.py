"""Training numbers against the files that torch, transformers and peft wrote."""

import numpy as np
import pytest
from tinsmith_api.models import AdamParams
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.losses import LOSS_NAMES
from tinsmith_local.engine.optim import adam_step
from tinsmith_local.engine.train import forward_backward

from tests.embedded.engine.golden import Golden, adam, distance, load_golden

TOLERANCE = 1e-4
"""Twice `rounding(model_terms(...))` of these models: the reference adds in an order of its own."""


def test_logprobs_and_gradients_of_each_family(golden: Golden) -> None:
    """Cross-entropy with random A and B: logprobs, losses and every adapter gradient."""
    adapter = golden.adapter
    output = forward_backward(golden.model, adapter, golden.examples, "cross_entropy")
    for index, found in enumerate(output.logprobs):
        assert distance(found, golden.arrays[f"data/{index}/found"]) < TOLERANCE
        assert (
            distance(output.elementwise_loss[index], golden.arrays[f"cross_entropy/value/{index}"])
            < TOLERANCE
        )
    wanted = golden.under("cross_entropy/grad/")
    assert adapter.grads.keys() == wanted.keys()
    assert max(distance(adapter.grads[name], wanted[name]) for name in wanted) < TOLERANCE


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_each_loss(loss: str) -> None:
    """Value and gradient of every loss."""
    golden = load_golden("llama_tied")
    adapter = golden.adapter
    output = forward_backward(golden.model, adapter, golden.examples, loss)
    values = [golden.arrays[f"{loss}/value/{index}"] for index in range(len(output.elementwise_loss))]
    for ours, reference in zip(output.elementwise_loss, values, strict=True):
        assert distance(ours, reference) < TOLERANCE
    assert output.metrics["loss:sum"] == pytest.approx(sum(float(v.sum()) for v in values), rel=TOLERANCE)
    for name, reference in golden.under(f"{loss}/grad/").items():
        assert distance(adapter.grads[name], reference) < TOLERANCE


def test_several_targets_a_position() -> None:
    """Cross-entropy with [N, K] targets and weights, one target twice in a row."""
    base, golden = load_golden("llama_tied"), load_golden("soft_targets")
    spec_of = load_golden("llama_tied").adapter
    example = Example(
        tokens=golden.arrays["tokens"].astype(np.int64),
        targets=golden.arrays["targets"].astype(np.int64),
        weights=golden.arrays["weights"],
    )
    output = forward_backward(base.model, spec_of, [example], "cross_entropy")
    assert distance(output.logprobs[0], golden.arrays["found"]) < TOLERANCE
    assert distance(output.elementwise_loss[0], golden.arrays["value"]) < TOLERANCE
    for name, reference in golden.under("grad/").items():
        assert distance(spec_of.grads[name], reference) < TOLERANCE


@pytest.mark.parametrize(
    ("label", "settings"),
    [("plain", adam()), ("decay_clip", adam(weight_decay=0.1, grad_clip_norm=1.0))],
    ids=["plain", "decay_clip"],
)
def test_three_adam_steps(golden: Golden, label: str, settings: AdamParams) -> None:
    """Parameters after three steps, without and with weight decay and clipping."""
    adapter, model = golden.adapter, golden.model
    for _ in range(3):
        forward_backward(model, adapter, golden.examples, "cross_entropy")
        adam_step(adapter, settings)
    for name, reference in golden.under(f"adam_{label}/").items():
        assert distance(adapter.params[name], reference) < TOLERANCE
