"""A base model as what a Hugging Face folder of it holds: settings, tensors with their types, other files.

Owns where these come from: such a folder of any architecture, whose files are taken as they are, or a model
that the embedded service can open, from which they are made.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from tinsmith_local.models.gguf import open_gguf
from tinsmith_local.models.hugging_face import (
    INDEX,
    open_directory,
    published_settings,
    read_json,
    tensor_files,
    tensor_shapes,
    write_tokenizer,
)
from tinsmith_local.models.registry import ModelRegistry
from tinsmith_local.models.source import ModelFileError, ModelSource, TensorGetter
from tinsmith_local.models.tensor_file import StoredTensor, numpy_dtype, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTINGS = "config.json"
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx")
"""Endings of files that hold weights, in this form or another."""


@attrs.frozen(eq=False)
class BaseFiles:
    """A base model on disk or in code."""

    origin: str
    """File or directory that it comes from, or its name."""
    settings: Mapping[str, object] = attrs.field(repr=False)
    """What `config.json` says."""
    tensors: Mapping[str, StoredTensor] = attrs.field(repr=False)
    """Name -> type and shape of each tensor."""
    get: TensorGetter = attrs.field(repr=False)
    """Reads one tensor; 16-bit ones as float32."""
    write_others: Callable[[Path], None] = attrs.field(repr=False)
    """Writes what a model folder holds besides settings and weights into a directory."""
    source: ModelSource | None = attrs.field(repr=False)
    """The model as the engine reads it; None if the engine does not know the architecture."""
    unknown: str | None = None
    """Why the engine does not know it."""

    @property
    def embedding(self) -> str:
        """Name of the input embedding."""
        for name in self.tensors:
            if name.endswith("embed_tokens.weight"):
                return name
        raise ModelFileError(self.origin, "holds no embed_tokens.weight")

    @property
    def is_tied(self) -> bool:
        """Whether the unembedding is the input embedding."""
        return "lm_head.weight" not in self.tensors or bool(self.settings.get("tie_word_embeddings"))


def open_base(place: str | Path, models: Iterable[tuple[str, Path]] = ()) -> BaseFiles:
    """Open a base model: a Hugging Face folder, a GGUF file, or a model of the embedded service by its name.

    `models` are further names, each with its folder or file. Raise InputError for a name that is none,
    MissingModelError for a model to be fetched first, and ModelFileError for files that cannot be read.
    """
    path = Path(place).expanduser()
    if path.is_dir():
        return _of_directory(path)
    if path.is_file():
        return _of_source(open_gguf(path, str(place)))
    source = ModelRegistry(models).source(str(place))
    return _of_directory(Path(source.origin)) if Path(source.origin).is_dir() else _of_source(source)


def _of_directory(path: Path) -> BaseFiles:
    """Take the files of a folder as they are."""
    settings = read_json(path / SETTINGS)
    if settings.get("quantization_config"):
        raise ModelFileError(
            path / SETTINGS,
            "the weights are quantised, and nothing can be added to them; name the original model",
        )
    files = tensor_files(path)
    order = sorted(files, key=lambda name: (files[name].path, files[name].place(name)))
    tensors = {name: files[name].stored(name) for name in order}
    for name, stored in tensors.items():
        try:
            numpy_dtype(stored.dtype)
        except KeyError:
            raise ModelFileError(
                files[name].path, f"tensor {name!r} is of the type {stored.dtype}, which is not supported"
            ) from None
    source, unknown = None, None
    try:
        source = open_directory(path, str(path))
    except ModelFileError as error:
        unknown = error.reason
    return BaseFiles(
        origin=str(path),
        settings=settings,
        tensors=tensors,
        get=lambda name: files[name].get(name),
        write_others=lambda folder: _copy_others(path, folder),
        source=source,
        unknown=unknown,
    )


def _copy_others(path: Path, folder: Path) -> None:
    for file in sorted(path.iterdir()):
        is_weight = file.suffix in _WEIGHTS or file.name.endswith(".index.json") or file.name == INDEX
        if file.is_file() and not is_weight and not file.name.startswith(".") and file.name != SETTINGS:
            shutil.copyfile(file, folder / file.name)


def _of_source(source: ModelSource) -> BaseFiles:
    """Make the files of a model that is read from GGUF or made in code; its numbers are float32."""
    shapes = tensor_shapes(source.config)
    return BaseFiles(
        origin=source.origin,
        settings=published_settings(source) | {"torch_dtype": "float32", "dtype": "float32"},
        tensors={name: StoredTensor("F32", shape) for name, shape in shapes.items()},
        get=source.get_tensor,
        write_others=lambda folder: _write_tokenizer(source, folder),
        source=source,
    )


def _write_tokenizer(source: ModelSource, folder: Path) -> None:
    if source.tokenizer_json is not None:
        write_tokenizer(source, folder)
    ends = list(source.config.eos_token_ids)
    text = json.dumps({"eos_token_id": ends[0] if len(ends) == 1 else ends}, indent=2) + "\n"
    if ends:
        write_whole(folder / "generation_config.json", text.encode())
