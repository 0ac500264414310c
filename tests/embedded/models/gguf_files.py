"""Writes small GGUF files: a two-layer llama and single tensors, with a byte-level vocabulary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from tinsmith_local.models.tiny import byte_alphabet

Array = np.ndarray[Any, Any]
HIDDEN, HEADS, KV_HEADS, HEAD_DIM, INNER, LAYERS = 32, 4, 2, 8, 64, 2
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = [*SPECIALS, *byte_alphabet(), "ab", "abc"]
GGUF_LAYER = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def llama_tensors(seed: int = 0) -> dict[str, Array]:
    """Return the tensors of a tiny tied llama under their Hugging Face names."""
    rng = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "input_layernorm": (HIDDEN,),
        "post_attention_layernorm": (HIDDEN,),
        "self_attn.q_proj": (HEADS * HEAD_DIM, HIDDEN),
        "self_attn.k_proj": (KV_HEADS * HEAD_DIM, HIDDEN),
        "self_attn.v_proj": (KV_HEADS * HEAD_DIM, HIDDEN),
        "self_attn.o_proj": (HIDDEN, HEADS * HEAD_DIM),
        "mlp.gate_proj": (INNER, HIDDEN),
        "mlp.up_proj": (INNER, HIDDEN),
        "mlp.down_proj": (HIDDEN, INNER),
    }
    tensors = {
        "model.embed_tokens.weight": rng.normal(size=(len(VOCABULARY), HIDDEN)),
        "model.norm.weight": rng.normal(size=HIDDEN),
    }
    for layer in range(LAYERS):
        for part, shape in shapes.items():
            tensors[f"model.layers.{layer}.{part}.weight"] = rng.normal(size=shape)
    return {name: array.astype(np.float32) for name, array in tensors.items()}


def interleave(rows: Array, heads: int) -> Array:
    """Reorder the rows of one projection as GGUF keeps them: row 0, row half, row 1, and so on."""
    half = rows.shape[0] // heads // 2
    order = [
        head * 2 * half + side * half + row for head in range(heads) for row in range(half) for side in (0, 1)
    ]
    return rows[order]


def to_gguf(tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Rename the tensors of a llama, and permute its queries and keys, as the published converter does."""
    renamed: dict[str, Array] = {}
    for name, array in tensors.items():
        if name == "model.embed_tokens.weight":
            renamed["token_embd.weight"] = array
        elif name == "model.norm.weight":
            renamed["output_norm.weight"] = array
        else:
            layer, part = name.removeprefix("model.layers.").removesuffix(".weight").split(".", 1)
            heads = {"self_attn.q_proj": HEADS, "self_attn.k_proj": KV_HEADS}.get(part)
            renamed[f"blk.{layer}.{GGUF_LAYER[part]}.weight"] = interleave(array, heads) if heads else array
    return renamed


def write_gguf(
    path: Path,
    tensors: Mapping[str, Array],
    *,
    family: str = "llama",
    pre: str = "smollm",
    quantised: Mapping[str, gguf.GGMLQuantizationType] | None = None,
    extra: Mapping[str, int | float | str] | None = None,
) -> Path:
    """Write tensors under their GGUF names; those in `quantised` are raw bytes of that type."""
    writer = gguf.GGUFWriter(path, family)
    writer.add_context_length(64)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(5000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(VOCABULARY)
    writer.add_token_types([3] * len(SPECIALS) + [1] * 258)
    writer.add_token_merges(["a b", "ab c"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template("{{ messages }}")
    for key, value in (extra or {}).items():
        if isinstance(value, str):
            writer.add_string(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        else:
            writer.add_float32(key, value)
    for name, array in tensors.items():
        writer.add_tensor(name, array, raw_dtype=(quantised or {}).get(name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
