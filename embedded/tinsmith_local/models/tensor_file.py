"""Reads and writes single safetensors files: memory-mapped views out, whole files in.

Owns the file format alone, and knows no tensor names. What `write_tensors` writes carries a checksum, which
is looked at when it is opened. Reading goes through the header that the
`safetensors` library has checked; bfloat16 and float16 are widened to float32 when a tensor is read.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from tinsmith_local.models.source import ModelFileError, check_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = np.ndarray[Any, Any]


CHECKSUM = "tinsmith.sha256"
"""Name in the metadata under which a file says the SHA-256 of its numbers."""

_WIDENED = ("BF16", "F16")
_ALIGNMENT = 8
"""Bytes: the numbers of a file begin at a multiple, so that they can be mapped."""


@attrs.frozen
class StoredTensor:
    """What the header of a file says of one tensor."""

    dtype: str
    """Its type by the name of the format: `F32`, `BF16`."""
    shape: tuple[int, ...]
    """Elements along each axis, slowest first."""

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return math.prod(self.shape) * numpy_dtype(self.dtype).itemsize


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

    def place(self, name: str) -> int:
        """Return where the numbers of a tensor begin: those of a file lie in the order of their places."""
        return int(self._entries[name]["data_offsets"][0])

    def stored(self, name: str) -> StoredTensor:
        """Return type and shape of one tensor as it lies in the file."""
        entry = self._entries[name]
        return StoredTensor(entry["dtype"], tuple(entry["shape"]))

    def get(self, name: str) -> Array:
        """Return one tensor: a view of the file, or a float32 copy of a 16-bit one."""
        if name not in self._entries:
            raise ModelFileError(self.path, f"tensor {name!r} is missing")
        entry = self._entries[name]
        begin, end = entry["data_offsets"]
        try:
            dtype = numpy_dtype(entry["dtype"])
        except KeyError:
            raise ModelFileError(
                self.path, f"tensor {name!r} is of the type {entry['dtype']}, which is not supported"
            ) from None
        flat = np.frombuffer(self._data, np.uint8, end - begin, self._start + begin)
        array: Array = (flat.copy() if (self._start + begin) % dtype.itemsize else flat).view(dtype)
        array = array.reshape(entry["shape"])
        return array.astype(np.float32) if entry["dtype"] in _WIDENED else array


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Return what numpy calls a type of the format; KeyError for one that is not supported."""
    if name == "BF16":
        import ml_dtypes

        wide: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return wide
    known = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
    return np.dtype(known[name])


def write_in_turn(path: Path, tensors: Mapping[str, StoredTensor], get: Callable[[str], Array]) -> None:
    """Write a safetensors file of tensors that are made in turn, so that memory holds one of them.

    `get` returns the numbers of a name, which are cast to the type in `tensors`. ValueError for another
    shape, and for a number that the type has no room for.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    begin = 0
    for name, stored in tensors.items():
        end = begin + stored.nbytes
        header[name] = {"dtype": stored.dtype, "shape": stored.shape, "data_offsets": (begin, end)}
        begin = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text = text.ljust(-(-len(text) // _ALIGNMENT) * _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, stored in tensors.items():
            file.write(_cast(name, get(name), stored).data)
        file.flush()
        os.fsync(file.fileno())


def _cast(name: str, array: Array, stored: StoredTensor) -> Array:
    """Return the bytes of a tensor in the type in which it is stored."""
    if array.shape != stored.shape:
        raise ValueError(f"tensor {name!r} has shape {array.shape}, not {stored.shape}")
    with np.errstate(over="ignore"):
        cast: Array = np.ascontiguousarray(array, numpy_dtype(stored.dtype))
    if array.dtype.kind == "f" and not np.isfinite(cast.astype(np.float32, copy=False)).all():
        raise ValueError(f"tensor {name!r} holds numbers that are not finite in {stored.dtype}")
    return cast.reshape(-1).view(np.uint8)


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
