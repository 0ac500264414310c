"""What every loader of a base model returns, and the one error that a bad model file raises.

Owns no format. Loaders make a `ModelSource`; the registry turns it into the engine's model.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from tinsmith.core.errors import TinkerError

from tinsmith_local.engine.config import ModelConfig

if TYPE_CHECKING:
    from pathlib import Path

TensorGetter = Callable[[str], np.ndarray[Any, Any]]
"""Hugging Face tensor name -> array; raises ModelFileError (or KeyError) for a name that is not there."""

_LFS_POINTER = b"version https://git-lfs"
"""How the text begins that Git keeps in place of a large file."""


class ModelFileError(TinkerError):
    """A model or adapter file is missing, damaged or of a kind that the engine cannot run."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: {reason}")
        self.path = os.fspath(path)
        self.reason = reason


def check_file(path: Path) -> None:
    """Refuse what is not a model file: a pipe or a device, which may hang, or a Git LFS pointer.

    Links lead on. A file that is missing or cannot be read is left to who opens it.
    """
    if path.exists() and not path.is_file():
        raise ModelFileError(path, "is not a regular file")
    try:
        with path.open("rb") as file:
            begin = file.read(len(_LFS_POINTER))
    except OSError:
        return
    if begin == _LFS_POINTER:
        raise ModelFileError(
            path, "is a Git LFS pointer, not the file itself; `git lfs pull` in its repository brings that"
        )


@attrs.frozen
class ModelSource:
    """A base model on disk or in code: its shape at once, its tensors when they are read."""

    origin: str
    """File or directory that it comes from, for messages."""
    config: ModelConfig
    """Shape and constants of the network."""
    get_tensor: TensorGetter
    """Reads one tensor by its Hugging Face name, as float32 or a memory-mapped view."""
    read_tokenizer: Callable[[], bytes | None] = attrs.field(repr=False)
    """Builds or reads what `tokenizer_json` returns; called once."""
    chat_template: str | None
    """Jinja template of a conversation, or None."""
    tokenizer_config: dict[str, object]
    """What `tokenizer_config.json` says, or what is known of it: `bos_token`, `eos_token`, flags."""

    @cached_property
    def tokenizer_json(self) -> bytes | None:
        """The tokenizer in the `tokenizer.json` format, or None when the model brings none."""
        return self.read_tokenizer()
