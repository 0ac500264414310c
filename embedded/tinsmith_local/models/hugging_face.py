"""Reads a base model from a Hugging Face directory, and writes a tokenizer as the files of one.

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

_SINGLE, _INDEX = "model.safetensors", "model.safetensors.index.json"


def open_directory(path: Path, name: str) -> ModelSource:
    """Open the Hugging Face directory at `path` as the base model `name`.

    Raise ModelFileError, which names the file and the reason, when it is not one or the engine cannot run it.
    """
    if not path.is_dir():
        raise ModelFileError(path, "is not a directory" if path.exists() else "does not exist")
    config = _config(path, name)
    files = _tensor_files(path)
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


def _tensor_files(path: Path) -> dict[str, TensorFile]:
    """Return tensor name -> the open file that holds it."""
    if (path / _SINGLE).is_file():
        file = TensorFile(path / _SINGLE)
        return dict.fromkeys(file.names(), file)
    index = path / _INDEX
    if not index.is_file():
        raise ModelFileError(path, f"holds neither {_SINGLE} nor {_INDEX}, so this is not a model directory")
    placed = read_json(index).get("weight_map")
    if not isinstance(placed, dict) or not all(isinstance(value, str) for value in placed.values()):
        raise ModelFileError(index, "has no weight_map from tensor to file")
    for shard in placed.values():
        if Path(shard).name != shard:
            raise ModelFileError(index, f"names the file {shard!r} outside its directory")
    files = {shard: TensorFile(path / shard) for shard in sorted(set(placed.values()))}
    for tensor, shard in placed.items():
        if tensor not in files[shard].names():
            raise ModelFileError(path / shard, f"tensor {tensor!r} is missing, which {_INDEX} places there")
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
