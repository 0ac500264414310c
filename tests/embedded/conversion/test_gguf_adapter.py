"""Adapters as GGUF: names, order of rows, scale, as llama.cpp reads them (`make export-check` proves it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gguf import GGUFReader
from tinsmith_local.conversion.base_files import open_base
from tinsmith_local.conversion.gguf_adapter import write_gguf_adapter
from tinsmith_local.conversion.lora_files import LoraFiles
from tinsmith_local.models.source import ModelFileError

from tests.embedded.conversion.test_merge import PEFT, copied, edited
from tests.embedded.models.gguf_files import interleave

if TYPE_CHECKING:
    from pathlib import Path

Array = np.ndarray[Any, Any]


def written(path: Path, family: str, adapter: Path, base: Path | str | None = None) -> GGUFReader:
    """Write an adapter and open the file with the reader of the format's own package."""
    write_gguf_adapter(path, LoraFiles.open(adapter), open_base(base or PEFT / family / "base"), "tone")
    return GGUFReader(path)


def fact(reader: GGUFReader, key: str) -> Any:
    """Return one entry of the metadata."""
    field = reader.get_field(key)
    assert field is not None
    return field.contents()


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_names_and_numbers(family: str, tmp_path: Path) -> None:
    """Each matrix under its GGUF name; queries and keys are permuted for llama and not for qwen2."""
    adapter = PEFT / family / ("by_peft" if family == "llama" else "by_tinsmith")
    reader, lora = written(tmp_path / "a.gguf", family, adapter), LoraFiles.open(adapter)
    tensors = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    assert len(tensors) == 2 * len(lora.pairs)
    facts = [fact(reader, key) for key in ("general.architecture", "general.type", "adapter.type")]
    assert facts == [family, "adapter", "lora"]
    assert fact(reader, "adapter.lora.alpha") == pytest.approx(lora.alpha)
    for module, name, heads in (
        ("model.layers.0.self_attn.q_proj", "blk.0.attn_q", 4),
        ("model.layers.1.self_attn.v_proj", "blk.1.attn_v", None),
        ("model.layers.1.mlp.down_proj", "blk.1.ffn_down", None),
    ):
        a, b = lora.matrices(module)
        expected = interleave(b, heads) if heads and family == "llama" else b
        assert np.array_equal(tensors[f"{name}.weight.lora_a"], a)
        assert np.array_equal(tensors[f"{name}.weight.lora_b"], expected)


def test_the_scale_of_rank_stabilised_adapters(tmp_path: Path) -> None:
    """llama.cpp divides alpha by the rank: 12 / sqrt(3) is 12 sqrt(3) / 3."""
    reader = written(tmp_path / "a.gguf", "qwen2", PEFT / "qwen2" / "by_peft")
    assert fact(reader, "adapter.lora.alpha") == pytest.approx(12 * 3**0.5)


def test_lm_head_needs_a_matrix_of_its_own(tmp_path: Path) -> None:
    """Where embeddings are tied there is none; without lm_head the rest can be written."""
    adapter = PEFT / "llama" / "by_tinsmith"
    with pytest.raises(ModelFileError, match=r"ties its embeddings.*export_merged.*without="):
        written(tmp_path / "a.gguf", "llama", adapter)
    lora = LoraFiles.open(adapter)
    base = open_base(PEFT / "llama" / "base")
    kept = lora.without(["lm_head"])
    assert write_gguf_adapter(tmp_path / "a.gguf", kept, base, "tone") == len(lora.pairs) - 1
    with pytest.raises(ModelFileError, match="does not change embed; it changes down_proj"):
        lora.without(["embed"])
    with pytest.raises(ModelFileError, match="would be empty without these modules"):
        lora.without(lora.targets)


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    """Its names in GGUF are not known."""
    base = copied(PEFT / "llama" / "base", tmp_path / "base")
    edited(base, "config.json", model_type="mamba9")
    with pytest.raises(ModelFileError, match="cannot be named in GGUF: model_type 'mamba9' is not one of"):
        written(tmp_path / "a.gguf", "llama", PEFT / "llama" / "by_peft", base)


def test_an_adapter_for_another_model(tmp_path: Path) -> None:
    """Its shapes are not those of the base model."""
    with pytest.raises(ModelFileError, match="has another shape: the adapter is for another model"):
        written(tmp_path / "a.gguf", "llama", PEFT / "llama" / "by_peft", "tinsmith/tiny")
