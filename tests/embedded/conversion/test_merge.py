"""Merging: against the logits that torch and peft computed, in every type, for models known and unknown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tinsmith.core.errors import InputError
from tinsmith_local.conversion import compare as comparing
from tinsmith_local.conversion import merge as merging
from tinsmith_local.conversion.base_files import open_base
from tinsmith_local.conversion.compare import compare, compare_logits, compare_tensors, logits, why_not_run
from tinsmith_local.conversion.lora_files import LoraFiles
from tinsmith_local.conversion.merge import Merge
from tinsmith_local.models.adapters import TENSOR_FILE
from tinsmith_local.models.hugging_face import open_directory, tensor_files
from tinsmith_local.models.registry import load
from tinsmith_local.models.source import ModelFileError
from tinsmith_local.models.tensor_file import StoredTensor, TensorFile, write_in_turn, write_tensors
from tinsmith_local.models.tiny import open_tiny

from tests.embedded.models.gguf_files import llama_tensors, to_gguf, write_gguf

PEFT = Path(__file__).parents[1] / "models" / "golden" / "peft"
FAMILIES = ("llama", "qwen2")
Array = np.ndarray[Any, Any]


def merged(folder: Path, base: Path | str, adapter: Path | None, dtype: str | None = None) -> Merge:
    """Write a merged model into `folder`, and return how it was made."""
    folder.mkdir(exist_ok=True)
    merge = Merge.plan(open_base(base), None if adapter is None else LoraFiles.open(adapter), dtype)
    merge.write(folder, dtype=dtype)
    return merge


def edited(folder: Path, name: str, **fields: object) -> None:
    """Set fields of a JSON file; None removes one."""
    path = folder / name
    content = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def copied(source: Path, target: Path) -> Path:
    """Copy a folder."""
    shutil.copytree(source, target)
    return target


def retyped(base: Path, target: Path, dtype: str) -> Path:
    """Copy a base model with its numbers in another type."""
    copied(base, target)
    file = TensorFile(base / "model.safetensors")
    stored = {name: StoredTensor(dtype, file.stored(name).shape) for name in sorted(file.names())}
    write_in_turn(target / "model.safetensors", stored, file.get)
    return target


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("adapter", ["by_peft", "by_tinsmith"])
def test_logits_are_those_that_peft_computed(family: str, adapter: str, tmp_path: Path) -> None:
    """The merged model computes by itself what peft computed with base model and adapter in torch."""
    merge = merged(tmp_path / "merged", PEFT / family / "base", PEFT / family / adapter)
    expected = TensorFile(PEFT / family / "expected.safetensors")
    model = load(open_directory(tmp_path / "merged", "merged"))
    found = logits(model, None, list(expected.get("tokens")))
    wanted = expected.get(adapter).reshape(found.shape)
    assert np.abs(found - wanted).max() < 1e-4
    assert np.abs(wanted - expected.get("base").reshape(found.shape)).max() > 0.1
    (comparison,) = compare(merge, tmp_path / "merged")
    assert (comparison.of, comparison.limit, comparison.is_right) == ("logits", 1e-3, True)
    assert comparison.effect > 0.1


def test_tied_embeddings_are_untied_for_an_adapter_on_lm_head(tmp_path: Path) -> None:
    """The input embedding stays as it is, and the configuration says so."""
    base, target = PEFT / "llama" / "base", tmp_path / "merged"
    merge = merged(target, base, PEFT / "llama" / "by_tinsmith")
    assert merge.unties
    assert json.loads((base / "config.json").read_text())["tie_word_embeddings"] is True
    assert json.loads((target / "config.json").read_text())["tie_word_embeddings"] is False
    before, after = TensorFile(base / "model.safetensors"), TensorFile(target / "model.safetensors")
    embedding = "model.embed_tokens.weight"
    assert np.array_equal(before.get(embedding), after.get(embedding))
    assert np.abs(after.get("lm_head.weight") - after.get(embedding)).max() > 0.01
    assert not merged(tmp_path / "tied", base, PEFT / "llama" / "by_peft").unties


@pytest.mark.parametrize(("dtype", "kind"), [("BF16", ml_dtypes.bfloat16), ("F16", np.float16)])
def test_16_bits_stay_16_bits(dtype: str, kind: type[np.generic], tmp_path: Path) -> None:
    """Each number is the float32 sum, rounded once; what no adapter changes has the same bytes."""
    base = retyped(PEFT / "qwen2" / "base", tmp_path / "base", dtype)
    merge = merged(tmp_path / "merged", base, PEFT / "qwen2" / "by_peft")
    written, old = (TensorFile(folder / "model.safetensors") for folder in (tmp_path / "merged", base))
    name = "model.layers.1.self_attn.k_proj.weight"
    a, b = merge.matrices(name)
    assert written.stored(name).dtype == dtype
    expected = (old.get(name) + b @ a).astype(kind).astype(np.float32)
    assert np.array_equal(written.get(name), expected)
    assert np.array_equal(written.get("model.norm.weight"), old.get("model.norm.weight"))
    tensors, of_logits = compare(merge, tmp_path / "merged")
    assert (tensors.of, tensors.is_right) == ("tensors", True)
    assert (of_logits.of, of_logits.limit) == ("logits", None)
    assert 1e-5 < of_logits.difference < of_logits.effect


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_another_type_is_chosen(dtype: str, tmp_path: Path) -> None:
    """The numbers have it, and the configuration names it."""
    merged(tmp_path / "merged", PEFT / "llama" / "base", PEFT / "llama" / "by_peft", dtype)
    file = TensorFile(tmp_path / "merged" / "model.safetensors")
    assert {file.stored(name).dtype for name in file.names()} == {merging.FLOATS[dtype]}
    settings = json.loads((tmp_path / "merged" / "config.json").read_text())
    assert {settings[key] for key in ("dtype", "torch_dtype") if key in settings} == {dtype}


def test_a_number_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """A type of 16 bits with a small range has no room for large weights."""
    base = copied(PEFT / "llama" / "base", tmp_path / "base")
    file = TensorFile(base / "model.safetensors")
    tensors = {name: np.array(file.get(name)) for name in file.names()}
    tensors["model.norm.weight"][3] = 1e6
    write_tensors(base / "model.safetensors", tensors, {"format": "pt"})
    with pytest.raises(
        ModelFileError, match=r"norm.weight' holds .* not finite in F16; dtype='float32' has room"
    ):
        merged(tmp_path / "merged", base, PEFT / "llama" / "by_peft", "float16")


def test_large_models_are_cut_into_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an index that leads to each tensor; the files in turn are a base model that can be merged."""
    monkeypatch.setattr(merging, "SHARD_BYTES", 20_000)
    target = tmp_path / "merged"
    reports: list[tuple[str, int, int]] = []
    merge = Merge.plan(open_base(PEFT / "qwen2" / "base"), LoraFiles.open(PEFT / "qwen2" / "by_peft"))
    target.mkdir()
    merge.write(target, progress=lambda *report: reports.append(report))
    names = sorted(path.name for path in target.glob("*.safetensors"))
    assert len(names) > 2
    assert names[0] == f"model-00001-of-{len(names):05d}.safetensors"
    index = json.loads((target / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"]) == set(merge.tensors)
    assert index["metadata"]["total_size"] == merge.nbytes == reports[-1][1] == reports[-1][2]
    assert compare_logits(merge, target).is_right
    again = merged(tmp_path / "again", target, PEFT / "qwen2" / "by_tinsmith")
    assert compare_logits(again, tmp_path / "again").is_right


def test_other_files_come_along(tmp_path: Path) -> None:
    """All but weights in any form and what is hidden."""
    base = copied(PEFT / "llama" / "base", tmp_path / "base")
    for name in ("tokenizer.json", "modeling_own.py", "pytorch_model.bin", "x.gguf", ".hidden"):
        (base / name).write_text("{}")
    merged(tmp_path / "merged", base, PEFT / "llama" / "by_peft")
    found = {path.name for path in (tmp_path / "merged").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "modeling_own.py"} <= found
    assert not {"pytorch_model.bin", "x.gguf", ".hidden"} & found


@pytest.mark.parametrize(
    ("module", "published"),
    [
        ("model.layers.0", "model.language_model.layers.0"),
        ("model.layers.0", "language_model.model.layers.0"),
    ],
)
def test_an_unknown_architecture(module: str, published: str, tmp_path: Path) -> None:
    """Its tensors alone are compared, and it is said why; a part of a larger model is found in it."""
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    base.mkdir()
    adapter.mkdir()
    rng = np.random.default_rng(0)
    tensors: dict[str, Array] = {
        f"{published}.mixer.in_proj.weight": rng.normal(size=(6, 4)).astype(np.float32),
        "other.bias": np.arange(3),
    }
    write_tensors(base / "model.safetensors", tensors, {"format": "pt"})
    (base / "config.json").write_text(
        '{"model_type": "mamba9", "text_config": {"tie_word_embeddings": true}}'
    )
    pair = {"A": rng.normal(size=(2, 4)), "B": rng.normal(size=(6, 2))}
    name = f"base_model.model.{module}.mixer.in_proj"
    matrices = {f"{name}.lora_{side}.weight": part.astype(np.float32) for side, part in pair.items()}
    write_tensors(adapter / TENSOR_FILE, matrices, {})
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 2, "lora_alpha": 8}')
    merge = merged(tmp_path / "merged", base, adapter)
    assert "does not know this architecture (model_type 'mamba9' is not one of" in str(why_not_run(merge))
    (comparison,) = compare(merge, tmp_path / "merged")
    assert (comparison.of, comparison.is_right) == ("tensors", True)
    written = TensorFile(tmp_path / "merged" / "model.safetensors")
    name = f"{published}.mixer.in_proj.weight"
    assert np.allclose(written.get(name), tensors[name] + 4 * pair["B"] @ pair["A"], atol=1e-5)
    assert written.get("other.bias").dtype == np.int64


def test_a_wrong_merge_is_found(tmp_path: Path) -> None:
    """By the logits and by the tensors: an update of another scale, a tensor that nobody meant to change."""
    target = tmp_path / "merged"
    merge = merged(target, PEFT / "llama" / "base", PEFT / "llama" / "by_peft")
    assert compare_logits(merge, target).is_right
    assert compare_tensors(merge, target).is_right
    file = TensorFile(target / "model.safetensors")
    right = {name: np.array(file.get(name)) for name in file.names()}
    name = "model.layers.0.self_attn.q_proj.weight"
    write_tensors(target / "model.safetensors", right | {name: merge.base_tensor(name)}, {"format": "pt"})
    assert not compare_logits(merge, target).is_right
    assert not compare_tensors(merge, target).is_right
    name = "model.norm.weight"
    write_tensors(target / "model.safetensors", right | {name: right[name] + 1e-6}, {"format": "pt"})
    with pytest.raises(ModelFileError, match=r"'model.norm.weight' is not the base model's"):
        compare_tensors(merge, target)
    del right[name]
    write_tensors(target / "model.safetensors", right, {"format": "pt"})
    with pytest.raises(ModelFileError, match=r"'model.norm.weight' is missing"):
        compare_tensors(merge, target)


def test_a_model_larger_than_memory_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tensors are compared."""
    merge = merged(tmp_path / "merged", PEFT / "llama" / "base", PEFT / "llama" / "by_peft")
    monkeypatch.setattr(comparing, "MEMORY_SHARE", 0.0)
    assert why_not_run(merge) == "it would take 0 GB of memory"
    assert [one.of for one in compare(merge, tmp_path / "merged")] == ["tensors"]


def test_a_gguf_file_becomes_a_folder(tmp_path: Path) -> None:
    """With configuration and tokenizer; the engine computes the same from both."""
    path = write_gguf(tmp_path / "base.gguf", to_gguf(llama_tensors()))
    merge = merged(tmp_path / "folder", path, None)
    names = {file.name for file in (tmp_path / "folder").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    comparison = compare_logits(merge, tmp_path / "folder")
    assert (comparison.difference, comparison.effect) == (0.0, 0.0)
    assert open_directory(tmp_path / "folder", "x").config == load_config(path)


def load_config(path: Path) -> Any:
    """Return the configuration of a GGUF file under another name, its epsilon as it was before rounding."""
    import attrs

    source = open_base(path).source
    assert source is not None
    return attrs.evolve(source.config, name="x", rms_eps=1e-5)


@pytest.mark.parametrize("name", ["tinsmith/tiny", "tinsmith/tiny-untied"])
def test_a_model_in_code_becomes_a_folder(name: str, tmp_path: Path) -> None:
    """All but its part for images."""
    merge = merged(tmp_path / "folder", name, None)
    assert set(tensor_files(tmp_path / "folder")) == set(merge.tensors)
    source = open_tiny(name)
    tokens = [np.arange(9)]
    written = load(open_directory(tmp_path / "folder", "x"))
    assert np.array_equal(logits(written, None, tokens), logits(load(source), None, tokens))


def test_llama_3_positions_are_kept(tmp_path: Path) -> None:
    """The settings that stretch rotary positions stand in the configuration as they are published."""
    from tinsmith_local.engine.config import RopeScaling, plain_frequencies, stretch

    scaling = RopeScaling(factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position=8192)
    divisors = (1.0 / stretch(plain_frequencies(5000.0, 8), scaling)).astype(np.float32)
    tensors = to_gguf(llama_tensors()) | {"rope_freqs.weight": divisors}
    merged(tmp_path / "folder", write_gguf(tmp_path / "base.gguf", tensors), None)
    assert open_directory(tmp_path / "folder", "x").config.rope_scaling == scaling


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"base/config.json": {"quantization_config": {"bits": 4}}}, "the weights are quantised"),
        ({"adapter/adapter_config.json": {"use_dora": True}}, "DoRA is not supported"),
        ({"adapter/adapter_config.json": {"r": 2}}, r"\(3, 48\) and \(32, 3\), and the rank is 2"),
        ({"adapter/adapter_config.json": {"peft_type": "IA3"}}, "peft_type is 'IA3', not 'LORA'"),
    ],
)
def test_files_that_are_refused(spoil: dict[str, dict[str, object]], message: str, tmp_path: Path) -> None:
    """Each with its reason."""
    base = copied(PEFT / "llama" / "base", tmp_path / "base")
    adapter = copied(PEFT / "llama" / "by_peft", tmp_path / "adapter")
    for name, fields in spoil.items():
        edited(tmp_path, name, **fields)
    with pytest.raises(ModelFileError, match=message):
        merged(tmp_path / "merged", base, adapter)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (
            "model.layers.9.self_attn.q_proj",
            (32, 3),
            "has no tensor 'model.layers.9.self_attn.q_proj",
        ),
        (
            "model.layers.0.self_attn.q_proj",
            (31, 3),
            r"shape \(32, 32\), and the adapter is for \(31, 32\)",
        ),
        ("model.layers.0.mlp.experts.w1", (4, 32, 3), "has matrices for each expert, which is not supported"),
    ],
)
def test_an_adapter_for_another_model(
    name: str, shape: tuple[int, ...], message: str, tmp_path: Path
) -> None:
    """Modules, shapes and experts that the base model has not."""
    adapter = copied(PEFT / "llama" / "by_peft", tmp_path / "adapter")
    matrices = {"A": np.ones((*shape[:-2], 3, 32), np.float32), "B": np.ones(shape, np.float32)}
    tensors = {f"base_model.model.{name}.lora_{side}.weight": part for side, part in matrices.items()}
    write_tensors(adapter / TENSOR_FILE, tensors, {})
    with pytest.raises(ModelFileError, match=message):
        merged(tmp_path / "merged", PEFT / "llama" / "base", adapter)


def test_half_a_module_is_refused(tmp_path: Path) -> None:
    """An A without its B."""
    adapter = copied(PEFT / "llama" / "by_peft", tmp_path / "adapter")
    name = "base_model.model.lm_head.lora_A.weight"
    write_tensors(adapter / TENSOR_FILE, {name: np.ones((3, 32), np.float32)}, {})
    with pytest.raises(ModelFileError, match="module 'lm_head' has one of its two matrices only"):
        LoraFiles.open(adapter)


def test_embeddings_that_peft_saved_beside_the_adapter(tmp_path: Path) -> None:
    """They must be the base model's."""
    base = PEFT / "llama" / "base"
    adapter = copied(PEFT / "llama" / "by_tinsmith", tmp_path / "adapter")
    file = TensorFile(adapter / TENSOR_FILE)
    embedding = np.array(TensorFile(base / "model.safetensors").get("model.embed_tokens.weight"))
    tensors = {name: file.get(name) for name in file.names()}
    name = "base_model.model.lm_head.base_layer.weight"
    write_tensors(adapter / TENSOR_FILE, tensors | {name: embedding}, {})
    merge = merged(tmp_path / "merged", base, adapter)
    assert compare_logits(merge, tmp_path / "merged").is_right
    embedding[5, 5] += 1
    write_tensors(adapter / TENSOR_FILE, tensors | {name: embedding}, {})
    with pytest.raises(ModelFileError, match="changed embeddings are not supported"):
        merged(tmp_path / "other", base, adapter)


def test_names_of_the_hosted_service(tmp_path: Path) -> None:
    """Its name of the unembedding means lm_head; the adapter is written under the name that peft reads."""
    adapter = copied(PEFT / "qwen2" / "by_tinsmith", tmp_path / "adapter")
    file = TensorFile(adapter / TENSOR_FILE)
    tensors = {name.replace("lm_head", "model.unembed_tokens"): file.get(name) for name in file.names()}
    write_tensors(adapter / TENSOR_FILE, tensors, {})
    lora = LoraFiles.open(adapter)
    assert "lm_head" in lora.targets
    merge = merged(tmp_path / "merged", PEFT / "qwen2" / "base", adapter)
    assert compare_logits(merge, tmp_path / "merged").is_right
    (tmp_path / "peft").mkdir()
    lora.write(tmp_path / "peft", {"base_model_name_or_path": "org/name"})
    written = TensorFile(tmp_path / "peft" / TENSOR_FILE)
    assert written.names() == file.names()
    assert all(np.array_equal(written.get(name), file.get(name)) for name in file.names())
    settings = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == "org/name"
    assert "lm_head" in settings["target_modules"]


def test_a_name_that_is_no_model() -> None:
    """Neither a place nor a model of the embedded service."""
    with pytest.raises(InputError, match="unknown base model 'no/body'"):
        open_base("no/body")
