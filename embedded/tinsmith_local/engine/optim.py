"""Owns the Adam step. Changes an adapter's parameters in place; only the optimizers do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.workers import exclusive

if TYPE_CHECKING:
    from tinsmith_api.models import AdamParams

    from tinsmith_local.engine.lora import Adapter

Array = npt.NDArray[np.float32]

PIECE = 32 * 1024
"""Numbers updated at once; four arrays of them stay in a core's cache."""


def adam_step(adapter: Adapter, params: AdamParams) -> dict[str, float]:
    """Apply one Adam step from the accumulated gradients, then drop them.

    Bias-corrected Adam (Kingma and Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov and
    Hutter 2019, algorithm 2); gradients are first scaled down to `grad_clip_norm` when that is positive and
    exceeded. Without gradients they count as zero. Returns metrics: "grad_norm:mean" (before clipping) and
    "step:max".
    ValueError, and no step, for a gradient that is not finite, or the state of another optimizer.
    """
    flat = adapter.flat
    grads = np.zeros_like(flat) if adapter.flat_grads is None else adapter.flat_grads
    if adapter.optimizer not in ("adamw", None):
        raise ValueError(f"the optimizer's state is that of {adapter.optimizer}, not of adamw")
    pieces = _pieces(flat)
    with exclusive() as team:
        norm, clip = clipped_norm(adapter, grads, params.grad_clip_norm)
        mean = np.zeros_like(flat) if adapter.flat_mean is None else adapter.flat_mean
        square = np.zeros_like(flat) if adapter.flat_square is None else adapter.flat_square
        step = adapter.step + 1

        def task(worker: int) -> None:
            spare: Array = np.empty(PIECE, flat.dtype)
            for p in pieces[worker :: team.size]:
                _update(flat[p], grads[p], mean[p], square[p], spare[: len(flat[p])], params, clip, step)

        team.run(task)
    adapter.flat_mean, adapter.flat_square, adapter.flat_grads, adapter.step = mean, square, None, step
    return {"grad_norm:mean": norm, "step:max": float(step)}


def clipped_norm(adapter: Adapter, grads: Array, most: float) -> tuple[float, float]:
    """Return a gradient's norm and the factor that brings it down to `most`; 0 or less is no bound.

    A gradient that is not finite is dropped with a ValueError.
    """
    norm = math.sqrt(sum(float(np.dot(grads[piece], grads[piece])) for piece in _pieces(grads)))
    if not math.isfinite(norm):
        adapter.flat_grads = None
        raise ValueError("the gradient is not finite; it was dropped and no step was taken")
    return norm, most / norm if 0.0 < most < norm else 1.0


def _pieces(flat: Array) -> list[slice]:
    return [slice(start, start + PIECE) for start in range(0, flat.size, PIECE)]


def _update(
    w: Array,
    grad: Array,
    mean: Array,
    square: Array,
    spare: Array,
    params: AdamParams,
    clip: float,
    step: int,
) -> None:
    """Move one piece; overwrites `grad`."""
    if clip != 1.0:
        grad *= clip
    mean *= params.beta1
    np.multiply(grad, 1.0 - params.beta1, out=spare)
    mean += spare
    square *= params.beta2
    grad *= grad
    grad *= 1.0 - params.beta2
    square += grad
    np.divide(square, 1.0 - params.beta2**step, out=spare)
    np.sqrt(spare, out=spare)
    spare += params.eps
    np.divide(mean, spare, out=spare)
    spare *= params.learning_rate / (1.0 - params.beta1**step)
    if params.weight_decay:
        w *= 1.0 - params.learning_rate * params.weight_decay
    w -= spare
