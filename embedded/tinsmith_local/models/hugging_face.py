"""Reads a base model from a Hugging Face directory, and writes settings and tokenizer as the files of one.

Owns the layout of such a directory, and loads no tokenizer. The files of the tensors belong to `tensor_file`,
the meaning of `config.json` to the engine's configuration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs
from tinsmith.core.errors import InputError
from tinsmith.core.tokenizer_files import ADDED, CONFIG, SPECIAL_MAP, read_settings

from tinsmith_local.engine.config import ModelConfig
from tinsmith_local.models.source import ModelFileError, ModelSource, check_file
from tinsmith_local.models.tensor_file import TensorFile, write_whole

if TYPE_CHECKING:
    import numpy as np

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"


def open_directory(path: Path, name: str) -> ModelSource:
    """Open the Hugging Face directory at `path` as the base model `name`.

    Raise ModelFileError, which names the file and the reason, when it is not one or the engine cannot run it.
    """
    if not path.is_dir():
        raise ModelFileError(path, "is not a directory" if path.exists() else "does not exist")
    config = _config(path, name)
    files = tensor_files(path)
    tokenizer_config = _tokenizer_config(path)
    tokenizer = path / "tokenizer.json"
    return ModelSource(
        origin=str(path),
        config=config,
        get_tensor=_Shards(path, files).get,
        read_tokenizer=lambda: _content(tokenizer),
        chat_template=_chat_template(path, tokenizer_config),
        tokenizer_config=tokenizer_config,
    )


def read_json(path: Path, *, missing: dict[str, object] | None = None) -> dict[str, object]:
    """Return the JSON object in the file, or `missing` when there is no file."""
    if missing is not None and not path.is_file():
        return missing
    check_file(path)
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ModelFileError(path, "is missing, so this is not a model directory") from None
    except (OSError, ValueError) as error:
        raise ModelFileError(path, f"cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelFileError(path, "holds no JSON object")
    return value


def _config(path: Path, name: str) -> ModelConfig:
    file = path / "config.json"
    raw = read_json(file)
    try:
        config = ModelConfig.from_hugging_face(name, raw)
    except ValueError as error:
        raise ModelFileError(file, str(error)) from error
    generation = read_json(path / "generation_config.json", missing={})
    ends = generation.get("eos_token_id", ())
    ends = ends if isinstance(ends, list) else [ends]
    numbers = (*config.eos_token_ids, *(number for number in ends if isinstance(number, int)))
    return attrs.evolve(config, eos_token_ids=tuple(dict.fromkeys(numbers)))


def tensor_files(path: Path) -> dict[str, TensorFile]:
    """Return tensor name -> the open file that holds it."""
    if (path / SINGLE).is_file():
        file = TensorFile(path / SINGLE)
        return dict.fromkeys(file.names(), file)
    index = path / INDEX
    if not index.is_file():
        raise ModelFileError(path, f"holds neither {SINGLE} nor {INDEX}, so this is not a model directory")
    placed = read_json(index).get("weight_map")
    if not isinstance(placed, dict) or not all(isinstance(value, str) for value in placed.values()):
        raise ModelFileError(index, "has no weight_map from tensor to file")
    for shard in placed.values():
        if Path(shard).name != shard:
            raise ModelFileError(index, f"names the file {shard!r} outside its directory")
    files = {shard: TensorFile(path / shard) for shard in sorted(set(placed.values()))}
    for tensor, shard in placed.items():
        if tensor not in files[shard].names():
            raise ModelFileError(path / shard, f"tensor {tensor!r} is missing, which {INDEX} places there")
    return {tensor: files[shard] for tensor, shard in placed.items()}


class _Shards:
    """Finds the file of each tensor."""

    def __init__(self, path: Path, files: dict[str, TensorFile]) -> None:
        self._path = path
        self._files = files

    def get(self, name: str) -> np.ndarray[Any, Any]:
        file = self._files.get(name)
        if file is None:
            raise ModelFileError(self._path, f"tensor {name!r} is missing")
        return file.get(name)


def _content(path: Path) -> bytes | None:
    """Return the content of a file beside the model, or None when it is not there."""
    if not path.is_file():
        return None
    check_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(path, f"cannot be read: {error}") from error


def _tokenizer_config(path: Path) -> dict[str, object]:
    """Return `tokenizer_config.json`, and what older files beside it say of special and added tokens."""
    config = read_json(path / CONFIG, missing={})
    found = {name: _content(path / name) for name in (SPECIAL_MAP, ADDED)}
    older = {name: content for name, content in found.items() if content is not None}
    try:
        return read_settings({CONFIG: json.dumps(config).encode(), **older}, str(path)).config
    except InputError as error:
        raise ModelFileError(path, str(error)) from error


def _chat_template(path: Path, tokenizer_config: dict[str, object]) -> str | None:
    """Return the template beside the tokenizer, or the (default) one in `tokenizer_config.json`."""
    file = path / "chat_template.jinja"
    content = _content(file)
    if content is not None:
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise ModelFileError(file, "is not UTF-8") from None
    template = tokenizer_config.get("chat_template")
    if isinstance(template, list):
        named = {entry.get("name"): entry.get("template") for entry in cast("list[dict[str, str]]", template)}
        template = named.get("default")
    return template if isinstance(template, str) else None


def write_tokenizer(source: ModelSource, directory: Path) -> None:
    """Write `tokenizer.json`, `tokenizer_config.json` and the chat template of a model into `directory`.

    The directory is made if it is missing. Raise ModelFileError for a model without a tokenizer.
    """
    content = source.tokenizer_json
    if content is None:
        raise ModelFileError(source.origin, "brings no tokenizer")
    directory.mkdir(parents=True, exist_ok=True)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": source.config.max_context,
        "clean_up_tokenization_spaces": False,
        **source.tokenizer_config,
    }
    if source.chat_template is not None:
        settings["chat_template"] = source.chat_template
    write_whole(directory / "tokenizer.json", content)
    text = json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_whole(directory / "tokenizer_config.json", text.encode())


def tensor_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Return the published name and shape of every tensor of a model, in the order of the layers."""
    hidden, inner, head = config.hidden_size, config.intermediate_size, config.head_dim
    heads = {"q": config.q_size, "k": config.kv_size, "v": config.kv_size}
    block: dict[str, tuple[int, ...]] = {"input_layernorm.weight": (hidden,)}
    for letter, size in heads.items():
        block[f"self_attn.{letter}_proj.weight"] = (size, hidden)
        if config.qkv_bias:
            block[f"self_attn.{letter}_proj.bias"] = (size,)
    if config.qk_norm:
        block |= {f"self_attn.{letter}_norm.weight": (head,) for letter in "qk"}
    block |= {
        "self_attn.o_proj.weight": (hidden, config.q_size),
        "post_attention_layernorm.weight": (hidden,),
        "mlp.gate_proj.weight": (inner, hidden),
        "mlp.up_proj.weight": (inner, hidden),
        "mlp.down_proj.weight": (hidden, inner),
    }
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (config.vocab_size, hidden)}
    for layer in range(config.num_layers):
        shapes |= {f"model.layers.{layer}.{part}": shape for part, shape in block.items()}
    shapes["model.norm.weight"] = (hidden,)
    if not config.tie_embeddings:
        shapes["lm_head.weight"] = (config.vocab_size, hidden)
    return shapes


_CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}


def published_settings(source: ModelSource) -> dict[str, object]:
    """Return what `config.json` says of a model: of the language model alone, if it reads images too."""
    config = source.config
    ends = list(config.eos_token_ids)
    scaling: dict[str, object] | None = None
    if config.rope_scaling is not None:
        scaling = {
            "rope_type": "llama3",
            "factor": config.rope_scaling.factor,
            "low_freq_factor": config.rope_scaling.low_freq_factor,
            "high_freq_factor": config.rope_scaling.high_freq_factor,
            "original_max_position_embeddings": config.rope_scaling.original_max_position,
        }
    return {
        "architectures": [_CLASSES[config.family]],
        "model_type": config.family,
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "num_key_value_heads": config.num_kv_heads,
        "head_dim": config.head_dim,
        "intermediate_size": config.intermediate_size,
        "hidden_act": "silu",
        "max_position_embeddings": config.max_context,
        "rms_norm_eps": float(f"{config.rms_eps:.6g}"),  # GGUF keeps it in single precision
        "rope_theta": config.rope_theta,
        "rope_scaling": scaling,
        "rope_parameters": {"rope_theta": config.rope_theta, "rope_type": "default", **(scaling or {})},
        "tie_word_embeddings": config.tie_embeddings,
        "bos_token_id": None,
        "eos_token_id": ends[0] if len(ends) == 1 else ends or None,
    }
