"""Hugging Face directories: single and sharded, 16 and 32 bit, and what is refused."""

import json
import os
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from tinsmith_local.models.hugging_face import open_directory
from tinsmith_local.models.source import ModelFileError, ModelSource
from tinsmith_local.models.tensor_file import TensorFile, write_tensors

from tests.embedded.models.gguf_files import llama_tensors

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-6,
    "rope_theta": 20000.0,
    "tie_word_embeddings": True,
    "vocab_size": 261,
    "eos_token_id": 2,
}


def make_directory(path: Path, *, dtype: Any = np.float32, shards: int = 1, **changes: object) -> Path:
    """Write a model directory with random tensors in one file or several."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    tensors = {name: array.astype(dtype) for name, array in llama_tensors().items()}
    if shards == 1:
        save_file(tensors, path / "model.safetensors")
        return path
    placed = {name: f"model-{number % shards}.safetensors" for number, name in enumerate(tensors)}
    for shard in set(placed.values()):
        save_file({name: tensors[name] for name in placed if placed[name] == shard}, path / shard)
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": placed}))
    return path


def everything(source: ModelSource) -> dict[str, Any]:
    """Read all tensors."""
    return {name: source.get_tensor(name) for name in llama_tensors()}


@pytest.mark.parametrize("shards", [1, 3])
def test_f32(tmp_path: Path, shards: int) -> None:
    """Tensors come as they were, as views of the memory-mapped file."""
    read = everything(open_directory(make_directory(tmp_path / "m", shards=shards), "m"))
    for name, array in llama_tensors().items():
        np.testing.assert_array_equal(read[name], array)
        assert not read[name].flags.owndata


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_16_bit(tmp_path: Path, dtype: Any) -> None:
    """Half precision and bfloat16 are widened without loss."""
    read = everything(open_directory(make_directory(tmp_path / "m", dtype=dtype), "m"))
    for name, array in llama_tensors().items():
        assert read[name].dtype == np.float32
        np.testing.assert_array_equal(read[name], array.astype(dtype).astype(np.float32))


def test_configuration_and_text_side(tmp_path: Path) -> None:
    """Shape, end tokens of both files, chat template and tokenizer are found."""
    path = make_directory(tmp_path / "m")
    (path / "generation_config.json").write_text('{"eos_token_id": [2, 7]}')
    (path / "tokenizer.json").write_bytes(b"{}")
    (path / "tokenizer_config.json").write_text('{"chat_template": "old", "eos_token": "</s>"}')
    source = open_directory(path, "mine")
    assert (source.config.name, source.config.rope_theta, source.config.eos_token_ids) == (
        "mine",
        20000.0,
        (2, 7),
    )
    assert source.tokenizer_json == b"{}"
    assert source.chat_template == "old"
    assert source.tokenizer_config["eos_token"] == "</s>"
    (path / "chat_template.jinja").write_text("new")
    assert open_directory(path, "mine").chat_template == "new"


def test_tokens_in_older_files_are_found(tmp_path: Path) -> None:
    """What stands in files of their own is in the configuration; a broken one is named."""
    path = make_directory(tmp_path / "m")
    (path / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    (path / "special_tokens_map.json").write_text('{"pad_token": {"content": "<pad>"}}')
    (path / "added_tokens.json").write_text('{"<late>": 70}')
    assert open_directory(path, "mine").tokenizer_config == {
        "eos_token": "</s>",
        "pad_token": {"content": "<pad>"},
        "added_tokens_decoder": {"70": {"content": "<late>"}},
    }
    (path / "added_tokens.json").write_text("[")
    with pytest.raises(ModelFileError, match=r"added_tokens\.json"):
        open_directory(path, "mine")


def test_the_default_of_several_templates(tmp_path: Path) -> None:
    """A list of named templates gives the one called default."""
    path = make_directory(tmp_path / "m")
    templates = [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]
    (path / "tokenizer_config.json").write_text(json.dumps({"chat_template": templates}))
    source = open_directory(path, "m")
    assert source.chat_template == "d"
    assert source.tokenizer_json is None


def test_not_a_model_directory(tmp_path: Path) -> None:
    """No directory, an empty one, and one without tensors are told apart and named."""
    cases = {
        "absent": "does not exist",
        "empty": r"config\.json: is missing",
        "bare": "neither model.safetensors nor",
    }
    (tmp_path / "empty").mkdir()
    make_directory(tmp_path / "bare")
    (tmp_path / "bare" / "model.safetensors").unlink()
    for name, reason in cases.items():
        with pytest.raises(ModelFileError, match=rf"{name}.*{reason}"):
            open_directory(tmp_path / name, "m")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ModelFileError, match="is not a directory"):
        open_directory(file, "m")


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("config.json", b"{", "cannot be read as JSON"),
        ("config.json", b"[1]", "holds no JSON object"),
        ("config.json", b'{"model_type": "mamba"}', "mamba"),
        ("model.safetensors", b"", "damaged"),
        ("model.safetensors", b"\xff" * 64, "damaged"),
        ("model.safetensors", b'\x10\0\0\0\0\0\0\0{"a": broken!!!}', "damaged"),
    ],
    ids=["json", "list", "family", "empty", "noise", "header"],
)
def test_damaged_files(tmp_path: Path, file: str, content: bytes, reason: str) -> None:
    """A damaged file is named with its reason."""
    path = make_directory(tmp_path / "m")
    (path / file).write_bytes(content)
    with pytest.raises(ModelFileError, match=reason) as caught:
        open_directory(path, "m")
    assert file in str(caught.value)


def test_a_truncated_tensor_file(tmp_path: Path) -> None:
    """A file shorter than its header promises is refused when it is opened."""
    path = make_directory(tmp_path / "m")
    whole = (path / "model.safetensors").read_bytes()
    (path / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(ModelFileError, match=r"model\.safetensors: is damaged"):
        open_directory(path, "m")


def test_a_missing_tensor_and_a_missing_shard(tmp_path: Path) -> None:
    """Both are named."""
    with pytest.raises(ModelFileError, match=r"tensor 'model.nothing.weight' is missing"):
        open_directory(make_directory(tmp_path / "one"), "m").get_tensor("model.nothing.weight")
    path = make_directory(tmp_path / "three", shards=3)
    (path / "model-1.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"model-1\.safetensors"):
        open_directory(path, "m")


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        ({"weight_map": {"a": "../model.safetensors"}}, "outside its directory"),
        ({"weight_map": ["a"]}, "no weight_map"),
        ({"weight_map": {"model.extra.weight": "model-0.safetensors"}}, "'model.extra.weight' is missing"),
    ],
)
def test_a_bad_index(tmp_path: Path, index: object, reason: str) -> None:
    """An index that lies or leads elsewhere is refused."""
    path = make_directory(tmp_path / "m", shards=3)
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelFileError, match=reason):
        open_directory(path, "m")


def test_tensors_at_odd_offsets_are_read(tmp_path: Path) -> None:
    """A tensor that is not aligned in the file is copied, not misread."""
    path = tmp_path / "odd.safetensors"
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}' + b" "
    path.write_bytes(len(header).to_bytes(8, "little") + header + np.array([1.5, -2.0], "<f4").tobytes())
    np.testing.assert_array_equal(TensorFile(path).get("a"), [1.5, -2.0])


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    """Metadata is written in a fixed order, whatever the library does, and reads back."""
    metadata, written = {f"k{number}": f"\u00e9 {number}" for number in range(9)}, set()
    for number in range(8):
        path = tmp_path / f"{number}.safetensors"
        write_tensors(path, {"b": np.arange(3), "a": np.ones(2, np.float32)}, metadata)
        written.add(path.read_bytes())
        assert TensorFile(path).metadata == metadata
        np.testing.assert_array_equal(TensorFile(path).get("b"), [0, 1, 2])
    assert len(written) == 1


def test_written_files_are_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the rename fails the old file stays and no scratch file is left."""
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"x": np.ones(3, np.float32)}, {"k": "v"})
    assert TensorFile(path).metadata == {"k": "v"}

    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space"):
        write_tensors(path, {"x": np.zeros(3, np.float32)}, {})
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.safetensors"]
    np.testing.assert_array_equal(TensorFile(path).get("x"), np.ones(3))


@pytest.mark.parametrize("place", [-1, -7, -40])
def test_numbers_are_checked_by_their_checksum(tmp_path: Path, place: int) -> None:
    """A file of ours with one bit changed among its numbers is refused, by name."""
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"x": np.arange(16, dtype=np.float32)}, {"step": "3"})
    assert TensorFile(path).metadata["step"] == "3"
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"a\.safetensors: is damaged: its numbers do not match"):
        TensorFile(path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_pipe_in_place_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing waits for somebody to write into it."""
    directory = make_directory(tmp_path / "m")
    (directory / name).unlink()
    os.mkfifo(directory / name)
    with pytest.raises(ModelFileError, match=r"is not a regular file|holds neither"):
        open_directory(directory, "m")
    with pytest.raises(ModelFileError, match="is not a regular file"):
        TensorFile(directory / name)


@pytest.mark.parametrize(
    "file",
    [
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "chat_template.jinja",
    ],
)
def test_a_git_lfs_pointer_is_called_that(tmp_path: Path, file: str) -> None:
    """Whichever file of a model a pointer stands for, it is named, and never read as content."""
    path = make_directory(tmp_path / "m")
    (path / file).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    with pytest.raises(ModelFileError, match="is a Git LFS pointer") as caught:
        assert open_directory(path, "m").tokenizer_json is not None
    assert file in str(caught.value)


def test_a_git_lfs_pointer_in_place_of_a_shard(tmp_path: Path) -> None:
    """So is one in place of a part of the tensors, or of their index."""
    path = make_directory(tmp_path / "m", shards=3)
    for file in ("model-1.safetensors", "model.safetensors.index.json"):
        (path / file).write_text("version https://git-lfs.github.com/spec/v1\n")
        with pytest.raises(ModelFileError, match=rf"{file}: is a Git LFS pointer"):
            open_directory(path, "m")
