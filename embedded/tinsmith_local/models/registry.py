"""Knows the base models of one service: their names, where each comes from, and those that are loaded.

Owns the way from a name to the engine's model. A model is opened when its shape is first needed and its
tensors are read when it is first used; both happen once, whoever asks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.core.errors import InputError, MissingModelError

from tinsmith_local.engine.base_model import BaseModel, Weights
from tinsmith_local.models.fetch import PACKAGED_MODELS, PackagedModel, find_cached
from tinsmith_local.models.gguf import open_gguf
from tinsmith_local.models.hugging_face import open_directory
from tinsmith_local.models.source import ModelFileError, ModelSource
from tinsmith_local.models.tiny import TINY, TINY_UNTIED, open_tiny

if TYPE_CHECKING:
    from tinsmith_local.engine.config import ModelConfig

Opener = Callable[[], ModelSource]


def parse_model_option(text: str) -> tuple[str, Path]:
    """Split `NAME=PATH`; raise InputError when it is not that."""
    name, sign, path = text.partition("=")
    if not (name and sign and path):
        raise InputError(f"{text!r} is not NAME=PATH", field="model")
    return name, Path(path).expanduser()


def open_model(path: Path, name: str) -> ModelSource:
    """Open the model at `path`: a GGUF file or a Hugging Face directory."""
    try:
        is_file, is_other = path.is_file(), path.exists() and not path.is_dir()
    except OSError as error:
        raise ModelFileError(path, f"cannot be read: {error.strerror}") from error
    if is_other and not is_file:
        raise ModelFileError(path, "is neither a file nor a directory")
    if is_file:
        if path.name.endswith(".safetensors"):
            raise ModelFileError(
                path, "is a single tensor file; give the directory that holds it and config.json"
            )
        return open_gguf(path, name)
    return open_directory(path, name)


class ModelRegistry:
    """The base models that a service offers. Safe to use from several threads."""

    def __init__(self, paths: Iterable[tuple[str, Path]] = (), *, reads_paths: bool = False) -> None:
        self._reads_paths = reads_paths
        self._lock = threading.RLock()
        self._sources: dict[str, ModelSource] = {}
        self._models: dict[str, BaseModel] = {}
        self._given: dict[str, Path] = {}
        self._openers: dict[str, Opener] = {
            TINY: lambda: open_tiny(TINY),
            TINY_UNTIED: lambda: open_tiny(TINY_UNTIED),
        }
        self._packaged = {model.name: model for model in PACKAGED_MODELS.values()}
        self._aliases = {model.alias: model.name for model in PACKAGED_MODELS.values()}
        for name, path in paths:
            self.add(name, path)

    def add(self, name: str, path: Path) -> None:
        """Offer the model at `path` under `name`; raise InputError when the name is taken."""
        if name in self._openers:
            raise InputError(f"two models are called {name!r}", field="model")
        self._openers[name] = lambda: open_model(path, name)
        self._given[name] = path

    def offer(self, models: Mapping[str, Path]) -> None:
        """Offer further models, opened at once; one that is offered from this path already stays.

        Raise InputError for a name that is taken, ModelFileError for what is no model.
        """
        with self._lock:
            for name, path in models.items():
                if name not in self._given or not _same(self._given[name], path):
                    source = open_model(path, name)
                    self.add(name, path)
                    self._sources[name] = source

    def check(self) -> None:
        """Open every model that was given by its path, which reads headers alone.

        Raise ModelFileError for the first that is missing, cannot be read or is no model: it is
        an error of the start of a service, not of the first use of the model.
        """
        for name in self._given:
            self._source(name)

    def names(self) -> list[str]:
        """Return the names of all models whose files are here."""
        fetched = [
            name for name, model in self._packaged.items() if find_cached(model) and name not in self._openers
        ]
        return [*self._openers, *fetched]

    def loaded(self) -> list[str]:
        """Return the names of the models whose tensors are in memory."""
        with self._lock:
            return list(self._models)

    def canonical(self, name: str) -> str:
        """Return the full name of a model, given that or an alias; raise InputError for an unknown one.

        Where the service reads paths, a path is a name too, made absolute; ModelFileError says that there is
        no model.
        """
        full = name if name in self._openers else self._aliases.get(name, name)
        if full not in self._openers and full not in self._packaged:
            if self._reads_paths and _is_path(name):
                return self._by_path(Path(os.path.abspath(Path(name).expanduser())))
            raise InputError(
                f"unknown base model {name!r}; there are {', '.join([*self.names(), *self._aliases])}",
                field="base_model",
            )
        return full

    def _by_path(self, path: Path) -> str:
        """Offer the model at a path under that path, unless it has a name already; that name."""
        with self._lock:
            for known, given in self._given.items():
                if _same(given, path):
                    return known
            self.offer({str(path): path})
            return str(path)

    def config(self, name: str) -> ModelConfig:
        """Return the shape of a model without reading its tensors; errors as `get`."""
        return self._source(self.canonical(name)).config

    def max_context(self, name: str) -> int:
        """Return the longest sequence of a model in tokens, without opening a packaged file."""
        full = self.canonical(name)
        return self.config(full).max_context if full in self._openers else self._packaged[full].max_context

    def source(self, name: str) -> ModelSource:
        """Return a model opened but not loaded; errors as `get`."""
        return self._source(self.canonical(name))

    def get(self, name: str) -> BaseModel:
        """Return the loaded model.

        Raise InputError for an unknown name, MissingModelError for one that has to be fetched first, and
        ModelFileError for damaged files.
        """
        full = self.canonical(name)
        with self._lock:
            if full not in self._models:
                self._sources.pop(full, None)  # the file may be another than when its header was read
                self._models[full] = load(self._source(full))
            return self._models[full]

    def _source(self, name: str) -> ModelSource:
        with self._lock:
            if name not in self._sources:
                opener = self._openers.get(name)
                self._sources[name] = opener() if opener else _open_packaged(self._packaged[name])
            return self._sources[name]


def _is_path(name: str) -> bool:
    """Whether a name that is no model's means a place on this machine: `org/name` does if it is there."""
    return Path(name).is_absolute() or name.startswith((".", "~")) or os.path.exists(name)


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one place."""
    return one.expanduser().resolve() == other.expanduser().resolve()


def load(source: ModelSource) -> BaseModel:
    """Read the tensors of an opened model into the engine's layout."""
    try:
        weights = Weights.from_tensors(source.config, source.get_tensor)
    except KeyError as error:
        raise ModelFileError(source.origin, f"tensor {error.args[0]!r} is missing") from error
    except ValueError as error:
        raise ModelFileError(source.origin, str(error)) from error
    return BaseModel(config=source.config, weights=weights)


def _open_packaged(model: PackagedModel) -> ModelSource:
    path = find_cached(model)
    if path is None:
        raise MissingModelError(
            f"base model {model.name!r} is not here; `tinsmith model fetch {model.alias}` brings it"
        )
    return open_gguf(path, model.name)
