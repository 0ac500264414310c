"""The tiny model of the tests: a Llama made in code from a fixed seed, always there, loaded in milliseconds.

Owns its shape, its numbers and its byte-level tokenizer. The numbers come from the raw output of a counter-
based generator, not from a library's distributions, so that they are the same with every version of numpy.
"""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

import attrs
import numpy as np

from tinsmith_local.engine.config import ModelConfig
from tinsmith_local.models.source import ModelSource

TINY = "tinsmith/tiny"
TINY_UNTIED = "tinsmith/tiny-untied"
PATCH_PIXELS = 8
"""Side of one square image patch; a patch is PATCH_PIXELS x PATCH_PIXELS RGB values in row order."""

_SEED = 20_250_207
_SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>")
_BYTES = 256
_END_OF_TEXT, _END_OF_TURN = _BYTES, _BYTES + 2
_CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}"
    "{{ '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_CONFIG = ModelConfig(
    name=TINY,
    family="llama",
    vocab_size=_BYTES + len(_SPECIALS),
    hidden_size=64,
    num_layers=2,
    num_heads=4,
    num_kv_heads=2,
    head_dim=16,
    intermediate_size=160,
    rope_theta=10_000.0,
    rms_eps=1e-5,
    tie_embeddings=True,
    max_context=4096,
    eos_token_ids=(_END_OF_TURN, _END_OF_TEXT),
    patch_dim=3 * PATCH_PIXELS * PATCH_PIXELS,
)


def open_tiny(name: str = TINY) -> ModelSource:
    """Return the tiny model, tied under the name TINY and untied under TINY_UNTIED."""
    config = _CONFIG if name == TINY else attrs.evolve(_CONFIG, name=name, tie_embeddings=False)
    return ModelSource(
        origin=name,
        config=config,
        get_tensor=lambda tensor: tiny_tensor(config, tensor),
        read_tokenizer=tiny_tokenizer_json,
        chat_template=_CHAT_TEMPLATE,
        tokenizer_config={"eos_token": "<|im_end|>", "bos_token": "<|im_start|>", "pad_token": "<|pad|>"},
    )


def tiny_tensor(config: ModelConfig, name: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return one tensor of the tiny model: norms near one, the rest uniform with variance 1 / fan-in."""
    shape = tensor_shape(config, name)
    count = math.prod(shape)
    raw = np.random.Philox(key=[_SEED, zlib.crc32(name.encode())]).random_raw(count)
    uniform = (raw >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1.0)
    if len(shape) == 1:
        return (np.float32(1.0) + np.float32(0.1) * uniform).reshape(shape)
    return (uniform * np.float32(math.sqrt(3.0 / shape[1]))).reshape(shape)


def tensor_shape(config: ModelConfig, name: str) -> tuple[int, ...]:
    """Return the shape of a Llama tensor by its Hugging Face name; KeyError if there is none."""
    hidden, inner = config.hidden_size, config.intermediate_size
    by_part = {
        "embed_tokens": (config.vocab_size, hidden),
        "lm_head": (config.vocab_size, hidden),
        "patch_proj": (hidden, config.patch_dim),
        "norm": (hidden,),
        "input_layernorm": (hidden,),
        "post_attention_layernorm": (hidden,),
        "q_proj": (config.q_size, hidden),
        "k_proj": (config.kv_size, hidden),
        "v_proj": (config.kv_size, hidden),
        "o_proj": (hidden, config.q_size),
        "gate_proj": (inner, hidden),
        "up_proj": (inner, hidden),
        "down_proj": (hidden, inner),
    }
    part = name.removesuffix(".weight").rpartition(".")[2]
    if not name.endswith(".weight"):
        raise KeyError(name)
    return by_part[part]


def tiny_tokenizer_json() -> bytes:
    """Return a tokenizer whose token ids are the bytes of the text, and behind them four special tokens."""
    vocabulary = {character: byte for byte, character in enumerate(byte_alphabet())}
    specials = [
        {
            "id": _BYTES + place,
            "content": text,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for place, text in enumerate(_SPECIALS)
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    model = {"type": "BPE", "vocab": vocabulary, "merges": [], "fuse_unk": False, "byte_fallback": False}
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": specials,
            "normalizer": None,
            "pre_tokenizer": byte_level,
            "post_processor": None,
            "decoder": byte_level,
            "model": {**model, "dropout": None, "unk_token": None},
        }
    ).encode()


def byte_alphabet() -> list[str]:
    """Return the printable character that stands for each byte in byte-level vocabularies, bytes 0 to 255."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(_BYTES)]
