"""Names of base models: what is there, what is not, and that each is loaded once."""

import threading
from pathlib import Path

import numpy as np
import pytest
from tinsmith.core.errors import InputError, MissingModelError
from tinsmith_local.models import registry as module
from tinsmith_local.models.registry import ModelRegistry, load, open_model, parse_model_option
from tinsmith_local.models.source import ModelFileError, ModelSource
from tinsmith_local.models.tiny import TINY, TINY_UNTIED

from tests.embedded.models.gguf_files import llama_tensors, to_gguf, write_gguf
from tests.embedded.models.test_safetensors import make_directory

SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache without any model."""
    monkeypatch.setenv("TINSMITH_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("empty_cache")
def test_the_tiny_models_are_always_there() -> None:
    """Without any file there are the two models made in code."""
    registry = ModelRegistry()
    assert registry.names() == [TINY, TINY_UNTIED]
    assert registry.get(TINY) is registry.get(TINY)
    assert registry.get(TINY).weights.unembed is registry.get(TINY).weights.embed
    assert registry.get(TINY_UNTIED).weights.unembed is not registry.get(TINY_UNTIED).weights.embed
    assert registry.get(TINY).config.name == TINY


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("name", ["smollm2", SMOLLM2])
def test_a_model_that_was_not_fetched(name: str) -> None:
    """Its error names the command that brings it; its name and context are known all the same."""
    registry = ModelRegistry()
    assert registry.canonical(name) == SMOLLM2
    assert registry.max_context(name) == 8192
    for ask in (registry.get, registry.config, registry.source):
        with pytest.raises(MissingModelError, match="`tinsmith model fetch smollm2`"):
            ask(name)


@pytest.mark.usefixtures("empty_cache")
def test_an_unknown_name() -> None:
    """It is the caller's mistake, and the message lists what there is, short names too."""
    with pytest.raises(InputError, match=r"unknown base model 'llama-900'.*tinsmith/tiny.*, smollm2"):
        ModelRegistry().get("llama-900")


def test_models_from_paths(tmp_path: Path) -> None:
    """A directory and a GGUF file of the same tensors, under the user's names, give the same weights."""
    directory = make_directory(tmp_path / "directory", rms_norm_eps=1e-5, rope_theta=5000.0)
    file = write_gguf(tmp_path / "m.gguf", to_gguf(llama_tensors()))
    registry = ModelRegistry([("mine/directory", directory), ("mine/file", file)])
    assert registry.names()[2:4] == ["mine/directory", "mine/file"]
    assert registry.max_context("mine/file") == 64
    one, other = registry.get("mine/directory").weights, registry.get("mine/file").weights
    np.testing.assert_array_equal(one.embed, other.embed)
    for ours, theirs in zip(one.layers, other.layers, strict=True):
        np.testing.assert_array_equal(ours.qkv, theirs.qkv)
        np.testing.assert_array_equal(ours.down, theirs.down)


def test_names_are_not_taken_twice(tmp_path: Path) -> None:
    """Neither the built-in names nor the user's own."""
    with pytest.raises(InputError, match="two models"):
        ModelRegistry([(TINY, tmp_path)])
    with pytest.raises(InputError, match="two models"):
        ModelRegistry([("a", tmp_path), ("a", tmp_path)])


def test_a_user_may_replace_a_packaged_model(tmp_path: Path) -> None:
    """A path given under a packaged model's name is what is loaded."""
    file = write_gguf(tmp_path / "m.gguf", to_gguf(llama_tensors()))
    registry = ModelRegistry([(SMOLLM2, file)])
    assert registry.names().count(SMOLLM2) == 1
    assert registry.config("smollm2").hidden_size == 32
    assert registry.max_context("smollm2") == 64


def test_a_bad_path_is_found_when_the_model_is_used(tmp_path: Path) -> None:
    """Opening is lazy, and its error names the path; a good model beside it still works."""
    registry = ModelRegistry([("bad", tmp_path / "nowhere")])
    assert "bad" in registry.names()
    for _ in range(2):
        with pytest.raises(ModelFileError, match=r"nowhere: does not exist"):
            registry.get("bad")
    assert registry.get(TINY)


def test_one_thread_loads_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads that ask at once get one object, loaded once."""
    loads: list[str] = []

    def counted(source: ModelSource) -> object:
        loads.append(source.config.name)
        return load(source)

    monkeypatch.setattr(module, "load", counted)
    registry, found = ModelRegistry(), []
    threads = [threading.Thread(target=lambda: found.append(registry.get(TINY))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(model) for model in found}) == 1
    assert loads == [TINY]


def test_a_tensor_that_does_not_fit(tmp_path: Path) -> None:
    """A file whose tensors contradict its configuration is named with the tensor."""
    path = make_directory(tmp_path / "m", hidden_size=16)
    with pytest.raises(ModelFileError, match=r"m: .*embed_tokens"):
        load(open_model(path, "m"))


def test_a_single_tensor_file_is_no_model(tmp_path: Path) -> None:
    """A path to the safetensors file itself says to give the directory."""
    path = make_directory(tmp_path / "m")
    with pytest.raises(ModelFileError, match="give the directory"):
        open_model(path / "model.safetensors", "m")


def test_the_option_of_the_command_line() -> None:
    """NAME=PATH is split at the first sign; anything else is refused."""
    assert parse_model_option("a/b=/c=d") == ("a/b", Path("/c=d"))
    for text in ("a", "=b", "a=", ""):
        with pytest.raises(InputError, match="NAME=PATH"):
            parse_model_option(text)
