"""Owns a loaded base model: its shape, and its frozen weights in the engine's layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.config import ModelConfig, interleaved_rows

Array = npt.NDArray[np.float32]
Get = Callable[[str], npt.NDArray[np.generic]]


@attrs.frozen(kw_only=True, eq=False)
class LayerWeights:
    """One block; matrices are [out, in]."""

    attn_norm: Array
    """[hidden]."""
    qkv: Array
    """[q + k + v, hidden]; the rows of each q and k head are reordered (see `Weights`)."""
    qkv_bias: Array | None
    """[q + k + v], reordered alike, or None."""
    q_norm: Array | None
    """[head_dim], reordered alike, or None."""
    k_norm: Array | None
    """[head_dim], reordered alike, or None."""
    o: Array
    """[hidden, q]."""
    mlp_norm: Array
    """[hidden]."""
    gate_up: Array
    """[2 * intermediate, hidden]: gate first."""
    down: Array
    """[hidden, intermediate]."""


@attrs.frozen(kw_only=True, eq=False)
class Weights:
    """All base weights, float32.

    Inside each q and k head the two halves that a rotation mixes are interleaved, so that a rotation is one
    complex product. Adapters keep the published order; `ModelConfig` and tensor names are Hugging Face's.
    """

    embed: Array
    """[vocab, hidden]."""
    layers: tuple[LayerWeights, ...]
    """From the input to the output."""
    final_norm: Array
    """[hidden]."""
    unembed: Array
    """[vocab, hidden]; the same array as `embed` when tied."""
    patch: Array | None = None
    """[hidden, patch_dim]: the projection of image patches, or None."""

    @classmethod
    def from_tensors(cls, config: ModelConfig, get: Get, *, dtype: npt.DTypeLike = np.float32) -> Weights:
        """Build from tensors under Hugging Face names ("model.layers.0.self_attn.q_proj.weight", ...).

        `get` returns the array of a name in any float dtype, or raises KeyError; each name is read once.
        Not read: "lm_head.weight" when tied, biases and q/k norms where the config has none.
        "vision.patch_proj.weight" [hidden, patch_dim] is read when `config.patch_dim` > 0.
        ValueError names a tensor whose shape does not fit the config or that holds NaN or infinity.
        """
        reader = _Reader(get, dtype)
        hidden = config.hidden_size
        embed = reader.stack({"model.embed_tokens.weight": (config.vocab_size, hidden)})
        layers = tuple(_layer(config, reader, index) for index in range(config.num_layers))
        final_norm = reader.stack({"model.norm.weight": (hidden,)})
        tied = config.tie_embeddings
        unembed = embed if tied else reader.stack({"lm_head.weight": (config.vocab_size, hidden)})
        patch = None
        if config.patch_dim:
            patch = reader.stack({"vision.patch_proj.weight": (hidden, config.patch_dim)})
        return cls(embed=embed, layers=layers, final_norm=final_norm, unembed=unembed, patch=patch)


@attrs.frozen(kw_only=True, eq=False)
class BaseModel:
    """A base model that many adapters share; never changed after it is built."""

    config: ModelConfig
    """Its shape."""
    weights: Weights
    """Its numbers."""


@attrs.frozen
class _Reader:
    """Copies named tensors into new arrays and checks them."""

    get: Get
    dtype: npt.DTypeLike

    def stack(
        self, shapes: Mapping[str, tuple[int, ...]], orders: tuple[npt.NDArray[np.intp] | None, ...] = (None,)
    ) -> Array:
        """Read tensors, reorder their rows and lay them one below another."""
        rows = sum(shape[0] for shape in shapes.values())
        out: Array = np.empty((rows, *next(iter(shapes.values()))[1:]), self.dtype)
        start = 0
        for (name, shape), order in zip(shapes.items(), orders, strict=True):
            tensor = self.get(name)
            if tensor.shape != shape:
                raise ValueError(f"tensor {name} has shape {tensor.shape}, the model's config says {shape}")
            part = out[start : start + shape[0]]
            part[...] = tensor if order is None else tensor[order]
            if not np.isfinite(part).all():
                raise ValueError(f"tensor {name} holds NaN or infinity")
            start += shape[0]
        return out


def _layer(config: ModelConfig, reader: _Reader, index: int) -> LayerWeights:
    base, hidden, inner = f"model.layers.{index}", config.hidden_size, config.intermediate_size
    attn, mlp = f"{base}.self_attn", f"{base}.mlp"
    heads = {"q": config.num_heads, "k": config.num_kv_heads, "v": config.num_kv_heads}
    orders = (
        interleaved_rows(config.head_dim, config.num_heads),
        interleaved_rows(config.head_dim, config.num_kv_heads),
        None,
    )
    one_head = interleaved_rows(config.head_dim, 1)
    sizes = {letter: count * config.head_dim for letter, count in heads.items()}
    qkv = {f"{attn}.{letter}_proj.weight": (size, hidden) for letter, size in sizes.items()}
    bias = {f"{attn}.{letter}_proj.bias": (size,) for letter, size in sizes.items()}
    norms = [
        reader.stack({f"{attn}.{letter}_norm.weight": (config.head_dim,)}, (one_head,))
        if config.qk_norm
        else None
        for letter in "qk"
    ]
    return LayerWeights(
        attn_norm=reader.stack({f"{base}.input_layernorm.weight": (hidden,)}),
        qkv=reader.stack(qkv, orders),
        qkv_bias=reader.stack(bias, orders) if config.qkv_bias else None,
        q_norm=norms[0],
        k_norm=norms[1],
        o=reader.stack({f"{attn}.o_proj.weight": (hidden, config.q_size)}),
        mlp_norm=reader.stack({f"{base}.post_attention_layernorm.weight": (hidden,)}),
        gate_up=reader.stack(
            {f"{mlp}.gate_proj.weight": (inner, hidden), f"{mlp}.up_proj.weight": (inner, hidden)},
            (None, None),
        ),
        down=reader.stack({f"{mlp}.down_proj.weight": (hidden, inner)}),
    )
