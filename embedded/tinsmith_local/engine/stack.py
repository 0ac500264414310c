"""Owns the forward and backward pass through all blocks of a model for one packed batch of sequences.

Sequences lie one behind another without padding. Everything but attention works on blocks of rows, which are
dealt to the workers in a fixed order; attention works on one sequence and key head at a time. Must not know
what a loss is.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.attention import AttentionScratch, attend, attend_backward
from tinsmith_local.engine.block import Block, LayerGrads, RowScratch
from tinsmith_local.engine.config import rotations
from tinsmith_local.engine.sites import AdapterSites, SiteGrads, collect
from tinsmith_local.engine.tape import Keep, Tape
from tinsmith_local.engine.workers import Team, even_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tinsmith_local.engine.base_model import BaseModel
    from tinsmith_local.engine.batch import Example
    from tinsmith_local.engine.kv import KeyValues

Array = npt.NDArray[np.float32]

ROW_BLOCK = 512
"""Rows of one unit of work: long enough for BLAS, short enough that its arrays stay near the core."""


class Stack:
    """All blocks of a model over one packed batch: `forward`, then at most one `backward`.

    With a `past` the batch is one sequence's next tokens: `forward` writes their keys and values there, and
    no backward pass follows.
    """

    def __init__(
        self,
        model: BaseModel,
        sites: AdapterSites,
        examples: Sequence[Example],
        keep: Keep,
        team: Team,
        past: KeyValues | None = None,
    ) -> None:
        self._model, self._sites, self._team = model, sites, team
        self._examples, self._past = examples, past
        self._config = config = model.config
        self._dtype = model.weights.embed.dtype
        ends = np.cumsum([len(example.tokens) for example in examples])
        self.bounds = [slice(int(e - len(x.tokens)), int(e)) for e, x in zip(ends, examples, strict=True)]
        self.length = int(ends[-1])
        self.tape = Tape(config, sites.layers[0], self.length, keep, self._dtype, team.workspace)
        self._row_blocks = even_blocks(self.length, ROW_BLOCK, team.size)
        rows = max(block.stop - block.start for block in self._row_blocks)
        longest = max(len(example.tokens) for example in examples) + (past.length if past else 0)
        group = config.num_heads // config.num_kv_heads
        self._scratch = [RowScratch(config, rows, self._dtype) for _ in range(team.size)]
        self._attention = [
            AttentionScratch(group, config.head_dim, longest, self._dtype) for _ in range(team.size)
        ]
        self._grads = [
            [LayerGrads(sites.layers[0], rows) for _ in range(team.size)]
            for _ in range(2 if keep is not Keep.NOTHING else 0)
        ]
        self._blocks = self._make_blocks(longest)

    def _make_blocks(self, longest: int) -> list[Block]:
        positions = np.concatenate([np.arange(bound.stop - bound.start) for bound in self.bounds])
        if self._past is not None:
            positions += self._past.length
        table = rotations(self._config, 1 << (longest - 1).bit_length())[positions][:, None, :]
        kind = np.result_type(self._dtype, np.complex64)
        rotate_k = table.astype(kind)
        rotate_q = rotate_k * self._dtype.type(self._config.head_dim**-0.5)
        layers = zip(self._model.weights.layers, self._sites.layers, strict=True)
        return [
            Block(self._config, layer, sites, self.tape, index, rotate_q, rotate_k)
            for index, (layer, sites) in enumerate(layers)
        ]

    def forward(self) -> Array:
        """Run all blocks; return the residual stream [tokens, hidden] after the last."""
        self._embed()
        self._each_rows(partial(self._start, self._blocks[0]))
        for block in self._blocks:
            self._attend(block.index)
            self._each_rows(partial(self._finish, block))
        if self._past is not None:
            self._past.length += self.length
        return self.tape.x(self._config.num_layers)

    def _start(self, block: Block, rows: slice, worker: int) -> None:
        block.before_attention(rows, self._scratch[worker])

    def _finish(self, block: Block, rows: slice, worker: int) -> None:
        """Rest of a block, and the start of the next while its rows are near."""
        block.after_attention(rows, self._scratch[worker])
        if block.index + 1 < len(self._blocks):
            self._start(self._blocks[block.index + 1], rows, worker)

    def backward(self, dx: Array, grads: dict[str, Array]) -> None:
        """Carry `dx`, by what `forward` returned, down to the adapter's `grads`; overwrites `dx`."""
        config = self._config
        dattn = self._team.workspace.take("dattn", (self.length, config.q_size), self._dtype)
        dqkv = self._team.workspace.take(
            "dqkv", (self.length, config.q_size + 2 * config.kv_size), self._dtype
        )
        top = self._blocks[-1]
        self._again(top)
        self._each_rows(partial(self._start_back, top, dx, dattn))
        for block in reversed(self._blocks):
            self._attend_backward(block.index, dattn, dqkv)
            below = self._blocks[block.index - 1] if block.index else None
            if below is None or self.tape.keep is not Keep.ALL:
                self._each_rows(partial(self._end_back, block, dx, dqkv))
                if below is not None:
                    self._again(below)
                    self._each_rows(partial(self._start_back, below, dx, dattn))
            else:
                self._each_rows(partial(self._both_back, block, below, dx, dattn, dqkv))
            self._collect(block, grads)
        self._embed_backward(dx, grads)

    def _both_back(
        self, block: Block, below: Block, dx: Array, dattn: Array, dqkv: Array, rows: slice, worker: int
    ) -> None:
        self._end_back(block, dx, dqkv, rows, worker)
        self._start_back(below, dx, dattn, rows, worker)

    def _start_back(self, block: Block, dx: Array, dattn: Array, rows: slice, worker: int) -> None:
        grads = self._grads[block.index % 2][worker]
        block.after_attention_backward(rows, dx[rows], dattn[rows], grads, self._scratch[worker])

    def _end_back(self, block: Block, dx: Array, dqkv: Array, rows: slice, worker: int) -> None:
        grads = self._grads[block.index % 2][worker]
        block.before_attention_backward(rows, dx[rows], dqkv[rows], grads, self._scratch[worker])

    def _again(self, block: Block) -> None:
        """Compute what a block wrote on the tape once more, if it was not kept."""
        if self.tape.keep is Keep.ALL:
            return
        self._each_rows(partial(self._start, block))
        self._attend(block.index)
        self._each_rows(lambda rows, worker: block.after_attention_again(rows, self._scratch[worker]))

    def _collect(self, block: Block, grads: dict[str, Array]) -> None:
        """Move the workers' sums of one block into the adapter's gradients."""
        workers = self._grads[block.index % 2]
        for name, site in block.sites.present.items():
            collect(self._config, site, [worker.of[name] for worker in workers], grads)
        for worker in workers:
            worker.reset()

    def _each_rows(self, work: Callable[[slice, int], None]) -> None:
        """Deal the blocks of rows to the workers."""

        def task(worker: int) -> None:
            for rows in self._row_blocks[worker :: self._team.size]:
                self._team.look_up()
                work(rows, worker)

        self._team.run(task)

    def _each_head(self, work: Callable[[slice, int, int], None]) -> None:
        """Give pairs of sequence and key head, longest first, to the next free worker."""
        bounds = sorted(self.bounds, key=lambda bound: bound.start - bound.stop)
        waiting = deque((bound, head) for bound in bounds for head in range(self._config.num_kv_heads))

        def task(worker: int) -> None:
            while True:
                try:
                    bound, head = waiting.popleft()
                except IndexError:
                    return
                self._team.look_up()
                work(bound, head, worker)

        self._team.run(task)

    def _heads(self, array: Array) -> tuple[Array, Array, Array]:
        """View [tokens, q + k + v] as q [tokens, kv heads, group, dim], k and v [tokens, kv heads, dim]."""
        config = self._config
        q, k = config.q_size, config.kv_size
        shape = (self.length, config.num_kv_heads, -1)
        return (
            array[:, :q].reshape(*shape, config.head_dim),
            array[:, q : q + k].reshape(shape),
            array[:, q + k :].reshape(shape),
        )

    def _grouped(self, array: Array) -> Array:
        return array.reshape(self.length, self._config.num_kv_heads, -1, self._config.head_dim)

    def _log_sums(self, index: int) -> Array:
        return self.tape.at("log_sum", index).reshape(self._config.num_kv_heads, -1, self.length)

    def _attend(self, index: int) -> None:
        q, k, v = self._heads(self.tape.at("qkv", index))
        out, sums = self._grouped(self.tape.at("attn", index)), self._log_sums(index)
        past = self._past
        if past is not None:
            past.write(index, slice(past.length, past.length + self.length), k, v)

        def work(t: slice, h: int, worker: int) -> None:
            scratch = self._attention[worker]
            keys, values = k[t, h], v[t, h]
            if past is not None:
                keys, values = past.head(index, h, past.length + self.length)
            attend(q[t, h], keys, values, out=out[t, h], log_sum=sums[h, :, t], scratch=scratch)

        self._each_head(work)

    def _attend_backward(self, index: int, dattn: Array, dqkv: Array) -> None:
        q, k, v = self._heads(self.tape.at("qkv", index))
        dq, dk, dv = self._heads(dqkv)
        out, dout, sums = (
            self._grouped(self.tape.at("attn", index)),
            self._grouped(dattn),
            self._log_sums(index),
        )

        def work(t: slice, h: int, worker: int) -> None:
            attend_backward(
                q[t, h], k[t, h], v[t, h], out[t, h], sums[h, :, t], dout[t, h],
                dq=dq[t, h], dk=dk[t, h], dv=dv[t, h], scratch=self._attention[worker],
            )  # fmt: skip

        self._each_head(work)

    def _image_rows(self) -> tuple[npt.NDArray[np.intp], Array]:
        """Rows that come from image patches, and those patches."""
        spans = [
            (b.start, span) for b, x in zip(self.bounds, self._examples, strict=True) for span in x.images
        ]
        rows = [np.arange(len(span.patches)) + start + span.start for start, span in spans]
        return np.concatenate(rows), np.concatenate([span.patches for _, span in spans]).astype(self._dtype)

    def _embed(self) -> None:
        weights = self._model.weights
        tokens = np.concatenate([example.tokens for example in self._examples])
        x = self.tape.x(0)
        np.take(weights.embed, tokens, axis=0, out=x, mode="clip")
        if any(example.images for example in self._examples):
            assert weights.patch is not None
            rows, patches = self._image_rows()
            embedded = patches @ weights.patch.T
            site = self._sites.patch
            if site is not None:
                inner, spare = np.empty((len(rows), site.width), self._dtype), np.empty_like(embedded)
                site.add(patches, embedded, inner=inner, spare=spare)
            x[rows] = embedded

    def _embed_backward(self, dx: Array, grads: dict[str, Array]) -> None:
        site = self._sites.patch
        if site is None or not any(example.images for example in self._examples):
            return
        rows, patches = self._image_rows()
        sums = SiteGrads(site, len(rows))
        inner = patches @ site.a.T
        inner *= site.scale
        dy = dx[rows]
        site.propagate(dy, None, back=sums.back, spare=dy)
        site.accumulate(dy, patches, inner=inner, back=sums.back, grads=sums)
        collect(self._config, site, [sums], grads)
