"""Owns the linear maps of a model with an adapter on top: y = x W^T + scale (x A^T) B^T, and its gradients.

A site is one frozen matrix, often several published ones side by side, with the adapter's matrices beside
it. Works on blocks of rows; must not know where in the model it stands.
"""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.config import ModelConfig, interleaved_rows
from tinsmith_local.engine.lora import Adapter, target_groups

Array = npt.NDArray[np.float32]


@attrs.frozen(eq=False)
class Site:
    """The adapter's share of one fused linear map."""

    names: tuple[str, ...]
    """Published modules in the order of the fused matrix's rows."""
    a: Array
    """[n * rank, in], a view of the parameters."""
    b: tuple[Array, ...]
    """[out_i, rank] each, rows in the engine's order."""
    starts: tuple[int, ...]
    """First column of each module in the fused output."""
    scale: float
    """Factor of the update."""

    @property
    def width(self) -> int:
        """Columns of x A^T."""
        return len(self.a)

    def add(self, x: Array, y: Array, *, inner: Array, spare: Array) -> None:
        """Add the adapter's output to `y`; leaves scale * x A^T in `inner` for `accumulate`."""
        np.matmul(x, self.a.T, out=inner)
        inner *= self.scale
        rank = self.b[0].shape[1]
        for index, (start, b) in enumerate(zip(self.starts, self.b, strict=True)):
            update = spare[: len(x), : len(b)]
            np.matmul(inner[:, index * rank : (index + 1) * rank], b.T, out=update)
            y[:, start : start + len(b)] += update

    def propagate(self, dy: Array, dx: Array | None, *, back: Array, spare: Array) -> None:
        """Write scale * dy B to `back` and add the adapter's share of the gradient by x to `dx`."""
        rank = self.b[0].shape[1]
        for index, (start, b) in enumerate(zip(self.starts, self.b, strict=True)):
            np.matmul(dy[:, start : start + len(b)], b, out=back[:, index * rank : (index + 1) * rank])
        back *= self.scale
        if dx is not None:
            update = spare[: len(dy), : self.a.shape[1]]
            np.matmul(back, self.a, out=update)
            dx += update

    def accumulate(self, dy: Array, x: Array, *, inner: Array, back: Array, grads: SiteGrads) -> None:
        """Add the parameter gradients of these rows; `inner` as `add` and `back` as `propagate` left it."""
        rank = self.b[0].shape[1]
        for index, (start, b) in enumerate(zip(self.starts, self.b, strict=True)):
            columns = inner[:, index * rank : (index + 1) * rank]
            grads.b[index] += dy[:, start : start + len(b)].T @ columns
        grads.a += back.T @ x


class SiteGrads:
    """One worker's gradient sums for one site."""

    def __init__(self, site: Site, rows: int) -> None:
        self.a: Array = np.zeros_like(site.a)
        self.b: list[Array] = [np.zeros_like(b) for b in site.b]
        self.back: Array = np.empty((rows, site.width), site.a.dtype)

    def reset(self) -> None:
        """Set the sums to zero."""
        self.a.fill(0.0)
        for b in self.b:
            b.fill(0.0)


@attrs.frozen(eq=False)
class LayerSites:
    """The adapted maps of one block; None where the adapter leaves a map alone."""

    qkv: Site | None = None
    """q, k and v from the normed residual."""
    o: Site | None = None
    """The attention's output."""
    gate_up: Site | None = None
    """Gate and up from the normed residual."""
    down: Site | None = None
    """The MLP's output."""

    @property
    def present(self) -> dict[str, Site]:
        """Those that exist, by name."""
        named = {"qkv": self.qkv, "o": self.o, "gate_up": self.gate_up, "down": self.down}
        return {name: site for name, site in named.items() if site is not None}


@attrs.frozen(eq=False)
class AdapterSites:
    """An adapter laid over a model, as one computation sees it: B's of q and k are reordered copies."""

    layers: tuple[LayerSites, ...]
    """One entry a block."""
    patch: Site | None
    """The projection of image patches."""
    unembed: Site | None
    """The unembedding."""


def _site(adapter: Adapter, names: tuple[str, ...], orders: tuple[npt.NDArray[np.intp] | None, ...]) -> Site:
    fused = adapter.fused_a(names)
    published = [adapter.params[f"{name}.lora_B.weight"] for name in names]
    b = tuple(p if order is None else p[order] for p, order in zip(published, orders, strict=True))
    starts = tuple(int(start) for start in np.cumsum([0, *(len(p) for p in published[:-1])]))
    return Site(names, fused, b, starts, adapter.spec.scale)


def lay_over(config: ModelConfig, adapter: Adapter | None) -> AdapterSites:
    """Lay an adapter over a model; None gives a model without one."""
    if adapter is None:
        return AdapterSites(tuple(LayerSites() for _ in range(config.num_layers)), None, None)
    q_order = interleaved_rows(config.head_dim, config.num_heads)
    k_order = interleaved_rows(config.head_dim, config.num_kv_heads)
    found: dict[str, Site] = {}
    for group in target_groups(config, adapter.spec):
        names = tuple(target.name for target in group)
        orders = (q_order, k_order, None) if names[0].endswith("q_proj") else (None,) * len(names)
        found[names[0]] = _site(adapter, names, orders)
    layers = tuple(
        LayerSites(
            found.get(f"model.layers.{index}.self_attn.q_proj"),
            found.get(f"model.layers.{index}.self_attn.o_proj"),
            found.get(f"model.layers.{index}.mlp.gate_proj"),
            found.get(f"model.layers.{index}.mlp.down_proj"),
        )
        for index in range(config.num_layers)
    )
    return AdapterSites(layers, found.get("vision.patch_proj"), found.get("lm_head"))


def collect(config: ModelConfig, site: Site, parts: list[SiteGrads], into: dict[str, Array]) -> None:
    """Add the workers' sums, in worker order, to gradients by published name."""
    rank = site.b[0].shape[1]
    for part in parts:
        for index, name in enumerate(site.names):
            into[f"{name}.lora_A.weight"] += part.a[index * rank : (index + 1) * rank]
            target = into[f"{name}.lora_B.weight"]
            if name.endswith(("q_proj", "k_proj")):
                heads = config.num_heads if name.endswith("q_proj") else config.num_kv_heads
                target[interleaved_rows(config.head_dim, heads)] += part.b[index]
            else:
                target += part.b[index]
