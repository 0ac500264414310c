"""Owns one step of generation: the next token's logits for each of several sequences of one model.

Every row is computed by itself (see `shares`), so its bits cannot depend on which other rows are there. The
workers share each matrix out between them and meet four times a block.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.config import rotations
from tinsmith_local.engine.kv import KeyValues
from tinsmith_local.engine.lora import Adapter
from tinsmith_local.engine.rows import norm_heads, rms_norm, spare_rows, swiglu
from tinsmith_local.engine.shares import Share, add_updates, apply, apply_adapter, even_rows
from tinsmith_local.engine.sites import AdapterSites, lay_over
from tinsmith_local.engine.workers import Team, aligned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tinsmith_local.engine.base_model import BaseModel

Array = npt.NDArray[np.float32]


@attrs.frozen(eq=False)
class Row:
    """One sequence in a step."""

    token: int
    """Its newest token, not yet seen by the model."""
    cache: KeyValues
    """What the model has seen; the step adds the token."""
    adapter: Adapter | None
    """Whose adapter."""


class Decoder:
    """Steps sequences of one model; keeps its arrays between steps."""

    def __init__(self, model: BaseModel, team: Team) -> None:
        self._model, self._team = model, team
        self._shares = [Share(model, worker, team.size) for worker in range(team.size)]
        self._sites: WeakKeyDictionary[Adapter, AdapterSites] = WeakKeyDictionary()
        self._plain = lay_over(model.config, None)
        self._rows = 0

    def step(self, rows: Sequence[Row], finish: Callable[[int, Array], None]) -> None:
        """Show each sequence its newest token; call `finish(index, logits)` for each, from any worker.

        Rows with the same adapter should be neighbours. The logits are overwritten by the next step.
        """
        self._grow(len(rows))
        step = _Step(self, rows)

        def task(worker: int) -> None:
            step.run(worker)
            for index in range(*even_rows(len(rows), worker, self._team.size).indices(len(rows))):
                finish(index, self.logits[index])

        self._team.run(task)
        for row in rows:
            row.cache.length += 1

    def sites(self, adapter: Adapter | None) -> AdapterSites:
        """Lay an adapter over the model, once."""
        if adapter is None:
            return self._plain
        if adapter not in self._sites:
            self._sites[adapter] = lay_over(self._model.config, adapter)
        return self._sites[adapter]

    def unembed(self, residual: Array, adapters: Sequence[Adapter | None]) -> Array:
        """Return the logits [rows, vocab] that follow residual rows, computed as in `step`."""
        weights = self._model.weights
        normed, inverse = np.empty_like(residual), np.empty(len(residual), residual.dtype)
        rms_norm(residual, weights.final_norm, self._model.config.rms_eps, out=normed, inverse=inverse)
        logits: Array = np.empty((len(residual), self._model.config.vocab_size), residual.dtype)
        groups = self.grouped(adapters)

        def task(worker: int) -> None:
            share = self._shares[worker]
            apply(share.unembed, normed, logits)
            for rows, sites in groups:
                if sites.unembed is not None:
                    apply_adapter(sites.unembed, normed[rows], logits[rows], share.vocab)

        self._team.run(task)
        return logits

    def grouped(self, adapters: Sequence[Adapter | None]) -> list[tuple[slice, AdapterSites]]:
        """Return each run of rows with the same adapter, and that adapter laid over the model."""
        groups: list[tuple[slice, AdapterSites]] = []
        for adapter, members in groupby(adapters):
            start = groups[-1][0].stop if groups else 0
            groups.append((slice(start, start + len(list(members))), self.sites(adapter)))
        return groups

    def _grow(self, rows: int) -> None:
        """Make the arrays fit so many rows."""
        if rows <= self._rows:
            return
        self._rows = rows
        config, size = self._model.config, self._team.size
        dtype = self._model.weights.embed.dtype
        hidden, inner, groups = config.hidden_size, config.intermediate_size, config.num_kv_heads

        def array(*shape: int) -> Array:
            return aligned(shape, dtype)

        self.x, self.normed, self.down = (array(size, rows, hidden) for _ in range(3))
        self.inverse = array(size, rows)
        self.qkv = array(rows, config.q_size + 2 * config.kv_size)
        self.attn = array(rows, config.q_size)
        self.mixed = array(rows, groups, config.num_heads // groups, config.head_dim + 1)
        self.o = array(rows, hidden)
        self.gate_up = array(rows, 2 * inner)
        self.hidden = array(size, rows, inner)
        narrowest = min(share.inner.stop - share.inner.start for share in self._shares)
        self.spare = array(size, spare_rows(max(1, narrowest), dtype.itemsize), inner)
        self.logits = array(rows, config.vocab_size)


class _Step:
    """One step over given rows."""

    def __init__(self, decoder: Decoder, rows: Sequence[Row]) -> None:
        self._d, self._rows = decoder, rows
        self._model, self._team = decoder._model, decoder._team
        self._count = len(rows)
        self._groups = decoder.grouped([row.adapter for row in rows])
        config, dtype = self._model.config, decoder.logits.dtype
        self._positions = [row.cache.length for row in rows]
        self._longest = max(self._positions) + 1
        table = rotations(config, 1 << (self._longest - 1).bit_length())[self._positions][:, None, :]
        self._rotate_k = table.astype(np.result_type(dtype, np.complex64))
        self._rotate_q = self._rotate_k * dtype.type(config.head_dim**-0.5)
        self._tokens = np.array([row.token for row in rows])
        for row in rows:
            row.cache.room_for(row.cache.length + 1)
        ranks = [sites.layers[0].down.width for _, sites in self._groups if sites.layers[0].down is not None]
        self._down_inner: Array = np.zeros((self._team.size, self._count, max(ranks, default=0), 1), dtype)

    def run(self, worker: int) -> None:
        """Do one worker's part of the step."""
        d, count, team = self._d, self._count, self._team
        x, normed, inverse = d.x[worker, :count], d.normed[worker, :count], d.inverse[worker, :count]
        weights, eps = self._model.weights, self._model.config.rms_eps
        np.take(weights.embed, self._tokens, axis=0, out=x, mode="clip")
        mine = even_rows(count, worker, team.size)
        scores = np.empty((mine.stop - mine.start) * self._model.config.num_heads * self._longest, x.dtype)
        for index, layer in enumerate(weights.layers):
            rms_norm(x, layer.attn_norm, eps, out=normed, inverse=inverse)
            self._project_qkv(worker, index, normed)
            team.meet(worker)
            self._attend(index, mine, scores)
            team.meet(worker)
            self._project_o(worker, index)
            team.meet(worker)
            x += d.o[:count]
            rms_norm(x, layer.mlp_norm, eps, out=normed, inverse=inverse)
            self._mlp(worker, index, normed)
            team.meet(worker)
            for part in d.down[:, :count]:
                x += part
            self._add_down(index, x)
        rms_norm(x, weights.final_norm, eps, out=normed, inverse=inverse)
        place, logits = d._shares[worker].vocab, d.logits[:count]
        apply(d._shares[worker].unembed, normed, logits)
        for rows, sites in self._groups:
            if sites.unembed is not None:
                apply_adapter(sites.unembed, normed[rows], logits[rows], place)
        team.meet(worker)

    def _project_qkv(self, worker: int, index: int, normed: Array) -> None:
        share, qkv = self._d._shares[worker], self._d.qkv[: self._count]
        apply(share.layers[index].qkv, normed, qkv)
        for rows, sites in self._groups:
            site = sites.layers[index].qkv
            if site is not None:
                apply_adapter(site, normed[rows], qkv[rows], share.qkv)
        bias = self._model.weights.layers[index].qkv_bias
        if bias is not None:
            qkv[:, share.qkv] += bias[share.qkv]

    def _project_o(self, worker: int, index: int) -> None:
        share, attn, o = self._d._shares[worker], self._d.attn[: self._count], self._d.o[: self._count]
        apply(share.layers[index].o, attn, o)
        for rows, sites in self._groups:
            site = sites.layers[index].o
            if site is not None:
                apply_adapter(site, attn[rows], o[rows], share.o)

    def _mlp(self, worker: int, index: int, normed: Array) -> None:
        """Compute one worker's inner columns and what they add to the output."""
        d, share, count = self._d, self._d._shares[worker], self._count
        gate_up = d.gate_up[:count]
        apply(share.layers[index].gate_up, normed, gate_up)
        for rows, sites in self._groups:
            site = sites.layers[index].gate_up
            if site is not None:
                inner = np.matmul(site.a[None], normed[rows][:, :, None])
                inner *= site.scale
                add_updates(site, inner, gate_up[rows], share.inner)
                add_updates(site, inner, gate_up[rows], share.up)
        width = share.inner.stop - share.inner.start
        hidden = d.hidden[worker].reshape(-1)[: count * width].reshape(count, width)
        swiglu(gate_up[:, share.inner], gate_up[:, share.up], out=hidden, spare=d.spare[worker][:, :width])
        apply(share.layers[index].down, hidden, d.down[worker, :count])
        for rows, sites in self._groups:
            site = sites.layers[index].down
            if site is not None:
                out = self._down_inner[worker, rows, : site.width]
                np.matmul(site.a[None, :, share.inner], hidden[rows][:, :, None], out=out)

    def _add_down(self, index: int, x: Array) -> None:
        """Add the adapter's share of the MLP's output, once all workers' parts of its input are there."""
        for rows, sites in self._groups:
            site = sites.layers[index].down
            if site is not None:
                inner = self._down_inner[0, rows, : site.width].copy()
                for part in self._down_inner[1:, rows, : site.width]:
                    inner += part
                inner *= site.scale
                add_updates(site, inner, x[rows], slice(0, x.shape[1]))

    def _attend(self, index: int, mine: slice, spare: Array) -> None:
        """Attend with some of the rows; each reads its own cache."""
        if mine.start == mine.stop:
            return
        config, d = self._model.config, self._d
        q_size, k_size, half = config.q_size, config.kv_size, config.head_dim // 2
        qkv = d.qkv[mine]
        layer = self._model.weights.layers[index]
        if layer.q_norm is not None and layer.k_norm is not None:
            for part, weight in (
                (qkv[:, :q_size], layer.q_norm),
                (qkv[:, q_size : q_size + k_size], layer.k_norm),
            ):
                norm_heads(part.reshape(len(qkv), -1, config.head_dim), weight, config.rms_eps)
        rotated = qkv[:, : q_size + k_size].view(self._rotate_k.dtype).reshape(len(qkv), -1, half)
        rotated[:, : config.num_heads] *= self._rotate_q[mine]
        rotated[:, config.num_heads :] *= self._rotate_k[mine]
        groups = (len(qkv), config.num_kv_heads, -1, config.head_dim)
        q, k, v = (qkv[:, a:b].reshape(groups) for a, b in self._bounds())
        shape = (len(qkv), config.num_kv_heads, q.shape[2], self._longest)
        scores = spare[: q.size // config.head_dim * self._longest].reshape(shape)
        positions = self._positions[mine]
        if min(positions) + 1 < self._longest:
            scores.fill(-np.inf)
        for i, position in enumerate(positions):
            cache = self._rows[mine.start + i].cache
            keys, values = cache.keys[index], cache.values[index]
            keys[:, position], values[:, position, :-1] = k[i, :, 0], v[i, :, 0]
            seen = position + 1
            np.matmul(q[i], keys[:, :seen].swapaxes(1, 2), out=scores[i, :, :, :seen])
        scores -= scores.max(axis=3, keepdims=True)
        np.exp(scores, out=scores)
        mixed = d.mixed[mine]
        for i, position in enumerate(positions):
            values = self._rows[mine.start + i].cache.values[index]
            np.matmul(scores[i, :, :, : position + 1], values[:, : position + 1], out=mixed[i])
        np.divide(mixed[..., :-1], mixed[..., -1:], out=d.attn[mine].reshape(*mixed.shape[:3], -1))

    def _bounds(self) -> tuple[tuple[int, int], ...]:
        q, k = self._model.config.q_size, self._model.config.kv_size
        return (0, q), (q, q + k), (q + k, q + 2 * k)
