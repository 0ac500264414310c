"""Reads and writes single safetensors files: memory-mapped views out, whole files in.

Owns the file format alone, and knows no tensor names. What is written here carries a checksum, which is
looked at when it is opened. Reading goes through the header that the
`safetensors` library has checked; bfloat16 and float16 are widened to float32 when a tensor is read.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinsmith_local.models.source import ModelFileError, check_file

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, Any]


CHECKSUM = "tinsmith.sha256"
"""Name in the metadata under which a file says the SHA-256 of its numbers."""

_WIDENED = ("BF16", "F16")


class TensorFile:
    """One safetensors file, memory-mapped."""

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self.path = path
        check_file(path)
        try:
            with safe_open(path, framework="numpy") as checked:
                self.metadata: dict[str, str] = dict(checked.metadata() or {})
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise ModelFileError(path, f"cannot be read: {error}") from error
        except SafetensorError as error:
            raise ModelFileError(path, f"is damaged or not a safetensors file: {error}") from error
        length = int.from_bytes(self._data[:8], "little")
        self._start = 8 + length
        header: dict[str, dict[str, Any]] = json.loads(self._data[8 : self._start])
        header.pop("__metadata__", None)
        self._entries = header
        self._check()

    def _check(self) -> None:
        """Refuse numbers that are not the ones that were written; files of others carry no checksum."""
        written = self.metadata.pop(CHECKSUM, None)
        if written is not None and written != _sha256(memoryview(self._data)[self._start :]):
            raise ModelFileError(self.path, "is damaged: its numbers do not match their checksum")

    def names(self) -> set[str]:
        """Return the names of all tensors."""
        return set(self._entries)

    def get(self, name: str) -> Array:
        """Return one tensor: a view of the file, or a float32 copy of a 16-bit one."""
        import numpy as np

        if name not in self._entries:
            raise ModelFileError(self.path, f"tensor {name!r} is missing")
        entry = self._entries[name]
        begin, end = entry["data_offsets"]
        dtype = _numpy_dtype(entry["dtype"], name, self.path)
        flat = np.frombuffer(self._data, np.uint8, end - begin, self._start + begin)
        array: Array = (flat.copy() if (self._start + begin) % dtype.itemsize else flat).view(dtype)
        array = array.reshape(entry["shape"])
        return array.astype(np.float32) if entry["dtype"] in _WIDENED else array


def _numpy_dtype(name: str, tensor: str, path: Path) -> np.dtype[Any]:
    if name == "BF16":
        import ml_dtypes

        wide: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return wide
    known = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
    if name not in known:
        raise ModelFileError(path, f"tensor {tensor!r} is of the type {name}, which is not supported")
    return np.dtype(known[name])


def write_tensors(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, there whole or not at all; the same content gives the same bytes."""
    write_whole(path, tensor_bytes(tensors, metadata))


def tensor_bytes(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Return the content of a safetensors file; its metadata holds a checksum of the numbers."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(tensors[name]) for name in tensors}
    content = save(arrays, {**metadata, CHECKSUM: "0" * 64})  # the place is kept, then filled
    start = 8 + int.from_bytes(content[:8], "little")
    return _ordered(content, {CHECKSUM: _sha256(memoryview(content)[start:])})


def _sha256(numbers: memoryview) -> str:
    return hashlib.sha256(numbers).hexdigest()


def _ordered(content: bytes, facts: Mapping[str, str]) -> bytes:
    """Sort the metadata in the header, which the library writes in random order, and put `facts` in place."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted({**header["__metadata__"], **facts}.items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return content[:8] + text.ljust(length) + content[8 + length :]


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` in place at `path` by a rename, after it has reached the disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
