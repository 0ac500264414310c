"""Adapters: how they start, what they hold, how they are stored, and the optimizer's step."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.engine.optim import adam_step
from tinsmith_local.engine.train import forward_backward

from tests.embedded.engine.golden import adam, load_golden
from tests.embedded.tolerances import rounding

GOLDEN = load_golden("qwen2")
CONFIG = GOLDEN.model.config


def test_a_fresh_adapter() -> None:
    """B is zero, A is uniform within 1 / sqrt(inputs), repeats with its seed and differs with another."""
    adapter = Adapter.create(CONFIG, LoraSpec(rank=8, seed=5))
    for name, values in adapter.params.items():
        if ".lora_B." in name:
            assert not values.any()
            continue
        bound = 1.0 / math.sqrt(values.shape[1])
        assert 0.9 * bound < np.abs(values).max() <= bound
        assert abs(float(values.mean())) < 0.2 * bound
    again, other = (Adapter.create(CONFIG, LoraSpec(rank=8, seed=seed)) for seed in (5, 6))
    assert again.flat.tobytes() == adapter.flat.tobytes()
    assert other.flat.tobytes() != adapter.flat.tobytes()
    arrays = [values.tobytes() for name, values in adapter.params.items() if ".lora_A." in name]
    assert len(set(arrays)) == len(arrays)


def test_flags_choose_the_modules_and_not_their_values() -> None:
    """Training fewer modules leaves the others out and the rest as they were."""
    full = Adapter.create(CONFIG, LoraSpec(rank=2, seed=1))
    attention = Adapter.create(CONFIG, LoraSpec(rank=2, seed=1, train_mlp=False, train_unembed=False))
    assert len(attention.params) == 2 * 4 * CONFIG.num_layers
    for name, values in attention.params.items():
        np.testing.assert_array_equal(values, full.params[name])


@pytest.mark.parametrize(
    "change", [{"rank": 0}, {"train_attn": False, "train_mlp": False, "train_unembed": False}]
)
def test_specs_that_train_nothing(change: dict[str, Any]) -> None:
    """Rank 0 and no module at all are refused."""
    with pytest.raises(ValueError, match="at least"):
        LoraSpec(**{"rank": 1, **change})


def train(adapter: Adapter, steps: int) -> None:
    """Take optimizer steps on the golden batch."""
    for _ in range(steps):
        forward_backward(GOLDEN.model, adapter, GOLDEN.examples, "cross_entropy")
        adam_step(adapter, adam())


def test_training_continues_from_stored_state_bit_for_bit() -> None:
    """Four steps equal two steps, a copy of parameters and moments, and two more."""
    whole, first = GOLDEN.adapter, GOLDEN.adapter
    train(whole, 4)
    train(first, 2)
    second = Adapter.from_params(
        CONFIG, first.spec, {name: values.copy() for name, values in first.params.items()}
    )
    second.load_optimizer({name: values.copy() for name, values in first.moments.items()}, first.step)
    train(second, 2)
    assert second.flat.tobytes() == whole.flat.tobytes()
    assert second.step == whole.step == 4


def test_a_snapshot_stays_as_it_was() -> None:
    """Steps after a snapshot do not reach it."""
    adapter = GOLDEN.adapter
    snapshot, before = adapter.snapshot(), adapter.flat.tobytes()
    train(adapter, 1)
    assert snapshot.flat.tobytes() == before != adapter.flat.tobytes()


def test_loading_drops_what_belonged_to_the_old_parameters() -> None:
    """After `load` there are no gradients, no moments and no steps."""
    adapter = GOLDEN.adapter
    train(adapter, 1)
    forward_backward(GOLDEN.model, adapter, GOLDEN.examples, "cross_entropy")
    adapter.load(GOLDEN.under("adapter/"))
    assert (adapter.grads, adapter.moments, adapter.step) == ({}, {}, 0)
    assert adapter.flat.tobytes() == GOLDEN.adapter.flat.tobytes()


def _without_one(arrays: dict[str, Any]) -> dict[str, Any]:
    return dict(list(arrays.items())[1:])


def _misshapen(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: values.T for name, values in arrays.items()}


def _not_finite(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: np.full_like(values, np.nan) for name, values in arrays.items()}


@pytest.mark.parametrize("spoil", [_without_one, _misshapen, _not_finite])
def test_wrong_arrays_are_refused_and_change_nothing(
    spoil: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """A missing, misshapen or non-finite array is a ValueError that names it."""
    adapter = GOLDEN.adapter
    before = adapter.flat.tobytes()
    with pytest.raises(ValueError, match="lora_"):
        adapter.load(spoil(GOLDEN.under("adapter/")))
    assert adapter.flat.tobytes() == before


def test_a_step_without_gradients_moves_nothing_the_first_time() -> None:
    """No gradient counts as zero; with weight decay alone parameters shrink."""
    adapter = GOLDEN.adapter
    before = adapter.flat.copy()
    assert adam_step(adapter, adam())["grad_norm:mean"] == 0.0
    np.testing.assert_array_equal(adapter.flat, before)
    adam_step(adapter, adam(learning_rate=0.1, weight_decay=0.5))
    np.testing.assert_allclose(adapter.flat, before * 0.95, rtol=rounding(2))  # a product and a difference


def test_a_gradient_that_is_not_finite_is_dropped() -> None:
    """The step is refused, the parameters stay, and the next good step works."""
    adapter = GOLDEN.adapter
    before = adapter.flat.tobytes()
    adapter.add_grads(np.full_like(adapter.flat, np.inf))
    with pytest.raises(ValueError, match="not finite"):
        adam_step(adapter, adam())
    assert (adapter.flat.tobytes(), adapter.step) == (before, 0)
    train(adapter, 1)
    assert adapter.step == 1


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": -1e-4},
        {"learning_rate": math.nan},
        {"beta1": 1.0},
        {"beta2": -0.1},
        {"eps": 0.0},
        {"weight_decay": -1.0},
        {"grad_clip_norm": math.inf},
    ],
)
def test_settings_out_of_range(change: dict[str, float]) -> None:
    """Each is a ValueError that names the setting, and nothing moves."""
    adapter = GOLDEN.adapter
    with pytest.raises(ValueError, match=next(iter(change))):
        adam_step(adapter, adam(**change))
    assert adapter.step == 0
