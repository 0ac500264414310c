"""An adapter in PEFT format as its files have it, whether or not the engine knows the model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from tinsmith_local.models.adapters import (
    CONFIG_FILE,
    PREFIX,
    TENSOR_FILE,
    AdapterTensor,
    adapter_settings,
    adapter_tensors,
    rank_and_alpha,
)
from tinsmith_local.models.source import ModelFileError
from tinsmith_local.models.tensor_file import TensorFile, write_in_turn, write_whole

Array = np.ndarray[Any, Any]


@attrs.frozen(eq=False)
class LoraFiles:
    """An adapter on disk."""

    folder: Path
    """Its directory."""
    settings: Mapping[str, object] = attrs.field(repr=False)
    """What `adapter_config.json` says."""
    file: TensorFile = attrs.field(repr=False)
    """Its tensors."""
    rank: int
    """Inner dimension of its matrices."""
    alpha: float
    """The update is scaled by alpha / rank."""
    pairs: Mapping[str, tuple[str, str]] = attrs.field(repr=False)
    """Module -> names of its tensors A [rank, in] and B [out, rank]."""
    whole: tuple[AdapterTensor, ...] = attrs.field(repr=False)
    """Matrices of the base model that PEFT saved beside the adapter."""

    @classmethod
    def open(cls, folder: Path) -> LoraFiles:
        """Read the header of an adapter; ModelFileError if it is none, or of a kind that is not supported."""
        settings = adapter_settings(folder)
        rank, alpha = rank_and_alpha(settings, folder / CONFIG_FILE)
        file = TensorFile(folder / TENSOR_FILE)
        tensors = adapter_tensors(file)
        names = {(tensor.module, tensor.side): tensor.name for tensor in tensors}
        pairs: dict[str, tuple[str, str]] = {}
        for module in dict.fromkeys(tensor.module for tensor in tensors if tensor.side):
            if not (names.get((module, "A")) and names.get((module, "B"))):
                raise ModelFileError(file.path, f"module {module!r} has one of its two matrices only")
            pairs[module] = names[module, "A"], names[module, "B"]
        adapter = cls(
            folder=folder,
            settings=settings,
            file=file,
            rank=rank,
            alpha=alpha,
            pairs=pairs,
            whole=tuple(tensor for tensor in tensors if tensor.side is None),
        )
        adapter._check_shapes()
        return adapter

    @property
    def scale(self) -> float:
        """Factor of B A."""
        return self.alpha / self.rank

    @property
    def base_model(self) -> str | None:
        """The base model that it names."""
        name = self.settings.get("base_model_name_or_path")
        return name if isinstance(name, str) and name else None

    @property
    def targets(self) -> list[str]:
        """Last names of its modules: `q_proj`, `lm_head`."""
        return sorted({module.rpartition(".")[2] for module in self.pairs})

    def matrices(self, module: str) -> tuple[Array, Array]:
        """Return A [rank, in] and B [out, rank] of a module in float32."""
        a, b = (np.asarray(self.file.get(name), np.float32) for name in self.pairs[module])
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise ModelFileError(self.file.path, f"the matrices of {module!r} hold NaN or infinity")
        return a, b

    def without(self, names: Iterable[str]) -> LoraFiles:
        """Return the adapter without modules, by their last names; ModelFileError for one that it lacks."""
        left_out = set(names)
        if unknown := left_out.difference(self.targets):
            raise ModelFileError(
                self.file.path, f"does not change {min(unknown)}; it changes {', '.join(self.targets)}"
            )
        kept = {name: pair for name, pair in self.pairs.items() if name.rpartition(".")[2] not in left_out}
        if not kept:
            raise ModelFileError(self.file.path, "would be empty without these modules")
        return attrs.evolve(self, pairs=kept)

    def write(self, folder: Path, settings: Mapping[str, object]) -> None:
        """Write the adapter into `folder` under the names that `peft` reads, with these settings changed."""
        names = {
            f"{PREFIX}{module}.lora_{side}.weight": name
            for module, pair in self.pairs.items()
            for side, name in zip("AB", pair, strict=True)
        }
        names |= {tensor.name: tensor.name for tensor in self.whole}
        target = folder / TENSOR_FILE
        if names.keys() == self.file.names() and all(new == old for new, old in names.items()):
            shutil.copyfile(self.file.path, target)
        else:
            stored = {new: self.file.stored(old) for new, old in names.items()}
            write_in_turn(target, stored, lambda new: self.file.get(names[new]))
        changed = {**self.settings, "target_modules": self.targets, **settings}
        write_whole(folder / CONFIG_FILE, (json.dumps(changed, indent=2, sort_keys=True) + "\n").encode())

    def _check_shapes(self) -> None:
        for module, names in self.pairs.items():
            a, b = (self.file.stored(name).shape for name in names)
            if len(a) != 2 or len(b) != 2:
                raise ModelFileError(
                    self.file.path, f"module {module!r} has matrices for each expert, which is not supported"
                )
            if a[0] != self.rank or b[1] != self.rank:
                raise ModelFileError(
                    self.file.path, f"module {module!r} has matrices {a} and {b}, and the rank is {self.rank}"
                )
