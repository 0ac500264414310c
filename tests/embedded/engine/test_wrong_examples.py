"""Examples that cannot be computed: one clear error that names the datum and the field, and no gradient."""

from typing import Any

import numpy as np
import pytest
from attrs import evolve
from tinsmith_local.engine.batch import ExampleError, ImageSpan
from tinsmith_local.engine.train import forward_backward

from tests.embedded.engine.golden import load_golden

GOLDEN = load_golden("llama_tied")
MODEL = GOLDEN.model
GOOD = GOLDEN.examples[0]
LENGTH = len(GOOD.tokens)


def with_one(values: Any, wrong: float) -> Any:
    """Replace one entry."""
    spoiled = values.copy()
    spoiled[2] = wrong
    return spoiled


@pytest.mark.parametrize(
    ("loss", "change", "field"),
    [
        ("cross_entropy", {"tokens": with_one(GOOD.tokens, 61)}, "model_input"),
        ("cross_entropy", {"tokens": with_one(GOOD.tokens, -1)}, "model_input"),
        ("cross_entropy", {"tokens": GOOD.tokens[:0]}, "model_input"),
        ("cross_entropy", {"tokens": np.zeros(129, np.int64)}, "model_input"),
        ("cross_entropy", {"targets": GOOD.targets[:-1]}, "target_tokens"),
        ("cross_entropy", {"targets": with_one(GOOD.targets, 61)}, "target_tokens"),
        ("cross_entropy", {"targets": np.zeros((LENGTH, 0), np.int64)}, "target_tokens"),
        ("ppo", {"targets": np.zeros((LENGTH, 2), np.int64)}, "target_tokens"),
        ("cross_entropy", {"weights": None}, "weights"),
        ("cross_entropy", {"weights": GOOD.weights[:3] if GOOD.weights is not None else None}, "weights"),
        ("cross_entropy", {"weights": with_one(GOOD.weights, np.nan)}, "weights"),
        ("ppo", {"logprobs": None}, "logprobs"),
        ("ppo", {"advantages": None}, "advantages"),
        ("dro", {"advantages": with_one(GOOD.advantages, np.inf)}, "advantages"),
        ("gspo", {"mask": np.ones(LENGTH + 1, np.float32)}, "sequence_ratio_mask"),
        (
            "cross_entropy",
            {"images": (ImageSpan(start=0, patches=np.ones((1, 4), np.float32)),)},
            "model_input",
        ),
    ],
)
def test_each_is_named(loss: str, change: dict[str, Any], field: str) -> None:
    """The error carries the index and the field, and nothing was added."""
    adapter = GOLDEN.adapter
    with pytest.raises(ExampleError, match=f"datum 1: {field}") as caught:
        forward_backward(MODEL, adapter, [GOOD, evolve(GOOD, **change)], loss)
    assert (caught.value.index, caught.value.field) == (1, field)
    assert adapter.grads == {}


def test_no_examples() -> None:
    """An empty batch is an error too."""
    with pytest.raises(ExampleError, match="data"):
        forward_backward(MODEL, GOLDEN.adapter, [], "cross_entropy")


@pytest.mark.parametrize(
    ("loss", "config", "message"),
    [
        ("kl_divergence", {}, "unknown loss_fn 'kl_divergence'"),
        ("stable_reinforce", {}, "'stable_reinforce' is not computed here: its formula is not published"),
        ("cross_entropy", {"beta": 1.0}, "unknown loss_fn_config key 'beta'"),
        ("ppo", {"clip_low_threshold": float("nan")}, "clip_low_threshold"),
        ("ppo", {"clip_low_threshold": 1.3}, "above clip_high_threshold"),
        ("dro", {"beta": "0.1"}, "beta"),
    ],
)
def test_unknown_losses_and_options(loss: str, config: dict[str, Any], message: str) -> None:
    """Names and values of losses and options are checked before anything runs."""
    with pytest.raises(ValueError, match=message):
        forward_backward(MODEL, GOLDEN.adapter, [GOOD], loss, config)


def test_options_reach_the_loss() -> None:
    """A given threshold changes the result, the default given by hand does not."""

    def loss(config: dict[str, float] | None) -> float:
        return forward_backward(MODEL, GOLDEN.adapter, [GOOD], "ppo", config).metrics["loss:sum"]

    assert loss(None) == loss({"clip_low_threshold": 0.8, "clip_high_threshold": 1.2})
    assert loss(None) != loss({"clip_low_threshold": 0.99, "clip_high_threshold": 1.01})
