"""Adapters in PEFT format: both directions against peft itself, the optimizer state, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tinsmith.core.values import AdamParams
from tinsmith_local.engine.base_model import BaseModel
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.engine.optim import adam_step
from tinsmith_local.engine.train import forward_backward
from tinsmith_local.models.adapters import (
    CONFIG_FILE,
    OPTIMIZER_FILE,
    TENSOR_FILE,
    load_adapter,
    save_adapter,
)
from tinsmith_local.models.hugging_face import open_directory
from tinsmith_local.models.registry import load
from tinsmith_local.models.source import ModelFileError
from tinsmith_local.models.tensor_file import TensorFile, write_tensors
from tinsmith_local.models.tiny import open_tiny

from tests.embedded.models.conftest import GOLDEN
from tests.embedded.models.golden.write_adapters import write

Array = np.ndarray[Any, Any]
FAMILIES = ("llama", "qwen2")


def base(name: str) -> BaseModel:
    """Load one of the base models that transformers wrote."""
    return load(open_directory(GOLDEN / "peft" / name / "base", name))


def log_softmax(logits: Array) -> Array:
    """Normalise logits in double precision."""
    wide = logits.astype(np.float64)
    wide -= wide.max(-1, keepdims=True)
    normalised: Array = wide - np.log(np.exp(wide).sum(-1, keepdims=True))
    return normalised


def logprobs(model: BaseModel, adapter: Adapter | None, tokens: Array) -> Array:
    """Compute the logprob of every vocabulary entry at every position, through the public training entry."""
    every = np.broadcast_to(np.arange(model.config.vocab_size), (len(tokens), model.config.vocab_size))
    targets = np.ascontiguousarray(every, np.int64)
    weights = np.ones(targets.shape, np.float32)
    example = Example(tokens=tokens, targets=targets, weights=weights)
    return forward_backward(model, adapter, [example], "cross_entropy", backward=False).logprobs[0]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("made", ["base", "by_peft", "by_tinsmith"])
def test_logits_equal_those_of_peft(name: str, made: str) -> None:
    """An adapter by peft computes here what it computes there, and one by us there what it does here."""
    model, folder = base(name), GOLDEN / "peft" / name
    adapter = None if made == "base" else load_adapter(folder / made, model.config)
    expected = TensorFile(folder / "expected.safetensors")
    for tokens, logits in zip(expected.get("tokens"), expected.get(made), strict=True):
        difference = logprobs(model, adapter, tokens) - log_softmax(logits)
        assert np.abs(difference).max() < 1e-4
    if adapter is not None:
        change = log_softmax(expected.get(made)) - log_softmax(expected.get("base"))
        assert np.abs(change).max() > 0.1


@pytest.mark.parametrize("name", FAMILIES)
def test_what_peft_loaded_is_what_we_write(name: str, tmp_path: Path) -> None:
    """The directory that the golden logits were computed from has the bytes that are written today."""
    write(name, tmp_path)
    for file in (CONFIG_FILE, TENSOR_FILE):
        assert (tmp_path / file).read_bytes() == (GOLDEN / "peft" / name / "by_tinsmith" / file).read_bytes()


def test_modules_that_peft_left_out_stay_out_of_training() -> None:
    """The zeros that stand for them are still zero after a step, and the trained ones have moved."""
    model = base("llama")
    adapter = load_adapter(GOLDEN / "peft" / "llama" / "by_peft", model.config)
    before = {name: array.copy() for name, array in adapter.params.items()}
    _train(model, adapter, steps=2)
    moved = {name for name, array in adapter.params.items() if not np.array_equal(array, before[name])}
    assert moved
    assert all(any(f"{part}.lora_" in name for part in ("q_proj", "v_proj", "down_proj")) for name in moved)
    assert len(moved) == 2 * 3 * 2


def _train(model: BaseModel, adapter: Adapter, *, steps: int) -> None:
    tokens = np.array([1, 5, 9, 60, 3, 3, 17, 42], np.int64)
    example = Example(tokens=tokens, targets=np.roll(tokens, -1), weights=np.ones(8, np.float32))
    for _ in range(steps):
        forward_backward(model, adapter, [example], "cross_entropy")
        adam_step(adapter, AdamParams(learning_rate=0.01))


@pytest.fixture
def trained() -> tuple[BaseModel, Adapter]:
    """The tiny model and an adapter that was trained for three steps."""
    model = load(open_tiny())
    adapter = Adapter.create(model.config, LoraSpec(rank=4, seed=11))
    _train(model, adapter, steps=3)
    return model, adapter


def test_training_goes_on_bit_for_bit(trained: tuple[BaseModel, Adapter], tmp_path: Path) -> None:
    """Saved and loaded with its optimizer, an adapter takes the steps of the one that was never saved."""
    model, adapter = trained
    save_adapter(tmp_path, adapter, base_model="tinsmith/tiny", optimizer=True)
    again = load_adapter(tmp_path, model.config, optimizer=True)
    assert (again.spec, again.step) == (adapter.spec, 3)
    _train(model, adapter, steps=2)
    _train(model, again, steps=2)
    for name, array in adapter.params.items():
        np.testing.assert_array_equal(again.params[name], array)


def test_an_adapter_that_took_no_step_yet(tmp_path: Path) -> None:
    """Its optimizer state is empty, and is saved and loaded as such."""
    config = open_tiny().config
    save_adapter(
        tmp_path, Adapter.create(config, LoraSpec(rank=1)), base_model="tinsmith/tiny", optimizer=True
    )
    again = load_adapter(tmp_path, config, optimizer=True)
    assert (again.step, again.moments) == (0, {})


def test_without_the_optimizer_it_starts_anew(trained: tuple[BaseModel, Adapter], tmp_path: Path) -> None:
    """A checkpoint without optimizer state says so, and saving without it removes an older one."""
    model, adapter = trained
    save_adapter(tmp_path, adapter, base_model="tinsmith/tiny", optimizer=True)
    assert load_adapter(tmp_path, model.config).step == 0
    save_adapter(tmp_path, adapter, base_model="tinsmith/tiny")
    with pytest.raises(ModelFileError, match=rf"{OPTIMIZER_FILE}: is missing"):
        load_adapter(tmp_path, model.config, optimizer=True)


@pytest.mark.parametrize(
    "spec",
    [
        LoraSpec(rank=1, train_mlp=False, train_unembed=False),
        LoraSpec(rank=5, seed=4, train_attn=False),
        LoraSpec(rank=2, alpha=7.5, train_attn=False, train_mlp=False),
    ],
)
def test_the_spec_survives(spec: LoraSpec, tmp_path: Path) -> None:
    """Rank, alpha, seed and the groups that are trained come back."""
    config = open_tiny().config
    save_adapter(tmp_path, Adapter.create(config, spec), base_model="tinsmith/tiny")
    assert load_adapter(tmp_path, config).spec == spec


SETTINGS = [
    ({"peft_type": "LOHA"}, "peft_type is 'LOHA'"),
    ({"use_dora": True}, "DoRA is not supported"),
    ({"rank_pattern": {"q_proj": 8}}, "rank_pattern"),
    ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
    ({"bias": "all"}, "bias 'all'"),
    ({"r": 0}, "r is 0"),
    ({"r": 3}, "has shape"),
    ({"lora_alpha": None}, "lora_alpha is None"),
    *(
        ({"init_lora_weights": method}, f"init_lora_weights is '{method}', a method that changes the base")
        for method in ("pissa", "pissa_niter_16", "olora", "OLoRA", "corda", "loftq", "lora_ga", "newer")
    ),
    ({"trainable_token_indices": [1]}, "trainable_token_indices"),
    ({"alora_invocation_tokens": [1]}, "activated LoRA"),
    ({"use_qalora": True}, "QALoRA"),
    ({"target_parameters": ["experts.down_proj"]}, "target_parameters"),
]


@pytest.mark.parametrize(("change", "reason"), SETTINGS, ids=[reason for _, reason in SETTINGS])
def test_settings_that_are_refused(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    """An adapter that would compute something else here raises, naming the file and the reason."""
    write("llama", tmp_path)
    settings = json.loads((tmp_path / CONFIG_FILE).read_text())
    (tmp_path / CONFIG_FILE).write_text(json.dumps({**settings, **change}))
    with pytest.raises(ModelFileError, match=reason) as caught:
        load_adapter(tmp_path, base("llama").config)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("method", [True, False, "gaussian", "eva", "orthogonal"])
def test_methods_that_leave_the_base_alone(method: bool | str, tmp_path: Path) -> None:
    """Adapters whose A and B alone were set in another way are plain LoRA when they are trained."""
    write("llama", tmp_path)
    settings = json.loads((tmp_path / CONFIG_FILE).read_text())
    (tmp_path / CONFIG_FILE).write_text(json.dumps({**settings, "init_lora_weights": method}))
    assert load_adapter(tmp_path, base("llama").config).params


def _add(folder: Path, name: str, array: Array) -> None:
    """Save a whole matrix beside the adapter, as peft does with `save_embedding_layers`."""
    file = TensorFile(folder / TENSOR_FILE)
    tensors = {known: file.get(known) for known in file.names()}
    write_tensors(folder / TENSOR_FILE, {**tensors, f"base_model.model.{name}": array}, {})


@pytest.mark.parametrize("name", ["model.embed_tokens.weight", "lm_head.weight", "lm_head.base_layer.weight"])
@pytest.mark.parametrize("family", FAMILIES)
def test_embeddings_beside_the_adapter(family: str, name: str, tmp_path: Path) -> None:
    """Those of the base model, whatever their type, change nothing; changed ones are refused by name."""
    source = open_directory(GOLDEN / "peft" / family / "base", family)
    tied = source.config.tie_embeddings and name.startswith("lm_head")
    stored = "model.embed_tokens.weight" if tied else name.replace(".base_layer", "")
    own = source.get_tensor(stored).astype(np.float32)
    unchanged: list[Array] = [own, own.astype(np.float16)]
    for number, saved in enumerate(unchanged):
        write(family, tmp_path / str(number))
        _add(tmp_path / str(number), name, saved)
        assert load_adapter(tmp_path / str(number), source.config, base=source.get_tensor).params
    if ".base_layer" not in name:
        with pytest.raises(ModelFileError, match=f"'base_model.model.{name}' is a whole matrix"):
            load_adapter(tmp_path / "0", source.config)
    for number, saved in enumerate((own + 0.01 * np.abs(own).max(), own[:-1]), start=2):
        write(family, tmp_path / str(number))
        _add(tmp_path / str(number), name, saved)
        with pytest.raises(ModelFileError, match=f"'base_model.model.{name}' is not the base model's"):
            load_adapter(tmp_path / str(number), source.config, base=source.get_tensor)


def test_a_git_lfs_pointer_is_called_that(tmp_path: Path) -> None:
    """A pointer in place of either file of an adapter says so."""
    config = base("llama").config
    for file in (TENSOR_FILE, CONFIG_FILE):
        write("llama", tmp_path)
        (tmp_path / file).write_text("version https://git-lfs.github.com/spec/v1\n")
        with pytest.raises(ModelFileError, match=rf"{file}: is a Git LFS pointer"):
            load_adapter(tmp_path, config)


def test_damaged_directories(tmp_path: Path) -> None:
    """A missing file, a truncated one, foreign tensors and another model's shape are told apart."""
    config = base("llama").config
    with pytest.raises(ModelFileError, match=rf"{CONFIG_FILE}: is missing"):
        load_adapter(tmp_path, config)
    write("llama", tmp_path)
    with pytest.raises(ModelFileError, match=rf"{TENSOR_FILE}: adapter arra"):
        load_adapter(tmp_path, open_tiny().config)
    whole = (tmp_path / TENSOR_FILE).read_bytes()
    (tmp_path / TENSOR_FILE).write_bytes(whole[:-10])
    with pytest.raises(ModelFileError, match=rf"{TENSOR_FILE}: is damaged"):
        load_adapter(tmp_path, config)
    write_tensors(tmp_path / TENSOR_FILE, {"something.else": np.zeros(3, np.float32)}, {})
    with pytest.raises(ModelFileError, match="is no LoRA matrix"):
        load_adapter(tmp_path, config)
    name = "base_model.model.model.layers.0.self_attn.qkv.lora_A.weight"
    write_tensors(tmp_path / TENSOR_FILE, {name: np.zeros((2, 3), np.float32)}, {})
    with pytest.raises(ModelFileError, match="adapts qkv"):
        load_adapter(tmp_path, config)
    write_tensors(tmp_path / TENSOR_FILE, {}, {})
    with pytest.raises(ModelFileError, match="holds no LoRA matrices"):
        load_adapter(tmp_path, config)


def test_a_damaged_optimizer(trained: tuple[BaseModel, Adapter], tmp_path: Path) -> None:
    """Moments that do not fit and a step that is no number name the file."""
    model, adapter = trained
    save_adapter(tmp_path, adapter, base_model="tinsmith/tiny", optimizer=True)
    for tensors, metadata in (
        ({"x": np.zeros(1, np.float32)}, {"step": "3"}),
        (adapter.moments, {"step": "three"}),
    ):
        write_tensors(tmp_path / OPTIMIZER_FILE, tensors, metadata)
        with pytest.raises(ModelFileError, match=OPTIMIZER_FILE):
            load_adapter(tmp_path, model.config, optimizer=True)
