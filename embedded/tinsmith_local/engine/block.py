"""Owns one transformer block on one block of rows, all but its attention, forward and backward.

Reads and writes the tape; must not know how rows are dealt out or what the other rows hold.
"""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.base_model import LayerWeights
from tinsmith_local.engine.config import ModelConfig
from tinsmith_local.engine.rows import (
    norm_heads,
    rms_norm,
    rms_norm_backward,
    scale_rows,
    spare_rows,
    swiglu,
    swiglu_backward,
)
from tinsmith_local.engine.sites import LayerSites, SiteGrads
from tinsmith_local.engine.tape import Tape

Array = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex64]


class RowScratch:
    """One worker's arrays for blocks of up to `rows` rows."""

    def __init__(self, config: ModelConfig, rows: int, dtype: npt.DTypeLike) -> None:
        inner = config.intermediate_size
        qkv = config.q_size + 2 * config.kv_size
        small = (spare_rows(inner, np.dtype(dtype).itemsize), inner)
        self.normed: Array = np.empty((rows, config.hidden_size), dtype)
        self.grad: Array = np.empty((rows, config.hidden_size), dtype)
        self.hidden: Array = np.empty((rows, inner), dtype)
        self.hidden_grad: Array = np.empty((rows, inner), dtype)
        self.wide: Array = np.empty((rows, max(inner, qkv, config.hidden_size)), dtype)
        self.spare: Array = np.empty(small, dtype)
        self.spare2: Array = np.empty(small, dtype)


class LayerGrads:
    """One worker's gradient sums for the sites of one block."""

    def __init__(self, sites: LayerSites, rows: int) -> None:
        self.of = {name: SiteGrads(site, rows) for name, site in sites.present.items()}

    def reset(self) -> None:
        """Set all sums to zero."""
        for grads in self.of.values():
            grads.reset()


@attrs.frozen(eq=False)
class Block:
    """One transformer block with its adapter, over the rows of one tape."""

    config: ModelConfig
    layer: LayerWeights
    sites: LayerSites
    tape: Tape
    index: int
    rotate_q: Complex
    """[tokens, 1, head_dim / 2]: rotation and 1 / sqrt(head_dim)."""
    rotate_k: Complex
    """[tokens, 1, head_dim / 2]."""

    def before_attention(self, rows: slice, scratch: RowScratch) -> None:
        """Residual stream to rotated queries, keys, values."""
        x = self.tape.x(self.index)[rows]
        normed, qkv = scratch.normed[: len(x)], self.tape.at("qkv", self.index)[rows]
        inverse = self.tape.at("inverse_attn", self.index)[rows, 0]
        rms_norm(x, self.layer.attn_norm, self.config.rms_eps, out=normed, inverse=inverse)
        np.matmul(normed, self.layer.qkv.T, out=qkv)
        self._add("qkv", normed, qkv, rows, scratch)
        if self.layer.qkv_bias is not None:
            qkv += self.layer.qkv_bias
        if self.config.qk_norm:
            self._norm_heads(qkv, rows)
        q, k = self._complex_heads(qkv)
        q *= self.rotate_q[rows]
        k *= self.rotate_k[rows]

    def mlp_input(self, rows: slice, scratch: RowScratch) -> Array:
        """Attention's mix to the residual stream before the MLP, and on to gate and up; returns these."""
        tape, layer = self.tape, self.layer
        attn, mid = tape.at("attn", self.index)[rows], tape.at("mid", self.index)[rows]
        np.matmul(attn, layer.o.T, out=mid)
        self._add("o", attn, mid, rows, scratch)
        mid += tape.x(self.index)[rows]
        normed = scratch.normed[: len(mid)]
        inverse = tape.at("inverse_mlp", self.index)[rows, 0]
        rms_norm(mid, layer.mlp_norm, self.config.rms_eps, out=normed, inverse=inverse)
        gate_up = tape.at("gate_up", self.index)[rows]
        np.matmul(normed, layer.gate_up.T, out=gate_up)
        self._add("gate_up", normed, gate_up, rows, scratch)
        return gate_up

    def after_attention(self, rows: slice, scratch: RowScratch) -> None:
        """Attention's mix to the residual stream after the MLP."""
        gate_up = self.mlp_input(rows, scratch)
        out, hidden = self.tape.x(self.index + 1)[rows], scratch.hidden[: len(gate_up)]
        swiglu(*np.hsplit(gate_up, 2), out=hidden, spare=scratch.spare)
        np.matmul(hidden, self.layer.down.T, out=out)
        self._add("down", hidden, out, rows, scratch)
        out += self.tape.at("mid", self.index)[rows]

    def after_attention_again(self, rows: slice, scratch: RowScratch) -> None:
        """Write on the tape what `after_attention` wrote, without the block's output."""
        gate_up = self.mlp_input(rows, scratch)
        if self.sites.down is not None:
            hidden, inner = scratch.hidden[: len(gate_up)], self.tape.inner("down", self.index)[rows]
            swiglu(*np.hsplit(gate_up, 2), out=hidden, spare=scratch.spare)
            np.matmul(hidden, self.sites.down.a.T, out=inner)
            inner *= self.sites.down.scale

    def after_attention_backward(
        self, rows: slice, dx: Array, dattn: Array, grads: LayerGrads, scratch: RowScratch
    ) -> None:
        """Turn `dx`, by the block's output, into the gradient by its middle, and write `dattn`."""
        tape, layer = self.tape, self.layer
        mid, gate_up = tape.at("mid", self.index)[rows], tape.at("gate_up", self.index)[rows]
        hidden, dhidden = scratch.hidden[: len(mid)], scratch.hidden_grad[: len(mid)]
        np.matmul(dx, layer.down, out=dhidden)
        self._propagate("down", dx, dhidden, grads, scratch)
        swiglu_backward(gate_up, dhidden, h=hidden, spare=scratch.spare, spare2=scratch.spare2)
        self._accumulate("down", dx, hidden, rows, grads)
        normed, grad = scratch.normed[: len(mid)], scratch.grad[: len(mid)]
        inverse = tape.at("inverse_mlp", self.index)[rows, 0]
        np.matmul(gate_up, layer.gate_up, out=grad)
        if self.sites.gate_up is not None:
            self._propagate("gate_up", gate_up, grad, grads, scratch)
            scale_rows(mid, layer.mlp_norm, inverse, out=normed)
            self._accumulate("gate_up", gate_up, normed, rows, grads)
        rms_norm_backward(grad, mid, layer.mlp_norm, inverse, dx=dx)
        np.matmul(dx, layer.o, out=dattn)
        self._propagate("o", dx, dattn, grads, scratch)
        self._accumulate("o", dx, tape.at("attn", self.index)[rows], rows, grads)

    def before_attention_backward(
        self, rows: slice, dx: Array, dqkv: Array, grads: LayerGrads, scratch: RowScratch
    ) -> None:
        """Add the gradient that comes through queries, keys and values to `dx`; overwrites `dqkv`."""
        tape, layer = self.tape, self.layer
        q, k = self._complex_heads(dqkv)
        q *= self.rotate_q[rows].conj()
        k *= self.rotate_k[rows].conj()
        if self.config.qk_norm:
            self._norm_heads_backward(dqkv, rows)
        x, normed, grad = tape.x(self.index)[rows], scratch.normed[: len(dx)], scratch.grad[: len(dx)]
        inverse = tape.at("inverse_attn", self.index)[rows, 0]
        np.matmul(dqkv, layer.qkv, out=grad)
        if self.sites.qkv is not None:
            self._propagate("qkv", dqkv, grad, grads, scratch)
            scale_rows(x, layer.attn_norm, inverse, out=normed)
            self._accumulate("qkv", dqkv, normed, rows, grads)
        rms_norm_backward(grad, x, layer.attn_norm, inverse, dx=dx)

    def _add(self, name: str, x: Array, y: Array, rows: slice, scratch: RowScratch) -> None:
        site = self.sites.present.get(name)
        if site is not None:
            site.add(x, y, inner=self.tape.inner(name, self.index)[rows], spare=scratch.wide)

    def _propagate(self, name: str, dy: Array, dx: Array, grads: LayerGrads, scratch: RowScratch) -> None:
        site = self.sites.present.get(name)
        if site is not None:
            site.propagate(dy, dx, back=grads.of[name].back[: len(dy)], spare=scratch.wide)

    def _accumulate(self, name: str, dy: Array, x: Array, rows: slice, grads: LayerGrads) -> None:
        site = self.sites.present.get(name)
        if site is not None:
            inner = self.tape.inner(name, self.index)[rows]
            site.accumulate(dy, x, inner=inner, back=grads.of[name].back[: len(dy)], grads=grads.of[name])

    def _complex_heads(self, qkv: Array) -> tuple[Complex, Complex]:
        """View queries and keys [rows, heads, head_dim / 2] as complex numbers."""
        q_size, width = self.config.q_size, self.config.q_size + self.config.kv_size
        kind = np.result_type(qkv.dtype, np.complex64)
        q, k = qkv[:, :q_size].view(kind), qkv[:, q_size:width].view(kind)
        half = self.config.head_dim // 2
        return q.reshape(len(qkv), -1, half), k.reshape(len(qkv), -1, half)

    def _head_parts(self, qkv: Array) -> list[tuple[Array, Array, slice]]:
        """Heads of q and of k [rows, heads, head_dim], their norm weights and columns of "inverse_heads"."""
        assert self.layer.q_norm is not None
        assert self.layer.k_norm is not None
        q_size, heads = self.config.q_size, self.config.num_heads
        shape = (len(qkv), -1, self.config.head_dim)
        k = qkv[:, q_size : q_size + self.config.kv_size].reshape(shape)
        q = qkv[:, :q_size].reshape(shape)
        return [(q, self.layer.q_norm, slice(0, heads)), (k, self.layer.k_norm, slice(heads, None))]

    def _norm_heads(self, qkv: Array, rows: slice) -> None:
        """RMSNorm each q and k head in place, keeping the raw values on the tape."""
        raw, inverse = self.tape.at("raw", self.index)[rows], self.tape.at("inverse_heads", self.index)[rows]
        raw[...] = qkv[:, : raw.shape[1]]
        for heads, weight, columns in self._head_parts(qkv):
            inverse[:, columns] = norm_heads(heads, weight, self.config.rms_eps)

    def _norm_heads_backward(self, dqkv: Array, rows: slice) -> None:
        """Replace the gradient by normed q and k heads by the gradient by the raw ones."""
        raw, inverse = self.tape.at("raw", self.index)[rows], self.tape.at("inverse_heads", self.index)[rows]
        for (grad, weight, columns), (heads, _, _) in zip(
            self._head_parts(dqkv), self._head_parts(raw), strict=True
        ):
            scale = inverse[:, columns, None]
            grad *= weight
            along = np.einsum("thd,thd->th", grad, heads)[:, :, None]
            grad *= scale
            grad -= heads * (along * scale**3 / self.config.head_dim)
