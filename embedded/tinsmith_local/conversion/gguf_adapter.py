"""Writes an adapter as a GGUF file that llama.cpp lays over a base model.

Owns the names and the order of rows that llama.cpp wants: `blk.0.attn_q.weight.lora_a` [rank, in] and
`.lora_b` [out, rank]; in the llama family the rows of B for queries and keys are permuted like those of the
base model.
llama.cpp scales the update by `adapter.lora.alpha` / rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinsmith_local.models.gguf import PERMUTED_FAMILIES, gguf_name, rotary_permutation
from tinsmith_local.models.source import ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from tinsmith_local.conversion.base_files import BaseFiles
    from tinsmith_local.conversion.lora_files import LoraFiles

Array = np.ndarray[Any, Any]


def write_gguf_adapter(path: Path, adapter: LoraFiles, base: BaseFiles, name: str) -> int:
    """Write `adapter` for `base` into the file `path`, and return how many matrices it changes.

    Raise ModelFileError for a model whose names in GGUF are not known, and for an adapter on the unembedding
    of a model whose embeddings are tied: llama.cpp has one matrix for both.
    """
    from gguf import GGUFWriter

    if base.source is None:
        raise ModelFileError(base.origin, f"cannot be named in GGUF: {base.unknown}")
    config = base.source.config
    heads = {"q_proj": config.num_heads, "k_proj": config.num_kv_heads}
    tensors: dict[str, Array] = {}
    for module in adapter.pairs:
        target = gguf_name(f"{module}.weight")
        if module == "vision.patch_proj":
            continue  # no published architecture has it
        if target is None or f"{module}.weight" not in base.tensors:
            raise ModelFileError(base.origin, _no_place(module, base))
        a, b = adapter.matrices(module)
        if (len(b), a.shape[1]) != base.tensors[f"{module}.weight"].shape:
            raise ModelFileError(base.origin, f"{module} has another shape: the adapter is for another model")
        part = module.rpartition(".")[2]
        if part in heads and config.family in PERMUTED_FAMILIES:
            b = rotary_permutation(b, heads[part])
        tensors |= {f"{target}.lora_a": a, f"{target}.lora_b": b}
    writer = GGUFWriter(path, config.family)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", adapter.alpha)
    writer.add_name(name)
    for tensor, array in tensors.items():
        writer.add_tensor(tensor, np.ascontiguousarray(array, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return len(tensors) // 2


def _no_place(module: str, base: BaseFiles) -> str:
    """Say why a module has no place in GGUF."""
    if module == "lm_head" and base.is_tied:
        return (
            "ties its embeddings, and llama.cpp keeps one matrix for both, so that there is no place for an"
            " adapter on lm_head; merge it (export_merged), leave lm_head out (without=['lm_head']), or name"
            " a GGUF file that has an output.weight (base=)"
        )
    return f"has no matrix {module!r} that GGUF knows: the adapter is for another model"
