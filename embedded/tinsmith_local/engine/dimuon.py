"""Owns the Dimuon optimizer step. Changes an adapter's parameters in place, as `optim` does.

Published of Dimuon, in the API's reference of `DimuonParams`: a running mean of the gradient, its matrix sign
as direction, whose Frobenius norm is the root of the rank, one learning rate for all LoRA matrices, and
clipping as Adam's. The rest of its formula is not published: this is Muon (Jordan et al. 2024) on each LoRA
matrix by itself, with the exact matrix sign instead of an iteration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.optim import clipped_norm
from tinsmith_local.engine.workers import exclusive

if TYPE_CHECKING:
    from tinsmith_api.models import DimuonParams

    from tinsmith_local.engine.lora import Adapter

Array = npt.NDArray[np.float32]

FLATTEST = 1e-5
"""Directions whose singular value is below this share of the largest are rounding: they get no step."""


def dimuon_step(adapter: Adapter, params: DimuonParams) -> dict[str, float]:
    """Apply one Dimuon step from the accumulated gradients, then drop them.

    For each matrix W of the adapter: M = beta1 M + (1 - beta1) G, W = W - learning_rate sign(M). With
    M = U S V^T the sign is U V^T. Metrics and errors as `adam_step`'s; ValueError too when the adapter has
    the state of another optimizer.
    """
    if adapter.optimizer not in ("dimuon", None):
        raise ValueError(f"the optimizer's state is that of {adapter.optimizer}, not of dimuon")
    flat = adapter.flat
    grads = np.zeros_like(flat) if adapter.flat_grads is None else adapter.flat_grads
    with exclusive() as team:
        norm, clip = clipped_norm(adapter, grads, params.grad_clip_norm)
        mean = np.zeros_like(flat) if adapter.flat_mean is None else adapter.flat_mean
        mean *= params.beta1
        mean += grads * np.asarray((1.0 - params.beta1) * clip, flat.dtype)
        pairs = list(zip(adapter.params.values(), adapter.views(mean).values(), strict=True))

        def task(worker: int) -> None:
            for weights, momentum in pairs[worker :: team.size]:
                weights -= np.asarray(params.learning_rate, flat.dtype) * matrix_sign(momentum)

        team.run(task)
    adapter.flat_mean, adapter.flat_grads = mean, None
    adapter.step += 1
    return {"grad_norm:mean": norm, "step:max": float(adapter.step)}


def matrix_sign(matrix: Array) -> Array:
    """Return U V^T of a matrix U S V^T, without the directions that are zero but for rounding.

    Computed as (M M^T)^(-1/2) M in float64, from the shorter side.
    """
    wide = matrix if len(matrix) <= matrix.shape[1] else matrix.T
    scale = float(np.abs(wide).max())
    if not scale:
        return np.zeros_like(matrix)
    exact = wide.astype(np.float64) / scale
    squares, vectors = np.linalg.eigh(exact @ exact.T)
    kept = squares > squares[-1] * FLATTEST**2
    basis = vectors[:, kept]
    found = ((basis / np.sqrt(squares[kept])) @ (basis.T @ exact)).astype(matrix.dtype)
    sign: Array = found if wide is matrix else found.T
    return sign
