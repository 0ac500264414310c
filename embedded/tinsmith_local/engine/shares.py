"""Owns how the workers share a model's matrices out in generation, and the products of pieces with rows.

Each product is one row's own matrix-vector product over a piece whose bounds never change, so its bits do not
depend on what else is computed. Must not know what the matrices mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tinsmith_local.engine.base_model import BaseModel
    from tinsmith_local.engine.sites import Site

Array = npt.NDArray[np.float32]
Pieces = list[tuple[Array, slice]]

PIECE_BYTES = 384 * 1024
"""Part of a matrix that all rows pass over before the next is read; fits a core's second-level cache."""
GRAIN = 16
"""Shares of a matrix are cut at multiples of this many rows."""


def even_rows(count: int, worker: int, workers: int) -> slice:
    """Return one worker's part of range(count)."""
    return slice(count * worker // workers, count * (worker + 1) // workers)


def share(count: int, worker: int, workers: int) -> slice:
    """Return one worker's part of a matrix's rows, cut at multiples of `GRAIN`."""
    grains = -(-count // GRAIN)
    start, stop = (min(count, grains * index // workers * GRAIN) for index in (worker, worker + 1))
    return slice(start, stop)


def pieces(matrix: Array, rows: slice) -> Pieces:
    """Cut rows of a matrix into pieces [1, n, in], each with its place in the output."""
    step = max(GRAIN, PIECE_BYTES // (matrix.shape[1] * matrix.itemsize) // GRAIN * GRAIN)
    places = [slice(s, min(s + step, rows.stop)) for s in range(rows.start, rows.stop, step)]
    return [(matrix[None, place], place) for place in places]


def apply(parts: Pieces, x: Array, out: Array) -> None:
    """Write each row's product with each piece; x is [rows, in], out [rows, all outputs]."""
    if len(x) == 1:  # same bits; for a single product matmul keeps the GIL, and dot releases it
        for matrix, place in parts:
            np.dot(matrix[0], x[0], out=out[0, place])
        return
    columns = x[:, :, None]
    for matrix, place in parts:
        np.matmul(matrix, columns, out=out[:, place, None])


def apply_adapter(site: Site, x: Array, out: Array, place: slice) -> None:
    """Add an adapter's share of outputs `place`."""
    inner = np.matmul(site.a[None], x[:, :, None])
    inner *= site.scale
    add_updates(site, inner, out, place)


def add_updates(site: Site, inner: Array, out: Array, place: slice) -> None:
    """Add B times `inner` [rows, n * rank, 1] to outputs `place`."""
    rank = site.b[0].shape[1]
    for index, (start, b) in enumerate(zip(site.starts, site.b, strict=True)):
        low, high = max(place.start, start), min(place.stop, start + len(b))
        if low < high:
            part = inner[:, index * rank : (index + 1) * rank]
            out[:, low:high] += np.matmul(b[None, low - start : high - start], part)[:, :, 0]


@attrs.frozen(eq=False)
class LayerShare:
    """One worker's pieces of one block."""

    qkv: Pieces
    o: Pieces
    gate_up: Pieces
    down: Pieces
    """All outputs, from the worker's inner columns alone."""


class Share:
    """One worker's part of every matrix of a model."""

    def __init__(self, model: BaseModel, worker: int, workers: int) -> None:
        config, weights = model.config, model.weights
        inner = config.intermediate_size
        self.qkv = share(config.q_size + 2 * config.kv_size, worker, workers)
        self.inner = share(inner, worker, workers)
        self.up = slice(inner + self.inner.start, inner + self.inner.stop)
        self.o = share(config.hidden_size, worker, workers)
        self.vocab = share(config.vocab_size, worker, workers)
        self.layers = [
            LayerShare(
                pieces(layer.qkv, self.qkv),
                pieces(layer.o, self.o),
                pieces(layer.gate_up, self.inner) + pieces(layer.gate_up, self.up),
                pieces(layer.down[:, self.inner], slice(0, config.hidden_size)),
            )
            for layer in weights.layers
        ]
        self.unembed = pieces(weights.unembed, self.vocab)
