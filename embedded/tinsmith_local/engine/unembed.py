"""Owns the way from the last residual stream to logprobs of given tokens, and back.

Logits exist for a few rows at a time: each worker has its part of one small [rows, vocab] array and turns it
into probabilities and then into gradients in place. Must not know which loss asks.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.base_model import BaseModel
from tinsmith_local.engine.rows import rms_norm, rms_norm_backward
from tinsmith_local.engine.sites import Site, SiteGrads, collect
from tinsmith_local.engine.workers import Team, even_blocks

Array = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]
LossGradient = Callable[[Indices, npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""From rows and their logprobs [n, k] to the loss's gradient by each logprob [n, k]."""

LOGIT_BYTES = 96 * 1024 * 1024
"""Size of the one array of logits, all workers' parts together."""
VOCAB_BLOCK = 4096
"""Columns of logits computed at once, so that their maximum is taken while they are near."""
ROW_BLOCK = 256
"""Most rows of one worker's part."""
ROW_BYTES = 512 * 1024
"""Rows of logits that are walked through together stay below this."""


class _Scratch:
    """One worker's arrays."""

    def __init__(self, rows: int, hidden: int, site: Site | None, logits: Array) -> None:
        self.logits = logits
        dtype = logits.dtype
        self.normed: Array = np.empty((rows, hidden), dtype)
        self.grad: Array = np.empty((rows, hidden), dtype)
        self.spare: Array = np.empty((rows, max(hidden, VOCAB_BLOCK)), dtype)
        self.inverse: Array = np.empty(rows, dtype)
        self.inner: Array = np.empty((rows, site.width if site else 0), dtype)
        self.grads: SiteGrads | None = None


@attrs.frozen(eq=False)
class Unembedding:
    """Final norm and unembedding of one model with one adapter."""

    model: BaseModel
    site: Site | None
    team: Team

    def run(
        self,
        x: Array,
        targets: npt.NDArray[np.int64],
        rows: Indices,
        *,
        logprobs: npt.NDArray[np.float64],
        loss_gradient: LossGradient | None = None,
        dx: Array | None = None,
        grads: dict[str, Array] | None = None,
    ) -> None:
        """Write `logprobs` [tokens, k] of `targets` [tokens, k] at `rows`, and perhaps their gradient.

        The gradient by x at `rows` is written to `dx`, the adapter's is added to `grads`.
        """
        blocks, scratch = self._shared_out(len(rows), x)
        if not blocks:
            return
        if self.site is not None and grads is not None:
            for mine in scratch:
                mine.grads = SiteGrads(self.site, len(mine.logits))

        def task(worker: int) -> None:
            mine = scratch[worker]
            for block in blocks[worker :: self.team.size]:
                self.team.look_up()
                chosen = rows[block]
                part = x[chosen]
                total, found = self._probabilities(part, targets[chosen], mine)
                logprobs[chosen] = found
                if loss_gradient is not None and dx is not None:
                    by_logprob = loss_gradient(chosen, found)
                    dx[chosen] = self._backward(part, targets[chosen], by_logprob, total, mine)

        self.team.run(task)
        if grads is not None and self.site is not None:
            parts = [mine.grads for mine in scratch if mine.grads is not None]
            collect(self.model.config, self.site, parts, grads)

    def each(self, x: Array, visit: Callable[[int, Array], None]) -> None:
        """Call `visit(row, logits)` for every residual row, from any worker; then they are overwritten."""
        blocks, scratch = self._shared_out(len(x), x)

        def task(worker: int) -> None:
            mine = scratch[worker]
            for block in blocks[worker :: self.team.size]:
                self.logits(x[block], mine)
                for row in range(block.start, block.stop):
                    visit(row, mine.logits[row - block.start])

        if blocks:
            self.team.run(task)

    def _shared_out(self, rows: int, x: Array) -> tuple[list[slice], list[_Scratch]]:
        """Cut rows into blocks, dealt to the workers in turn, and give each worker arrays for the largest."""
        vocab, size = self.model.weights.unembed.shape[0], self.team.size
        most = max(8, min(ROW_BLOCK, LOGIT_BYTES // (x.itemsize * vocab * size)))
        blocks = even_blocks(rows, most, size)
        most = max((block.stop - block.start for block in blocks), default=0)
        logits = self.team.workspace.take("logits", (size, most, vocab), x.dtype)
        return blocks, [_Scratch(most, x.shape[1], self.site, part) for part in logits]

    def _probabilities(
        self, x: Array, targets: npt.NDArray[np.int64], mine: _Scratch
    ) -> tuple[Array, npt.NDArray[np.float64]]:
        """Leave exp(logits - max) in `mine.logits`; return each row's sum of it and the targets' logprobs."""
        top = self.logits(x, mine)
        logits = mine.logits[: len(x)]
        picked = np.take_along_axis(logits, targets, axis=1).astype(np.float64)
        total: Array = np.empty(len(x), x.dtype)
        for piece in _row_pieces(logits):
            part = logits[piece]
            part -= top[piece, None]
            np.exp(part, out=part)
            part.sum(axis=1, out=total[piece])
        return total, picked - top[:, None] - np.log(total.astype(np.float64))[:, None]

    def logits(self, x: Array, mine: _Scratch) -> Array:
        """Write the logits of residual rows to `mine.logits`; return each row's largest."""
        weights, site, rows = self.model.weights, self.site, len(x)
        normed, inner, out = mine.normed[:rows], mine.inner[:rows], mine.logits[:rows]
        rms_norm(x, weights.final_norm, self.model.config.rms_eps, out=normed, inverse=mine.inverse[:rows])
        top: Array = np.full(rows, -np.inf, x.dtype)
        if site is not None:
            np.matmul(normed, site.a.T, out=inner)
            inner *= site.scale
        for start in range(0, len(weights.unembed), VOCAB_BLOCK):
            block = weights.unembed[start : start + VOCAB_BLOCK]
            part = out[:, start : start + len(block)]
            np.matmul(normed, block.T, out=part)
            if site is not None:
                update = mine.spare[:rows, : len(block)]
                np.matmul(inner, site.b[0][start : start + len(block)].T, out=update)
                part += update
            np.maximum(top, part.max(axis=1), out=top)
        return top

    def _backward(
        self,
        x: Array,
        targets: npt.NDArray[np.int64],
        by_logprob: npt.NDArray[np.float64],
        total: Array,
        mine: _Scratch,
    ) -> Array:
        """Return the gradient by x; with c_k by logprob k, d logit_j = sum_k c_k (1[j = t_k] - p_j)."""
        rows = len(x)
        logits, normed, grad = mine.logits[:rows], mine.normed[:rows], mine.grad[:rows]
        factor = (-by_logprob.sum(axis=1) / total).astype(x.dtype)
        for piece in _row_pieces(logits):
            logits[piece] *= factor[piece, None]
        np.add.at(logits, (np.arange(rows)[:, None], targets), by_logprob.astype(x.dtype))
        weights = self.model.weights
        np.matmul(logits, weights.unembed, out=grad)
        if self.site is not None and mine.grads is not None:
            back = mine.grads.back[:rows]
            self.site.propagate(logits, grad, back=back, spare=mine.spare)
            self.site.accumulate(logits, normed, inner=mine.inner[:rows], back=back, grads=mine.grads)
        dx: Array = np.zeros_like(x)
        rms_norm_backward(grad, x, weights.final_norm, mine.inverse[:rows], dx=dx)
        return dx


def _row_pieces(logits: Array) -> list[slice]:
    step = max(1, ROW_BYTES // (logits.shape[1] * logits.itemsize))
    return [slice(start, min(start + step, len(logits))) for start in range(0, len(logits), step)]
