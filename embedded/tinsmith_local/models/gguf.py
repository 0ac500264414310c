"""Reads a base model from a GGUF file, or from the files of a split one, under Hugging Face names.

Owns what GGUF changes about a model: the names of tensors, the quantised blocks (dequantised by the `gguf`
package), and the rows of `attn_q` and `attn_k` of the llama family, which GGUF stores for interleaved
rotary positions. Of the stretched positions of Llama 3 it keeps no settings but their result, a tensor with
a divisor for each frequency: the published settings are tried, and a tensor that none of them gives is an
error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tinsmith_local.engine.config import Family, ModelConfig, RopeScaling, plain_frequencies, stretch
from tinsmith_local.models.gguf_index import GgufIndex, TensorEntry, read_index
from tinsmith_local.models.gguf_tokenizer import (
    check_tokenizer,
    end_token_ids,
    special_tokens,
    tokenizer_json,
)
from tinsmith_local.models.source import ModelFileError, ModelSource

if TYPE_CHECKING:
    from pathlib import Path

FloatArray = np.ndarray[Any, np.dtype[np.float32]]


_FAMILIES: tuple[Family, ...] = ("llama", "qwen2", "qwen3")
PERMUTED_FAMILIES = ("llama",)
_F32 = 0
_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_GGUF_NAMES = {hugging: gguf for gguf, hugging in _NAMES.items()}
_FACTORS = (8.0, 32.0)
"""Factors of Llama 3.1 and 3.2; another one is taken from the longest wave."""

_LOW, _HIGH, _ORIGINAL = 1.0, 4.0, 8192
"""low_freq_factor, high_freq_factor and original_max_position_embeddings of every published Llama 3 model."""
_LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)")


def open_gguf(path: Path, name: str) -> ModelSource:
    """Open the GGUF file at `path` as the base model `name`.

    Raise ModelFileError when it is damaged or the engine cannot run it.
    """
    index = read_index(path)
    config = _config(index, name)
    check_tokenizer(index.metadata, path)
    reader = _TensorReader(index, config)
    template = index.metadata.get("tokenizer.chat_template")
    return ModelSource(
        origin=str(path),
        config=config,
        get_tensor=reader.get,
        read_tokenizer=lambda: tokenizer_json(index.metadata, path),
        chat_template=template if isinstance(template, str) else None,
        tokenizer_config=dict(special_tokens(index.metadata)),
    )


def gguf_name(name: str) -> str | None:
    """Return what GGUF calls the tensor of the Hugging Face name, or None when it has no name for it."""
    if match := _LAYER.fullmatch(name):
        number, part, kind = match.groups()
        return f"blk.{number}.{_LAYER_NAMES[part]}.{kind}" if part in _LAYER_NAMES else None
    stem, _, kind = name.rpartition(".")
    return f"{_GGUF_NAMES[stem]}.{kind}" if stem in _GGUF_NAMES else None


def undo_rotary_permutation(rows: FloatArray, heads: int) -> FloatArray:
    """Put the rows of a query or key projection back: interleaved pairs to the halves of each head."""
    return rows.reshape(heads, -1, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def rotary_permutation(rows: FloatArray, heads: int) -> FloatArray:
    """Order the rows of a query or key projection as GGUF: halves of each head to interleaved pairs."""
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


class _TensorReader:
    """Dequantises one tensor at a time, so that the file and the result are all that memory holds."""

    def __init__(self, index: GgufIndex, config: ModelConfig) -> None:
        self._index = index
        self._config = config

    def get(self, name: str) -> FloatArray:
        entry = self._index.tensors.get(gguf_name(name) or "")
        if entry is None:
            raise ModelFileError(self._index.path, f"tensor {gguf_name(name) or name!r} is missing")
        array = read_tensor(self._index, entry)
        if self._config.family not in PERMUTED_FAMILIES:
            return array
        if ".q_proj." in name:
            return self._unpermuted(array, entry, self._config.num_heads)
        if ".k_proj." in name:
            return self._unpermuted(array, entry, self._config.num_kv_heads)
        return array

    def _unpermuted(self, array: FloatArray, entry: TensorEntry, heads: int) -> FloatArray:
        if entry.shape[0] % (2 * heads):
            raise ModelFileError(
                self._index.path, f"tensor {entry.name!r} has {entry.shape[0]} rows for {heads} heads"
            )
        return undo_rotary_permutation(array, heads)


def read_tensor(index: GgufIndex, entry: TensorEntry) -> FloatArray:
    """Return one tensor as float32: a view of the file for F32, dequantised otherwise."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    index = index.holder(entry)

    try:
        kind = GGMLQuantizationType(entry.type_id)
    except ValueError:
        raise ModelFileError(
            index.path, f"tensor {entry.name!r} has the unknown type {entry.type_id}"
        ) from None
    block_elements, block_bytes = GGML_QUANT_SIZES[kind]
    elements = 1
    for size in entry.shape:
        elements *= size
    if entry.shape[-1] % block_elements:
        raise ModelFileError(
            index.path, f"tensor {entry.name!r}: rows of {entry.shape[-1]} are no whole blocks"
        )
    start, length = index.data_start + entry.offset, elements // block_elements * block_bytes
    if start + length > len(index.data):
        raise ModelFileError(index.path, f"tensor {entry.name!r} reaches beyond the end: the file is cut off")
    raw = np.frombuffer(index.data, dtype=np.uint8, count=length, offset=start)
    if kind.value == _F32:
        return raw.view(np.float32).reshape(entry.shape)
    row_bytes = entry.shape[-1] // block_elements * block_bytes
    try:
        rows = dequantize(raw.reshape(*entry.shape[:-1], row_bytes), kind)
    except NotImplementedError as error:
        reason = f"tensor {entry.name!r} is of type {kind.name}, which cannot be dequantised"
        raise ModelFileError(index.path, reason) from error
    return cast("FloatArray", rows.astype(np.float32, copy=False))


def _config(index: GgufIndex, name: str) -> ModelConfig:
    found = index.metadata.get("general.architecture")
    family = next((known for known in _FAMILIES if known == found), None)
    if family is None:
        known = ", ".join(_FAMILIES)
        raise ModelFileError(index.path, f"architecture {found!r} is not supported; supported are {known}")
    facts = _Facts(index, family)
    heads, hidden = facts.integer("attention.head_count"), facts.integer("embedding_length")
    head_dim = facts.integer("attention.key_length", hidden // heads)
    _refuse_unsupported(index, facts, head_dim)
    theta = facts.number("rope.freq_base", 10_000.0)
    embedding = index.tensors.get("token_embd.weight")
    if embedding is None:
        raise ModelFileError(index.path, "tensor 'token_embd.weight' is missing")
    return ModelConfig(
        name=name,
        family=family,
        vocab_size=embedding.shape[0],
        hidden_size=hidden,
        num_layers=facts.integer("block_count"),
        num_heads=heads,
        num_kv_heads=facts.integer("attention.head_count_kv", heads),
        head_dim=head_dim,
        intermediate_size=facts.integer("feed_forward_length"),
        rope_theta=theta,
        rope_scaling=_rope_scaling(index, theta),
        rms_eps=facts.number("attention.layer_norm_rms_epsilon"),
        tie_embeddings="output.weight" not in index.tensors,
        max_context=facts.integer("context_length"),
        qkv_bias="blk.0.attn_q.bias" in index.tensors,
        qk_norm="blk.0.attn_q_norm.weight" in index.tensors,
        eos_token_ids=end_token_ids(index.metadata),
    )


class _Facts:
    """Reads the numbers that the metadata keeps under the name of the architecture."""

    def __init__(self, index: GgufIndex, family: str) -> None:
        self._index = index
        self._family = family

    def get(self, key: str) -> object:
        return self._index.metadata.get(f"{self._family}.{key}")

    def number(self, key: str, default: float | None = None) -> float:
        value = self.get(key)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
            raise ModelFileError(
                self._index.path, f"metadata {self._family}.{key} is {value!r}, not a positive number"
            )
        return float(value)

    def integer(self, key: str, default: int | None = None) -> int:
        return int(self.number(key, default))


def _rope_scaling(index: GgufIndex, theta: float) -> RopeScaling | None:
    entry = index.tensors.get("rope_freqs.weight")
    if entry is None:
        return None
    scaling = find_scaling(read_tensor(index, entry).ravel(), theta)
    if scaling is None:
        raise ModelFileError(index.path, "'rope_freqs.weight' stretches rotary positions in an unknown way")
    return scaling


def _refuse_unsupported(index: GgufIndex, facts: _Facts, head_dim: int) -> None:
    """Raise for what would load and then compute something else than the model."""
    if facts.integer("rope.dimension_count", head_dim) != head_dim:
        raise ModelFileError(index.path, "rotary positions on a part of each head are not supported")
    scaling = facts.get("rope.scaling.type")
    if scaling not in (None, "none"):
        reason = "stretched rotary positions are read from a safetensors directory, not from GGUF"
        raise ModelFileError(index.path, reason)
    if facts.get("expert_count"):
        raise ModelFileError(index.path, "mixtures of experts are not supported")


def find_scaling(divisors: FloatArray, rope_theta: float) -> RopeScaling | None:
    """Return the settings that give these divisors of the rotary frequencies, or None if none known does."""
    plain = plain_frequencies(rope_theta, 2 * len(divisors))
    for factor in (*_FACTORS, float(divisors.max())):
        scaling = RopeScaling(
            factor=factor, low_freq_factor=_LOW, high_freq_factor=_HIGH, original_max_position=_ORIGINAL
        )
        if np.allclose(divisors, 1.0 / stretch(plain, scaling), rtol=1e-4):
            return scaling
    return None
