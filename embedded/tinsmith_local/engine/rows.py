"""Owns the element-wise work on blocks of rows: RMSNorm and SwiGLU, forward and backward.

Each function goes through its rows in pieces that stay in a core's cache, and writes into arrays that the
caller owns. Must not know about layers, adapters or batches.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

CACHE_BYTES = 384 * 1024
"""Working set of one piece; well below the second-level cache of current cores (512 kB to 2 MB)."""


def _pieces(rows: int, row_bytes: int) -> list[slice]:
    step = max(1, CACHE_BYTES // max(1, row_bytes))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def rms_norm(x: Array, weight: Array, eps: float, *, out: Array, inverse: Array) -> None:
    """Write x / rms(x) * weight to `out` and 1 / rms(x) to `inverse` [rows]."""
    np.einsum("ij,ij->i", x, x, out=inverse)
    inverse /= x.shape[1]
    inverse += eps
    np.sqrt(inverse, out=inverse)
    np.reciprocal(inverse, out=inverse)
    scale_rows(x, weight, inverse, out=out)


def scale_rows(x: Array, weight: Array, inverse: Array, *, out: Array) -> None:
    """Write x * inverse[:, None] * weight to `out`: the norm again, from its saved root."""
    for piece in _pieces(len(x), 2 * x.itemsize * x.shape[1]):
        part = out[piece]
        np.multiply(x[piece], inverse[piece, None], out=part)
        part *= weight


def rms_norm_backward(dy: Array, x: Array, weight: Array, inverse: Array, *, dx: Array) -> None:
    """Add the gradient by x to `dx`; overwrites `dy`.

    With g = dy * weight and s = 1 / rms(x): dx = s g - x s^3 mean(g x).
    """
    dy *= weight
    along = np.einsum("ij,ij->i", dy, x)
    along *= inverse * inverse * inverse
    along /= x.shape[1]
    for piece in _pieces(len(x), 4 * x.itemsize * x.shape[1]):
        part = dy[piece]
        part *= inverse[piece, None]
        dx[piece] += part
        np.multiply(x[piece], along[piece, None], out=part)
        dx[piece] -= part


def norm_heads(heads: Array, weight: Array, eps: float) -> Array:
    """RMSNorm each head of [rows, heads, head_dim] in place; return 1 / rms [rows, heads]."""
    inverse: Array = np.einsum("thd,thd->th", heads, heads)
    inverse /= heads.shape[2]
    inverse += eps
    np.sqrt(inverse, out=inverse)
    np.reciprocal(inverse, out=inverse)
    heads *= inverse[:, :, None]
    heads *= weight
    return inverse


def swiglu(gate: Array, up: Array, *, out: Array, spare: Array) -> None:
    """Write silu(gate) * up to `out`."""
    for piece in _pieces(len(out), 4 * out.itemsize * out.shape[1]):
        result = out[piece]
        decay = spare[: len(result)]
        np.negative(gate[piece], out=decay)
        np.exp(decay, out=decay)
        decay += 1.0
        np.divide(gate[piece], decay, out=result)
        result *= up[piece]


def swiglu_backward(gate_up: Array, dh: Array, *, h: Array, spare: Array, spare2: Array) -> None:
    """Replace `gate_up` by its gradient, given `dh`; leaves silu(gate) * up in `h`.

    With s = sigmoid(gate): d silu / d gate = s (1 + gate (1 - s)).
    """
    width = h.shape[1]
    for piece in _pieces(len(h), 6 * h.itemsize * width):
        gate, up = gate_up[piece, :width], gate_up[piece, width:]
        grad, result = dh[piece], h[piece]
        sigmoid, silu = spare[: len(result)], spare2[: len(result)]
        np.negative(gate, out=sigmoid)
        np.exp(sigmoid, out=sigmoid)
        sigmoid += 1.0
        np.reciprocal(sigmoid, out=sigmoid)
        np.multiply(gate, sigmoid, out=silu)
        np.multiply(silu, up, out=result)
        np.multiply(silu, sigmoid, out=gate)
        np.subtract(silu, gate, out=gate)
        gate += sigmoid
        gate *= grad
        gate *= up
        np.multiply(silu, grad, out=up)


def spare_rows(width: int, itemsize: int) -> int:
    """Rows that `spare` arrays of the functions above must have for this width."""
    return max(1, CACHE_BYTES // (4 * itemsize * width))
