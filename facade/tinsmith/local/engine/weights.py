"""Owns the frozen base weights in the layout that the engine computes with."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from attrs import frozen

from tinsmith.local.engine.config import ModelConfig

Array = npt.NDArray[np.float32]


@frozen(kw_only=True, eq=False)
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


@frozen(kw_only=True, eq=False)
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
    def from_tensors(cls, config: ModelConfig, get: Callable[[str], npt.NDArray[np.generic]]) -> "Weights":
        """Build from tensors under Hugging Face names ("model.layers.0.self_attn.q_proj.weight", ...).

        `get` returns the array of a name in any float dtype, or raises KeyError; each name is asked for once.
        Not asked for: "lm_head.weight" when tied, biases and q/k norms where the config has none.
        "vision.patch_proj.weight" [hidden, patch_dim] is asked for when `config.patch_dim` > 0.
        ValueError names a tensor whose shape does not fit the config or that holds NaN or infinity.
        """
        raise NotImplementedError
