"""Owns causal attention over one sequence: forward and backward, one key head at a time.

Queries go in blocks, so that scores stay in the cache and keys that lie after a block are never read.
Queries come scaled by 1 / sqrt(head_dim). The backward pass recomputes probabilities from the saved
log-sums (Dao et al. 2022, FlashAttention, section 3.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = npt.NDArray[np.float32]

QUERY_BLOCK = 128
"""Queries whose scores are held at once, per head."""


class AttentionScratch:
    """One worker's arrays for sequences of up to `longest` tokens."""

    def __init__(self, group: int, head_dim: int, longest: int, dtype: npt.DTypeLike) -> None:
        rows = group * min(QUERY_BLOCK, longest)
        self.scores: Array = np.empty(rows * longest, dtype)
        self.weights: Array = np.empty(rows * longest, dtype)
        self.q: Array = np.empty((rows, head_dim), dtype)
        self.dout: Array = np.empty((rows, head_dim), dtype)
        self.mixed: Array = np.empty((rows, head_dim), dtype)
        self.keys: Array = np.empty((longest, head_dim), dtype)
        self.mask: Array = np.triu(np.full((QUERY_BLOCK, QUERY_BLOCK), -np.inf, dtype), 1)


def _blocks(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, QUERY_BLOCK):
        yield start, min(start + QUERY_BLOCK, length)


def _gather(x: Array, start: int, stop: int, out: Array) -> Array:
    """Copy rows start:stop of [tokens, heads, head_dim] head by head into one matrix."""
    rows = out[: x.shape[1] * (stop - start)]
    rows.reshape(x.shape[1], stop - start, -1)[...] = x[start:stop].transpose(1, 0, 2)
    return rows


def _scores(q: Array, k: Array, block: tuple[int, int], group: int, scratch: AttentionScratch) -> Array:
    """Write the masked scores [group, queries, keys] of a block of queries at the positions of `block`."""
    start, stop = block
    scores = scratch.scores[: len(q) * stop].reshape(len(q), stop)
    np.matmul(q, k[:stop].T, out=scores)
    heads = scores.reshape(group, stop - start, stop)
    heads[:, :, start:] += scratch.mask[: stop - start, : stop - start]
    return heads


def attend(q: Array, k: Array, v: Array, *, out: Array, log_sum: Array, scratch: AttentionScratch) -> None:
    """Attend with the query heads [tokens, group, head_dim] that share one key head [keys, head_dim].

    The queries are at the positions of the last keys. Writes `out` [tokens, group, head_dim] and `log_sum`
    [group, tokens].
    """
    group, past = q.shape[1], len(k) - len(q)
    for start, stop in _blocks(len(q)):
        seen = past + stop
        heads = _scores(_gather(q, start, stop, scratch.q), k, (past + start, seen), group, scratch)
        top = heads.max(axis=2)
        heads -= top[:, :, None]
        np.exp(heads, out=heads)
        total = heads.sum(axis=2)
        mixed = scratch.mixed[: group * (stop - start)]
        np.matmul(heads.reshape(-1, seen), v[:seen], out=mixed)
        mixed /= total.reshape(-1, 1)
        out[start:stop] = mixed.reshape(group, stop - start, -1).transpose(1, 0, 2)
        np.log(total, out=total)
        np.add(top, total, out=log_sum[:, start:stop])


def attend_backward(
    q: Array,
    k: Array,
    v: Array,
    out: Array,
    log_sum: Array,
    dout: Array,
    *,
    dq: Array,
    dk: Array,
    dv: Array,
    scratch: AttentionScratch,
) -> None:
    """Write the gradients by q, k and v; shapes as in `attend`.

    With P the probabilities: dv = P^T do, dP = do v^T, dS = P (dP - rowsum(do * out)), dq = dS k,
    dk = dS^T q.
    """
    group = q.shape[1]
    dk.fill(0.0)
    dv.fill(0.0)
    along = np.einsum("tgd,tgd->gt", dout, out)
    for start, stop in _blocks(len(q)):
        q_rows = _gather(q, start, stop, scratch.q)
        heads = _scores(q_rows, k, (start, stop), group, scratch)
        heads -= log_sum[:, start:stop, None]
        np.exp(heads, out=heads)
        probs = heads.reshape(-1, stop)
        dout_rows = _gather(dout, start, stop, scratch.dout)
        keys = scratch.keys[:stop]
        np.matmul(probs.T, dout_rows, out=keys)
        dv[:stop] += keys
        grad = scratch.weights[: len(probs) * stop].reshape(len(probs), stop)
        np.matmul(dout_rows, v[:stop].T, out=grad)
        grad.reshape(group, stop - start, stop)[...] -= along[:, start:stop, None]
        grad *= probs
        np.matmul(grad.T, q_rows, out=keys)
        dk[:stop] += keys
        mixed = scratch.mixed[: len(probs)]
        np.matmul(grad, k[:stop], out=mixed)
        dq[start:stop] = mixed.reshape(group, stop - start, -1).transpose(1, 0, 2)
