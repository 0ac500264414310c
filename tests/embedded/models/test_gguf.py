"""GGUF files: shape, names, rotary order, every quantised type, and what is refused."""

import json
import random
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from tinsmith_local.engine.config import RopeScaling
from tinsmith_local.models.gguf import open_gguf, read_tensor
from tinsmith_local.models.gguf_index import read_index
from tinsmith_local.models.source import ModelFileError

from tests.embedded.models.blocks import PACKERS
from tests.embedded.models.conftest import GOLDEN
from tests.embedded.models.gguf_files import HIDDEN, llama_tensors, to_gguf, write_gguf


def test_a_llama_comes_back_as_it_was(tmp_path: Path) -> None:
    """Every tensor has its Hugging Face name and the row order from before the conversion."""
    tensors = llama_tensors()
    source = open_gguf(write_gguf(tmp_path / "m.gguf", to_gguf(tensors)), "mine")
    for name, array in tensors.items():
        np.testing.assert_array_equal(source.get_tensor(name), array, err_msg=name)


def test_shape_is_read_from_the_metadata(tmp_path: Path) -> None:
    """Counts, constants, tied unembedding and end tokens stand in the configuration."""
    source = open_gguf(write_gguf(tmp_path / "m.gguf", to_gguf(llama_tensors())), "mine")
    config = source.config
    assert (config.name, config.family, config.vocab_size, config.hidden_size) == ("mine", "llama", 261, 32)
    assert (config.num_layers, config.num_heads, config.num_kv_heads, config.head_dim) == (2, 4, 2, 8)
    assert (config.intermediate_size, config.max_context, config.rope_theta) == (64, 64, 5000.0)
    assert config.tie_embeddings
    assert config.eos_token_ids == (2,)
    assert source.chat_template == "{{ messages }}"
    assert source.tokenizer_config == {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}


def test_an_output_tensor_unties_the_unembedding(tmp_path: Path) -> None:
    """A file with `output.weight` is untied, and the tensor is the unembedding."""
    head = np.random.default_rng(1).normal(size=(261, HIDDEN)).astype(np.float32)
    tensors = {**to_gguf(llama_tensors()), "output.weight": head}
    source = open_gguf(write_gguf(tmp_path / "m.gguf", tensors), "m")
    assert not source.config.tie_embeddings
    np.testing.assert_array_equal(source.get_tensor("lm_head.weight"), head)


def test_other_families_keep_their_row_order(tmp_path: Path) -> None:
    """Qwen files store queries and keys unpermuted; biases are found."""
    tensors = llama_tensors()
    stored = to_gguf(tensors)
    for layer in (0, 1):
        stored[f"blk.{layer}.attn_q.weight"] = tensors[f"model.layers.{layer}.self_attn.q_proj.weight"]
        stored[f"blk.{layer}.attn_q.bias"] = np.arange(32, dtype=np.float32)
    source = open_gguf(write_gguf(tmp_path / "m.gguf", stored, family="qwen2", pre="qwen2"), "m")
    name = "model.layers.1.self_attn.q_proj"
    np.testing.assert_array_equal(source.get_tensor(f"{name}.weight"), tensors[f"{name}.weight"])
    np.testing.assert_array_equal(source.get_tensor(f"{name}.bias"), np.arange(32))
    assert source.config.qkv_bias


def test_stretched_rotary_positions_of_llama_3(tmp_path: Path) -> None:
    """The divisors that transformers' formula gives for Llama 3.1 are recognised; others are refused."""
    wavelengths = 2 * np.pi * 5000.0 ** (np.arange(0, 8, 2) / 8)
    blend = (8192 / wavelengths - 1) / 3
    stretched = np.where(blend > 1, 1.0, 8.0)
    between = (blend >= 0) & (blend <= 1)
    stretched[between] = 1 / ((1 - blend[between]) / 8 + blend[between])
    assert between.any()
    tensors = {**to_gguf(llama_tensors()), "rope_freqs.weight": stretched.astype(np.float32)}
    scaling = open_gguf(write_gguf(tmp_path / "m.gguf", tensors), "m").config.rope_scaling
    assert scaling == RopeScaling(
        factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position=8192
    )
    tensors["rope_freqs.weight"] = np.array([1, 2, 3, 8], np.float32)
    with pytest.raises(ModelFileError, match="unknown way"):
        open_gguf(write_gguf(tmp_path / "bad.gguf", tensors), "m")


@pytest.mark.parametrize("kind", sorted(PACKERS))
def test_quantised_blocks(tmp_path: Path, kind: str) -> None:
    """Two rows of two hand-packed blocks have the values that were packed."""
    rng = random.Random(kind)
    blocks = [PACKERS[kind](rng) for _ in range(4)]
    raw = np.frombuffer(b"".join(packed for packed, _ in blocks), np.uint8).reshape(2, -1)
    wanted = np.array([value for _, values in blocks for value in values], np.float32).reshape(2, -1)
    quantised = {"t": gguf.GGMLQuantizationType[kind]}
    index = read_index(write_gguf(tmp_path / "m.gguf", {"t": raw}, quantised=quantised))
    np.testing.assert_array_equal(read_tensor(index, index.tensors["t"]), wanted)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_plain_floats(tmp_path: Path, dtype: type[np.floating[Any]]) -> None:
    """F32 and F16 tensors come as float32."""
    array = np.random.default_rng(2).normal(size=(3, 5)).astype(dtype)
    index = read_index(write_gguf(tmp_path / "m.gguf", {"t": array}))
    read = read_tensor(index, index.tensors["t"])
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, array.astype(np.float32))


def test_the_index_equals_the_library_reader(tmp_path: Path) -> None:
    """Metadata and tensor places are those that the `gguf` package's own reader finds."""
    path = write_gguf(
        tmp_path / "m.gguf", to_gguf(llama_tensors()), extra={"x.y": 7, "x.z": "text", "x.f": 0.5}
    )
    ours, theirs = read_index(path), gguf.GGUFReader(path)
    wanted = {name: field.contents() for name, field in theirs.fields.items() if not name.startswith("GGUF.")}
    assert dict(ours.metadata) == wanted
    assert [(t.name, ours.data_start + t.offset) for t in ours.tensors.values()] == [
        (t.name, t.data_offset) for t in theirs.tensors
    ]


REFUSED = [
    ({"family": "mamba"}, "architecture 'mamba'"),
    ({"pre": "invented"}, "unknown pre-tokenizer 'invented'"),
    ({"extra": {"llama.rope.dimension_count": 4}}, "a part of each head"),
    ({"extra": {"llama.rope.scaling.type": "yarn"}}, "stretched rotary"),
    ({"extra": {"llama.expert_count": 8}}, "mixtures of experts"),
]


@pytest.mark.parametrize(("change", "reason"), REFUSED)
def test_what_cannot_be_run_is_refused(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    """A model that would load and compute something else raises, naming file and reason."""
    path = write_gguf(tmp_path / "m.gguf", to_gguf(llama_tensors()), **change)
    with pytest.raises(ModelFileError, match=reason) as caught:
        open_gguf(path, "m")
    assert str(path) in str(caught.value)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    """Asking for a tensor that the file lacks names both."""
    tensors = to_gguf(llama_tensors())
    del tensors["blk.1.ffn_up.weight"]
    source = open_gguf(write_gguf(tmp_path / "m.gguf", tensors), "m")
    with pytest.raises(ModelFileError, match=r"m\.gguf.*blk\.1\.ffn_up\.weight.*missing"):
        source.get_tensor("model.layers.1.mlp.up_proj.weight")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_off(tmp_path: Path, share: float) -> None:
    """Wherever a file ends too early, opening it or reading its tensors raises."""
    whole = write_gguf(tmp_path / "whole.gguf", to_gguf(llama_tensors())).read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelFileError, match=r"cut\.gguf"):
        _read_everything(path)


def test_damaged_headers_raise_the_one_error(tmp_path: Path) -> None:
    """Random bytes in the header end in ModelFileError or in a file that reads, never in another error."""
    whole = write_gguf(tmp_path / "whole.gguf", to_gguf(llama_tensors())).read_bytes()
    rng, path, refused = random.Random(5), tmp_path / "bad.gguf", 0
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[rng.choice((rng.randrange(4, 900), rng.randrange(4, len(whole) // 3)))] = rng.randrange(
                256
            )
        path.write_bytes(damaged)
        try:
            _read_everything(path)
        except ModelFileError:
            refused += 1
    assert refused > 30


def _read_everything(path: Path) -> None:
    source = open_gguf(path, "m")
    for name in llama_tensors():
        source.get_tensor(name)


def test_not_a_gguf_file(tmp_path: Path) -> None:
    """A file of another kind and an empty one are named as such."""
    path = tmp_path / "notes.txt"
    path.write_text("no model here")
    with pytest.raises(ModelFileError, match=r"notes\.txt: is not a GGUF file"):
        open_gguf(path, "m")
    path.write_text("")
    with pytest.raises(ModelFileError, match=r"notes\.txt: cannot be read"):
        open_gguf(path, "m")


def test_smollm2_as_transformers_reads_it(smollm2_file: Path) -> None:
    """Each of the 272 tensors has the shape, mean square and sampled values that transformers finds."""
    golden = json.loads((GOLDEN / "gguf_tensors.json").read_text())
    del golden["lm_head.weight"]  # tied: transformers lists the embedding twice
    source = open_gguf(smollm2_file, "smollm2")
    assert len(golden) == 272
    for name, wanted in golden.items():
        array = source.get_tensor(name)
        assert list(array.shape) == wanted["shape"], name
        np.testing.assert_array_equal(
            array.ravel()[wanted["places"]], np.float32(wanted["values"]), err_msg=name
        )
        assert np.mean(np.square(array, dtype=np.float64)) == pytest.approx(wanted["mean_square"], rel=1e-9)


def _split(folder: Path, tensors: dict[str, Any], parts: int = 3, **facts: int) -> list[Path]:
    """Write a model in parts, as llama.cpp splits one; the last holds the unembedding alone."""
    names = list(tensors)
    shares = [names[at : -1 : parts - 1] for at in range(parts - 1)] + [names[-1:]]
    return [
        write_gguf(
            folder / f"m-{number + 1:05d}-of-{parts:05d}.gguf",
            {name: tensors[name] for name in share},
            extra={"split.no": number, "split.count": parts, "split.tensors.count": len(names), **facts},
        )
        for number, share in enumerate(shares)
    ]


def _untied() -> dict[str, Any]:
    head = np.random.default_rng(1).normal(size=(261, HIDDEN)).astype(np.float32)
    return {**to_gguf(llama_tensors()), "output.weight": head}


def test_a_split_model_is_read_whole(tmp_path: Path) -> None:
    """Each tensor of each part is there, and the unembedding in the last part unties the model."""
    tensors = _untied()
    source = open_gguf(_split(tmp_path, tensors)[0], "m")
    assert not source.config.tie_embeddings
    np.testing.assert_array_equal(source.get_tensor("lm_head.weight"), tensors["output.weight"])
    for name, array in llama_tensors().items():
        np.testing.assert_array_equal(source.get_tensor(name), array, err_msg=name)


def test_a_split_model_that_is_not_whole_is_refused_at_once(tmp_path: Path) -> None:
    """A missing part, a part that is not the first, a lost name and foreign parts name the file."""
    tensors = _untied()
    first, second, last = _split(tmp_path, tensors)
    with pytest.raises(
        ModelFileError, match=r"00002-of-00003\.gguf: is part 2 of 3; give the first, m-00001"
    ):
        open_gguf(second, "m")
    alone = first.with_name("alone.gguf")
    alone.write_bytes(first.read_bytes())
    with pytest.raises(ModelFileError, match=r"alone\.gguf: is part 1 of 3, and its name does not end in"):
        open_gguf(alone, "m")
    whole = last.read_bytes()
    last.unlink()
    with pytest.raises(ModelFileError, match=r"00003-of-00003\.gguf: is missing: part 3 of 3"):
        open_gguf(first, "m")
    last.write_bytes(second.read_bytes())
    with pytest.raises(ModelFileError, match="is not part 3 of 3, as its name says"):
        open_gguf(first, "m")
    last.write_bytes(whole)
    write_gguf(second, {}, extra={"split.no": 1, "split.count": 3})
    with pytest.raises(ModelFileError, match=r"00001-of-00003\.gguf: its parts hold \d+ tensors, not \d+"):
        open_gguf(first, "m")
    write_gguf(second, {"output.weight": tensors["output.weight"]}, extra={"split.no": 1, "split.count": 3})
    with pytest.raises(ModelFileError, match=r"00003.*'output\.weight' is in an earlier part too"):
        open_gguf(first, "m")
    write_gguf(first, {}, extra={"split.count": "three"})
    with pytest.raises(ModelFileError, match=r"split\.count is 'three', not a count"):
        open_gguf(first, "m")


def test_a_git_lfs_pointer_is_called_that(tmp_path: Path) -> None:
    """A pointer in place of the file says so, in place of "not a GGUF file"."""
    path = tmp_path / "m.gguf"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 98362432\n")
    with pytest.raises(ModelFileError, match=r"m\.gguf: is a Git LFS pointer.*git lfs pull"):
        open_gguf(path, "m")
