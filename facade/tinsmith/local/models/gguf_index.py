"""Reads the header of a GGUF file: its metadata and where each tensor lies.

Owns the container format alone. It knows no architecture, dequantises nothing and copies no tensor: the
file stays memory-mapped. The `gguf` package has a reader too, which needs seconds for a vocabulary of fifty
thousand entries and takes a truncated file for a shorter one; every length here is checked against the
bytes that are there.
"""

import mmap
import struct
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from tinsmith.local.models.source import ModelFileError, check_regular

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""GGUF value type -> struct code, little-endian."""

_MAX_DIMENSIONS = 4


@frozen
class TensorEntry:
    """Where one tensor lies in the file."""

    name: str
    """Name as the file has it, `blk.0.attn_q.weight`."""
    shape: tuple[int, ...]
    """Elements along each axis, slowest first (numpy order)."""
    type_id: int
    """GGML type number: 0 is F32, 3 is Q4_1."""
    offset: int
    """First byte, counted from the start of the tensor data."""


@frozen
class GgufIndex:
    """The header of one file, and the file itself, memory-mapped."""

    path: Path
    """The file."""
    metadata: Mapping[str, object]
    """Key -> str, int, float, bool or a list of those."""
    tensors: Mapping[str, TensorEntry]
    """Tensor name -> its entry."""
    data_start: int
    """Byte where the tensor data begins."""
    data: mmap.mmap = field(repr=False)
    """The whole file."""


class _Cursor:
    """A place in the file that moves forward and never beyond its end."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path = path
        self.data = data
        self.at = 0

    def fail(self, reason: str) -> ModelFileError:
        return ModelFileError(self.path, f"{reason} (at byte {self.at})")

    def need(self, count: int) -> None:
        if count > len(self.data) - self.at:
            raise self.fail("the header is cut off")

    def scalar(self, code: str) -> int | float | bool:
        layout = struct.Struct("<" + code)
        self.need(layout.size)
        (value,) = layout.unpack_from(self.data, self.at)
        self.at += layout.size
        return value  # type: ignore[no-any-return]

    def count(self, code: str = "Q") -> int:
        return int(self.scalar(code))

    def string(self) -> str:
        size = self.count()
        self.need(size)
        raw = self.data[self.at : self.at + size]
        self.at += size
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self.fail("a text is not UTF-8") from None

    def value(self, kind: int) -> object:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self.array()
        if kind not in _SCALARS:
            raise self.fail(f"unknown metadata type {kind}")
        return self.scalar(_SCALARS[kind])

    def array(self) -> list[object]:
        kind, length = self.count("I"), self.count()
        if kind == _STRING:
            self.need(8 * length)
            return [self.string() for _ in range(length)]
        if kind not in _SCALARS:
            raise self.fail(f"unknown metadata array type {kind}")
        size = struct.calcsize("<" + _SCALARS[kind]) * length
        self.need(size)
        values = struct.unpack_from(f"<{length}{_SCALARS[kind]}", self.data, self.at)
        self.at += size
        return list(values)

    def tensor(self) -> TensorEntry:
        name, dimensions = self.string(), self.count("I")
        if not 1 <= dimensions <= _MAX_DIMENSIONS:
            raise self.fail(f"tensor {name!r} has {dimensions} dimensions")
        shape = tuple(reversed([self.count() for _ in range(dimensions)]))
        return TensorEntry(name=name, shape=shape, type_id=self.count("I"), offset=self.count())


def read_index(path: Path) -> GgufIndex:
    """Read the header of the GGUF file at `path`; raise ModelFileError when it is none or is damaged."""
    check_regular(path)
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise ModelFileError(path, f"cannot be read: {error}") from error
    cursor = _Cursor(path, data)
    if data[:4] != _MAGIC:
        raise ModelFileError(path, "is not a GGUF file")
    cursor.at = 4
    version = cursor.count("I")
    if version not in _VERSIONS:
        raise ModelFileError(path, f"GGUF version {version} is not one of {_VERSIONS}")
    tensor_count, metadata_count = cursor.count(), cursor.count()
    metadata: dict[str, object] = {}
    for _ in range(metadata_count):
        key = cursor.string()
        metadata[key] = cursor.value(cursor.count("I"))
    tensors: dict[str, TensorEntry] = {}
    for _ in range(tensor_count):
        entry = cursor.tensor()
        if entry.name in tensors:
            raise cursor.fail(f"tensor {entry.name!r} stands there twice")
        tensors[entry.name] = entry
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment <= 0:
        raise ModelFileError(path, f"general.alignment is {alignment!r}")
    start = -(-cursor.at // alignment) * alignment
    beyond = [entry.name for entry in tensors.values() if start + entry.offset >= len(data)]
    if beyond:
        raise ModelFileError(path, f"tensor {beyond[0]!r} begins beyond the end: the file is cut off")
    return GgufIndex(path=path, metadata=metadata, tensors=tensors, data_start=start, data=data)
