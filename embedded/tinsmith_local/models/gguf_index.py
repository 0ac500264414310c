"""Reads the header of a GGUF file: its metadata and where each tensor lies.

Owns the container format alone, and how one model is split over several files. It knows no architecture,
dequantises nothing and copies no tensor: the files stay memory-mapped. The `gguf` package has a reader too,
which needs seconds for a vocabulary of fifty thousand entries and takes a truncated file for a shorter one;
every length here is checked against the bytes that are there.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Mapping
from pathlib import Path

import attrs

from tinsmith_local.models.source import ModelFileError, check_file

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""GGUF value type -> struct code, little-endian."""

_MAX_DIMENSIONS = 4
_PART_NAME = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")
"""How the parts of a split model are called: `name-00001-of-00003.gguf`."""


@attrs.frozen
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
    part: int = 0
    """Which part of a split model it lies in; 0 is the first."""


@attrs.frozen
class GgufIndex:
    """The header of one file, and the file itself, memory-mapped; or the first part of a split model."""

    path: Path
    """The file."""
    metadata: Mapping[str, object]
    """Key -> str, int, float, bool or a list of those."""
    tensors: Mapping[str, TensorEntry]
    """Tensor name -> its entry."""
    data_start: int
    """Byte where the tensor data begins."""
    data: mmap.mmap = attrs.field(repr=False)
    """The whole file."""
    others: tuple["GgufIndex", ...] = attrs.field(default=(), repr=False)
    """The further parts of a split model, in their order."""

    def holder(self, entry: TensorEntry) -> GgufIndex:
        """Return the part that a tensor lies in."""
        return self.others[entry.part - 1] if entry.part else self


class _Cursor:
    """A position in the file that moves forward and never beyond its end."""

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
    """Read the header of the GGUF file at `path`, and those of its further parts when the model is split.

    Raise ModelFileError when a file is none or is damaged, when a part is missing or of another model, and
    for a part that is not the first.
    """
    first = _read_part(path)
    count = _split(first, "count", 1)
    if count == 1:
        return first
    number, named = _split(first, "no", 0), _PART_NAME.fullmatch(path.name)
    if named is None or int(named["count"]) != count or int(named["number"]) != number + 1:
        reason = f"is part {number + 1} of {count}, and its name does not end in"
        raise ModelFileError(
            path, f"{reason} -{number + 1:05d}-of-{count:05d}.gguf, so the others are not found"
        )
    parts = [path.with_name(f"{named['stem']}-{at:05d}-of-{count:05d}.gguf") for at in range(1, count + 1)]
    if number:
        raise ModelFileError(path, f"is part {number + 1} of {count}; give the first, {parts[0].name}")
    return _joined(first, parts)


def _split(index: GgufIndex, key: str, default: int) -> int:
    """Return one of the numbers that say how a model is split."""
    value = index.metadata.get(f"split.{key}", default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ModelFileError(index.path, f"metadata split.{key} is {value!r}, not a count")
    return value


def _joined(first: GgufIndex, parts: list[Path]) -> GgufIndex:
    """Read the further parts, and return the first one with the tensors of all."""
    others: list[GgufIndex] = []
    tensors = dict(first.tensors)
    for number, path in enumerate(parts[1:], start=1):
        if not path.exists():
            raise ModelFileError(path, f"is missing: part {number + 1} of {len(parts)} of {parts[0].name}")
        other = _read_part(path)
        if (_split(other, "no", 0), _split(other, "count", 1)) != (number, len(parts)):
            raise ModelFileError(path, f"is not part {number + 1} of {len(parts)}, as its name says")
        for name, entry in other.tensors.items():
            if name in tensors:
                raise ModelFileError(path, f"tensor {name!r} is in an earlier part too")
            tensors[name] = attrs.evolve(entry, part=number)
        others.append(other)
    expected = _split(first, "tensors.count", len(tensors))
    if expected != len(tensors):
        raise ModelFileError(first.path, f"its parts hold {len(tensors)} tensors, not {expected}")
    return attrs.evolve(first, tensors=tensors, others=tuple(others))


def _read_part(path: Path) -> GgufIndex:
    """Read the header of one file."""
    check_file(path)
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
            raise cursor.fail(f"tensor {entry.name!r} is listed twice")
        tensors[entry.name] = entry
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment <= 0:
        raise ModelFileError(path, f"general.alignment is {alignment!r}")
    start = -(-cursor.at // alignment) * alignment
    beyond = [entry.name for entry in tensors.values() if start + entry.offset >= len(data)]
    if beyond:
        raise ModelFileError(path, f"tensor {beyond[0]!r} begins beyond the end: the file is cut off")
    return GgufIndex(path=path, metadata=metadata, tensors=tensors, data_start=start, data=data)
