"""Merges an adapter into its base model: W + scale B A in float32, into a new Hugging Face folder.

Holds one tensor at a time. The base model is not changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from tinsmith_local.conversion.base_files import SETTINGS, BaseFiles
from tinsmith_local.conversion.lora_files import LoraFiles
from tinsmith_local.models.adapters import check_whole_matrix
from tinsmith_local.models.hugging_face import INDEX, SINGLE
from tinsmith_local.models.source import ModelFileError
from tinsmith_local.models.tensor_file import StoredTensor, write_in_turn, write_whole

if TYPE_CHECKING:
    from pathlib import Path

Array = np.ndarray[Any, Any]
Progress = Callable[[str, int, int], object]
"""Called with what is being done, bytes done and bytes in all."""

FLOATS = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
"""Types that merged weights can have -> their names in safetensors."""

SHARD_BYTES = 5 * 1000**3
"""Bytes in one file of weights, as models are published."""

ROW_BLOCK = 4096
"""Rows that are added at once, so that B A of a large matrix never exists as a whole."""

_LM_HEAD = "lm_head"
_OF_IMAGES = "vision.patch_proj"
"""The one module of the embedded service's models that no published architecture has."""


@attrs.frozen(eq=False)
class Merge:
    """An adapter over its base model, as the tensors that merging writes."""

    base: BaseFiles
    """The base model."""
    adapter: LoraFiles | None
    """The adapter; None gives the base model alone."""
    tensors: Mapping[str, StoredTensor] = attrs.field(repr=False)
    """Name -> type and shape of each tensor to write."""
    modules: Mapping[str, str] = attrs.field(repr=False)
    """Tensor to write -> module of the adapter that changes it."""
    left_out: tuple[str, ...]
    """Modules of the adapter that the folder has no place for: those for images."""
    unties: bool
    """Whether the unembedding becomes a matrix of its own."""

    @classmethod
    def plan(cls, base: BaseFiles, adapter: LoraFiles | None, dtype: str | None = None) -> Merge:
        """Compare an adapter with a base model; `dtype` is one of FLOATS, and None keeps the base model's.

        Raise ModelFileError if they do not fit.
        """
        tensors = dict(base.tensors)
        modules: dict[str, str] = {}
        left_out: list[str] = []
        unties = adapter is not None and _LM_HEAD in adapter.pairs and base.is_tied
        if unties:
            tensors["lm_head.weight"] = tensors[base.embedding]
        published = {name.replace("language_model.", "", 1): name for name in tensors}
        for module in adapter.pairs if adapter else ():
            name = f"{module}.weight"
            name = name if name in tensors else published.get(name, name)
            if name in tensors:
                modules[name] = module
            elif module == _OF_IMAGES:
                left_out.append(module)
            else:
                raise ModelFileError(
                    base.origin, f"has no tensor {name!r}, which the adapter changes: it is for another model"
                )
        if dtype is not None:
            tensors = {name: _as(stored, FLOATS[dtype]) for name, stored in tensors.items()}
        merge = cls(base, adapter, tensors, modules, tuple(left_out), unties)
        merge._check()
        return merge

    @property
    def nbytes(self) -> int:
        """Bytes of all weights."""
        return sum(stored.nbytes for stored in self.tensors.values())

    def settings(self, dtype: str | None) -> dict[str, object]:
        """Return `config.json` of the merged model."""
        settings = dict(self.base.settings)
        if self.unties:
            settings["tie_word_embeddings"] = False
            if isinstance(text := settings.get("text_config"), dict):
                settings["text_config"] = {**text, "tie_word_embeddings": False}
        if dtype is not None:
            known = [key for key in ("dtype", "torch_dtype") if key in settings] or ["torch_dtype"]
            settings |= dict.fromkeys(known, dtype)
        return settings

    def tensor(self, name: str) -> Array:
        """Return the numbers of one tensor: the base model's, with what the adapter adds to them."""
        if name not in self.modules:
            return self.base_tensor(name)
        changed = np.array(self.base_tensor(name), np.float32)
        a, b = self.matrices(name)
        for start in range(0, len(b), ROW_BLOCK):
            changed[start : start + ROW_BLOCK] += b[start : start + ROW_BLOCK] @ a
        return changed

    def base_tensor(self, name: str) -> Array:
        """Return the base model's numbers for one tensor to write."""
        is_new = self.unties and name == "lm_head.weight"
        return self.base.get(self.base.embedding if is_new else name)

    def matrices(self, name: str) -> tuple[Array, Array]:
        """Return A, and B with the scale, of what changes a tensor."""
        assert self.adapter is not None
        a, b = self.adapter.matrices(self.modules[name])
        return a, b * np.float32(self.adapter.scale)

    def write(self, folder: Path, *, dtype: str | None = None, progress: Progress | None = None) -> None:
        """Write the merged model into `folder`, which exists and is empty.

        Raise ModelFileError for a number that the type of the weights has no room for.
        """
        self.base.write_others(folder)
        text = json.dumps(self.settings(dtype), indent=2, ensure_ascii=False) + "\n"
        write_whole(folder / SETTINGS, text.encode())
        shards = self._shards()
        placed: dict[str, str] = {}
        done = 0

        def get(name: str) -> Array:
            nonlocal done
            array = self.tensor(name)
            done += self.tensors[name].nbytes
            if progress:
                progress("merge", done, self.nbytes)
            return array

        for number, names in enumerate(shards, 1):
            file = SINGLE if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
            try:
                write_in_turn(folder / file, {name: self.tensors[name] for name in names}, get)
            except ValueError as error:
                raise ModelFileError(
                    self.base.origin, f"{error}; dtype='float32' has room for them"
                ) from error
            placed |= dict.fromkeys(names, file)
        if len(shards) > 1:
            index = {"metadata": {"total_size": self.nbytes}, "weight_map": dict(sorted(placed.items()))}
            write_whole(folder / INDEX, (json.dumps(index, indent=2) + "\n").encode())

    def _shards(self) -> list[list[str]]:
        """Cut the tensors, in order, into files."""
        shards: list[list[str]] = [[]]
        held = 0
        for name, stored in self.tensors.items():
            if shards[-1] and held + stored.nbytes > SHARD_BYTES:
                shards.append([])
                held = 0
            shards[-1].append(name)
            held += stored.nbytes
        return shards

    def _check(self) -> None:
        """Compare shapes, and the matrices that PEFT saved beside the adapter."""
        if self.adapter is None:
            return
        for name, module in self.modules.items():
            a, b = (self.adapter.file.stored(tensor).shape for tensor in self.adapter.pairs[module])
            if (b[0], a[1]) != self.tensors[name].shape:
                raise ModelFileError(
                    self.base.origin,
                    f"tensor {name!r} has shape {self.tensors[name].shape}, and the adapter is for"
                    f" {(b[0], a[1])}: it is for another model",
                )
        for tensor in self.adapter.whole:
            own = f"{tensor.module}.weight"
            check_whole_matrix(
                self.adapter.file,
                tensor,
                self.base.get(own if own in self.base.tensors else self.base.embedding),
            )


def _as(stored: StoredTensor, dtype: str) -> StoredTensor:
    return attrs.evolve(stored, dtype=dtype) if stored.dtype in FLOATS.values() else stored
