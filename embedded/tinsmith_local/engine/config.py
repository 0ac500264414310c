"""Owns the shape of a model and its rotary positions; nothing that depends on its numbers."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

Complex = npt.NDArray[np.complex64]
Family = Literal["llama", "qwen2", "qwen3"]


@attrs.frozen(kw_only=True)
class RopeScaling:
    """Rotary frequencies stretched for long contexts, the `llama3` kind."""

    factor: float
    """Divisor of the frequencies whose wavelength is long."""
    low_freq_factor: float
    """Wavelengths above original_max_position / this are divided by `factor`."""
    high_freq_factor: float
    """Wavelengths below original_max_position / this are left alone."""
    original_max_position: int
    """Context of the model before it was stretched, in tokens."""


@attrs.frozen(kw_only=True)
class ModelConfig:
    """Everything the engine must know of a model besides its weights."""

    name: str
    """Public name, for example `HuggingFaceTB/SmolLM2-135M-Instruct`."""
    family: Family
    """Which published architecture the tensors follow."""
    vocab_size: int
    """Rows of the embedding."""
    hidden_size: int
    """Width of the residual stream."""
    num_layers: int
    """Number of transformer blocks."""
    num_heads: int
    """Query heads."""
    num_kv_heads: int
    """Key and value heads; divides `num_heads`."""
    head_dim: int
    """Width of one head; even."""
    intermediate_size: int
    """Width of the gated MLP."""
    rope_theta: float = 10_000.0
    """Base of the rotary frequencies."""
    rope_scaling: RopeScaling | None = None
    """Stretched frequencies, or None."""
    rms_eps: float = 1e-5
    """Added to the mean square before the root."""
    tie_embeddings: bool = False
    """Whether the unembedding is the embedding."""
    max_context: int = 2048
    """Longest sequence in tokens, prompt and sample together."""
    qkv_bias: bool = False
    """Qwen2: biases on q, k and v."""
    qk_norm: bool = False
    """Qwen3: RMSNorm over each head of q and k before the rotation."""
    eos_token_ids: tuple[int, ...] = ()
    """Tokens that end a sample unless its stop list says otherwise."""
    patch_dim: int = 0
    """Numbers in one image patch; 0 for a model that reads text only."""

    @property
    def q_size(self) -> int:
        """Width of all query heads together."""
        return self.num_heads * self.head_dim

    @property
    def kv_size(self) -> int:
        """Width of all key heads together."""
        return self.num_kv_heads * self.head_dim

    @classmethod
    def from_hugging_face(cls, name: str, config: Mapping[str, Any]) -> ModelConfig:
        """Read the `config.json` of a Hugging Face directory; ValueError names what is not supported."""
        family = _FAMILIES.get(str(config.get("model_type")))
        if family is None:
            raise ValueError(f"model_type {config.get('model_type')!r} is not one of {', '.join(_FAMILIES)}")
        if config.get("hidden_act", "silu") != "silu":
            raise ValueError(f"hidden_act {config['hidden_act']!r} is not supported, only silu")
        if config.get("use_sliding_window"):
            raise ValueError("use_sliding_window is not supported")
        if config.get("mlp_bias") or (family != "qwen2" and config.get("attention_bias")):
            raise ValueError("mlp_bias and attention_bias are not supported")
        try:
            heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
            rope = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
            return cls(
                name=name,
                family=family,
                vocab_size=int(config["vocab_size"]),
                hidden_size=hidden,
                num_layers=int(config["num_hidden_layers"]),
                num_heads=heads,
                num_kv_heads=int(config.get("num_key_value_heads") or heads),
                head_dim=int(config.get("head_dim") or hidden // heads),
                intermediate_size=int(config["intermediate_size"]),
                rope_theta=float(rope.get("rope_theta") or config.get("rope_theta", 10_000.0)),
                rope_scaling=_rope_scaling(rope),
                rms_eps=float(config.get("rms_norm_eps", 1e-6)),
                tie_embeddings=bool(config.get("tie_word_embeddings", False)),
                max_context=int(config.get("max_position_embeddings", 2048)),
                qkv_bias=family == "qwen2",
                qk_norm=family == "qwen3",
                eos_token_ids=_token_ids(config.get("eos_token_id")),
            )
        except KeyError as error:
            raise ValueError(f"config.json lacks {error.args[0]!r}") from error


_FAMILIES: dict[str, Family] = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}


def _rope_scaling(rope: Mapping[str, Any]) -> RopeScaling | None:
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind == "default":
        return None
    if kind != "llama3":
        raise ValueError(f"rope scaling {kind!r} is not supported, only llama3")
    return RopeScaling(
        factor=float(rope["factor"]),
        low_freq_factor=float(rope["low_freq_factor"]),
        high_freq_factor=float(rope["high_freq_factor"]),
        original_max_position=int(rope["original_max_position_embeddings"]),
    )


def _token_ids(value: int | list[int] | None) -> tuple[int, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, int) else tuple(value)


def frequencies(config: ModelConfig) -> npt.NDArray[np.float32]:
    """Angular frequency of each pair of a head, stretched as `rope_scaling` says."""
    plain = plain_frequencies(config.rope_theta, config.head_dim)
    if config.rope_scaling is None:
        return plain
    stretched: npt.NDArray[np.float32] = (plain * stretch(plain, config.rope_scaling)).astype(np.float32)
    return stretched


def plain_frequencies(rope_theta: float, head_dim: int) -> npt.NDArray[np.float32]:
    """Angular frequency of each pair of a head, not stretched."""
    exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    plain: npt.NDArray[np.float32] = 1.0 / np.power(np.float32(rope_theta), exponents)
    return plain.astype(np.float32)


def stretch(plain: npt.NDArray[np.float32], scaling: RopeScaling) -> npt.NDArray[np.float64]:
    """Return what to multiply each frequency by: 1 for short wavelengths, 1 / `factor` for long ones.

    Between the two it is a blend (Llama 3.1 model card and release notes).
    """
    wavelength = 2.0 * math.pi / plain.astype(np.float64)
    turns = scaling.original_max_position / wavelength
    span = scaling.high_freq_factor - scaling.low_freq_factor
    keep = np.clip((turns - scaling.low_freq_factor) / span, 0.0, 1.0)
    factors: npt.NDArray[np.float64] = keep + (1.0 - keep) / scaling.factor
    return factors


@lru_cache(maxsize=16)
def rotations(config: ModelConfig, length: int) -> Complex:
    """Table [length, head_dim / 2] of unit complex numbers, one row a position."""
    positions = np.arange(length, dtype=np.float32)
    angles = (positions[:, None] * frequencies(config)).astype(np.float64)
    table = (np.cos(angles) + 1j * np.sin(angles)).astype(np.complex64)
    table.flags.writeable = False
    return table


def interleaved_rows(head_dim: int, heads: int) -> npt.NDArray[np.intp]:
    """Row order that puts the two halves of each head's pairs side by side.

    `published[interleaved_rows(...)]` is the engine's order; assigning through it goes back.
    """
    within = np.arange(head_dim).reshape(2, head_dim // 2).T.ravel()
    return (np.arange(heads)[:, None] * head_dim + within).ravel()
