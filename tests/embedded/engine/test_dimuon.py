"""Dimuon: the step is the matrix sign of a running mean, held against singular value decompositions."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith_api.models import AdamParams, DimuonParams
from tinsmith_local.engine.dimuon import dimuon_step, matrix_sign
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.engine.optim import adam_step
from tinsmith_local.engine.train import forward_backward

from tests.embedded.engine.golden import load_golden
from tests.embedded.tolerances import rounding

GOLDEN = load_golden("llama_tied")
Array = npt.NDArray[np.float32]
DIMUON = DimuonParams(learning_rate=0.05)


def sign_by_svd(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return U V^T, without directions that are zero but for rounding."""
    u, sizes, vt = np.linalg.svd(matrix, full_matrices=False)
    kept = sizes > 1e-5 * max(float(sizes[0]), 1e-300)
    found: npt.NDArray[np.float64] = u[:, kept] @ vt[kept]
    return found


@settings(max_examples=40)
@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    rank=st.integers(0, 6),
    scale=st.sampled_from([1e-12, 1e-3, 1.0, 1e8]),
    seed=st.integers(0, 2**32),
)
def test_the_sign_of_a_matrix(rows: int, columns: int, rank: int, scale: float, seed: int) -> None:
    """Wide, tall, of less than full rank or zero: as the singular value decomposition has it."""
    random = np.random.default_rng(seed)
    matrix = (random.normal(size=(rows, rank)) @ random.normal(size=(rank, columns)) * scale).astype(
        np.float32
    )
    sizes = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    if any(1e-6 < size / (sizes[0] or 1.0) < 1e-3 for size in sizes):
        return  # near the bound either answer is right
    found = matrix_sign(matrix)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, sign_by_svd(matrix.astype(np.float64)), atol=1e-3)


def gradient(adapter: Adapter) -> dict[str, Array]:
    """Return the gradient of the golden batch."""
    forward_backward(GOLDEN.model, adapter, GOLDEN.examples, "cross_entropy")
    return {name: array.copy() for name, array in adapter.grads.items()}


@pytest.mark.parametrize("clip", [0.0, -1.0, 0.5, 1e9])
def test_steps_by_hand(clip: float) -> None:
    """Three steps: mean, clipping, sign and rate in numpy give the same parameters and metrics."""
    adapter, how = GOLDEN.adapter, evolve(DIMUON, beta1=0.8, grad_clip_norm=clip)
    means = {name: np.zeros(array.shape) for name, array in adapter.params.items()}
    for step in range(1, 4):
        wanted = {name: array.astype(np.float64) for name, array in adapter.params.items()}
        grads = gradient(adapter)
        norm = float(np.sqrt(sum(float((grad.astype(np.float64) ** 2).sum()) for grad in grads.values())))
        factor = clip / norm if 0.0 < clip < norm else 1.0
        metrics = dimuon_step(adapter, how)
        assert metrics == {
            "grad_norm:mean": pytest.approx(norm, rel=rounding(adapter.flat.size)),
            "step:max": float(step),
        }
        for name, grad in grads.items():
            means[name] = 0.8 * means[name] + 0.2 * factor * grad
            direction = sign_by_svd(means[name])
            wanted[name] -= 0.05 * direction
            np.testing.assert_allclose(adapter.params[name], wanted[name], atol=2e-4, err_msg=name)
            assert np.linalg.norm(direction) == pytest.approx(np.sqrt(adapter.spec.rank), rel=1e-6)
    assert adapter.grads == {}
    assert adapter.optimizer == "dimuon"


def test_a_fresh_adapter_learns() -> None:
    """B is zero and A has no gradient at first: A stays, B moves, and the loss falls from step to step."""
    adapter = Adapter.create(GOLDEN.model.config, LoraSpec(rank=2, seed=1))
    before = {name: array.copy() for name, array in adapter.params.items()}
    losses = []
    for _ in range(6):
        output = forward_backward(GOLDEN.model, adapter, GOLDEN.examples, "cross_entropy")
        losses.append(output.metrics["loss:sum"])
        dimuon_step(adapter, evolve(DIMUON, learning_rate=0.02))
        if len(losses) == 1:
            for name, array in adapter.params.items():
                assert np.array_equal(array, before[name]) == (".lora_A." in name)
    assert losses == sorted(losses, reverse=True)


def test_saved_state_continues_bit_for_bit() -> None:
    """An adapter with the saved parameters, moments and step goes on as the first one does."""
    first = GOLDEN.adapter
    gradient(first)
    dimuon_step(first, DIMUON)
    second = Adapter.from_params(GOLDEN.model.config, first.spec, first.params)
    second.load_optimizer({name: array.copy() for name, array in first.moments.items()}, first.step)
    for adapter in (first, second):
        gradient(adapter)
        dimuon_step(adapter, DIMUON)
    assert (second.flat.tobytes(), second.step) == (first.flat.tobytes(), 2)


def test_an_optimizer_refuses_the_others_state() -> None:
    """Neither goes on with the other's moments, and nothing has changed then."""
    steps = (partial(dimuon_step, params=DIMUON), partial(adam_step, params=AdamParams()))
    for first, second in (steps, reversed(steps)):
        adapter = GOLDEN.adapter
        assert adapter.optimizer is None
        gradient(adapter)
        first(adapter)
        before = adapter.flat.copy()
        gradient(adapter)
        with pytest.raises(ValueError, match="the optimizer's state is that of"):
            second(adapter)
        np.testing.assert_array_equal(adapter.flat, before)
        assert adapter.grads


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": -1.0},
        {"learning_rate": np.inf},
        {"learning_rate": np.nan},
        {"beta1": 1.0},
        {"beta1": -0.1},
        {"grad_clip_norm": np.nan},
    ],
)
def test_settings_out_of_range(change: dict[str, Any]) -> None:
    """The error names the setting, and no step is taken."""
    adapter = GOLDEN.adapter
    gradient(adapter)
    before = adapter.flat.copy()
    with pytest.raises(ValueError, match=next(iter(change))):
        dimuon_step(adapter, evolve(DIMUON, **change))
    np.testing.assert_array_equal(adapter.flat, before)


def test_a_gradient_that_is_not_finite_is_dropped() -> None:
    """With an error, and the parameters stay."""
    adapter = GOLDEN.adapter
    gradient(adapter)
    assert adapter.flat_grads is not None
    adapter.flat_grads[3] = np.inf
    before = adapter.flat.copy()
    with pytest.raises(ValueError, match="not finite"):
        dimuon_step(adapter, DIMUON)
    np.testing.assert_array_equal(adapter.flat, before)
    assert adapter.flat_grads is None
