"""What writing and reading protobuf share: the check before parsing, arrays, tensors and unknown fields.

A parser makes an object of some sixty bytes of two bytes that say "an empty message", and a later entry of
a map silently replaces an earlier one. Both are found before, by one pass over tags and lengths, which skips
payloads.

Unknown fields are kept of messages that become values; records of arrays are taken apart, and theirs are not
kept.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from tinsmith_api.ownership import is_array
from tinsmith_api.wire import tinker_wire_pb2 as wire

from tinsmith.core.checks import check_numbers, check_tokens
from tinsmith.core.errors import InputError
from tinsmith.core.inputs import check_whole, whole_array
from tinsmith.core.values.tensor import MAX_DIMENSIONS, TensorData

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message
    from tinsmith_api.model import Extra

    from tinsmith.core.inputs import TensorDtype
    from tinsmith.core.values.model_input import EncodedTextChunk

MAX_FIELDS = 2_000_000
"""Most fields in a body; 128 datums of 4096 one-token chunks hold 1.6 million. Parsed, some 200 MB."""

MAX_ENTRIES = 100_000
"""Most datums or sequences in a body: each becomes several objects. Batches hold about a thousand."""

_ENTRIES = frozenset({"Datum", "SampledSequence", "ArrayRecord"})
"""Messages of which there are as many as the sender likes, at two bytes each."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_PACKED = "packed"
_KEY = "key"
_PLAIN = "plain"
_IS_ENTRY = -1
"""Key in the plan of a message that is counted; no field has this number."""

Plan = dict[int, Any]
"""Field number to the plan of the message in it, or to another kind. Numbers that are missing are unknown."""


class WireError(ValueError):
    """The bytes are not the message that they should be."""


M = TypeVar("M", bound="Message")


@cache
def plan_of(descriptor: Descriptor) -> Plan:
    """Return the plan of a message: what each of its fields holds. No message contains itself."""
    plan: Plan = {_IS_ENTRY: True} if descriptor.name in _ENTRIES else {}
    is_entry = descriptor.GetOptions().map_entry
    for field in descriptor.fields:
        if field.message_type is not None:
            plan[field.number] = plan_of(field.message_type)
        elif field.is_packed:
            plan[field.number] = _PACKED
        elif is_entry and field.number == 1:
            plan[field.number] = _KEY
        else:
            plan[field.number] = _PLAIN
    return plan


class _Walk:
    """One pass over a body."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_FIELDS
        self.entries_left = MAX_ENTRIES
        self.met_unknown = False

    def spend(self, fields: int) -> None:
        """Count fields against the limit."""
        self.left -= fields
        if self.left < 0:
            raise WireError(f"holds more than {MAX_FIELDS} fields")

    def varint(self, at: int) -> tuple[int, int]:
        """Read a number; return it, and where it ends."""
        value = shift = 0
        while shift < 64:
            byte = self.data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
        raise WireError("a number is longer than 64 bits")

    def message(self, at: int, end: int, plan: Plan) -> bytes:
        """Walk the fields from `at` to `end`; return the key, if it is an entry of a map."""
        data = self.data
        keys: set[tuple[int, bytes]] = set()
        own_key = b""
        while at < end:
            self.spend(1)
            tag = data[at]
            if tag < 128:
                at += 1
            else:
                tag, at = self.varint(at)
            kind = tag & 7
            inner = plan.get(tag >> 3)
            if inner is None:
                self.met_unknown = True
            if kind != _BYTES:
                at = self.number(at, kind)
                continue
            size = data[at]
            if size < 128:
                at += 1
            else:
                size, at = self.varint(at)
            stop = at + size
            if stop > end:
                raise WireError("ends inside a field")
            if inner is _KEY:
                own_key = data[at:stop]
            elif inner is _PACKED:
                self.spend(size)
            elif inner is not None and inner is not _PLAIN:
                self.nested(tag, at, stop, inner, keys)
            at = stop
        if at != end:
            raise WireError("ends inside a field")
        return own_key

    def nested(self, tag: int, at: int, end: int, plan: Plan, keys: set[tuple[int, bytes]]) -> None:
        """Walk a message within a message; an entry of a map must not be there twice."""
        if _IS_ENTRY in plan:
            self.entries_left -= 1
            if self.entries_left < 0:
                raise WireError(f"holds more than {MAX_ENTRIES} datums or sequences")
        key = self.message(at, end, plan)
        if plan.get(1) is _KEY:
            if (tag, key) in keys:
                raise WireError(f"names {key[:40].decode('utf-8', 'replace')!r} twice in one map")
            keys.add((tag, key))

    def number(self, at: int, kind: int) -> int:
        """Skip a number of a fixed or of its own length; return where it ends."""
        if kind == _VARINT:
            return self.varint(at)[1]
        if kind == _FIXED64:
            return at + 8
        if kind == _FIXED32:
            return at + 4
        raise WireError(f"has a field of wire type {kind}")


def parse(cls: type[M], data: bytes) -> tuple[M, bool]:
    """Parse a body, and say whether it has unknown fields. WireError unless its parsed size is bounded."""
    walk = _Walk(data)
    try:
        walk.message(0, len(data), plan_of(cls.DESCRIPTOR))
    except IndexError:
        raise WireError("ends inside a field") from None
    try:
        return cls.FromString(data), walk.met_unknown
    except (DecodeError, ValueError) as cause:
        raise WireError(f"is no {cls.DESCRIPTOR.name}: {cause}") from cause


Array = Any
"""A flat numpy array."""

WRITTEN: dict[str, tuple[Literal["<f4", "<i8"], wire.DType.ValueType]] = {
    "float32": ("<f4", wire.DTYPE_FLOAT32),
    "int64": ("<i8", wire.DTYPE_INT64),
}
"""How numbers of each element type of the API are written."""

_READ: dict[int, tuple[str, TensorDtype]] = {
    wire.DTYPE_FLOAT32: ("<f4", "float32"),
    wire.DTYPE_INT64: ("<i8", "int64"),
    wire.DTYPE_INT32: ("<i4", "int64"),
    wire.DTYPE_BFLOAT16: ("<u2", "float32"),
}


def to_bytes(numbers: Any, kind: Literal["<f4", "<i8", "<i4"]) -> bytes:
    """Return numbers as bytes; ValueError if one does not fit."""
    if is_array(numbers) and numbers.dtype == kind:
        as_they_are: bytes = numbers.tobytes()
        return as_they_are
    if is_array(numbers) and kind != "<f4" and not np.can_cast(numbers.dtype, kind) and len(numbers):
        limit = np.iinfo(kind)
        if numbers.min() < limit.min or numbers.max() > limit.max:
            raise ValueError(f"a number does not fit {8 * np.dtype(kind).itemsize} bits")
        if numbers.dtype.kind == "f":
            check_whole(numbers)
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            if kind == "<f4" or is_array(numbers):
                array = np.asarray(numbers, kind)
            else:
                array = whole_array(numbers, kind)
        except OverflowError:
            raise ValueError(f"a number does not fit {8 * np.dtype(kind).itemsize} bits") from None
    if kind == "<f4" and not is_array(numbers) and not np.isfinite(array).all():
        raise ValueError("a number does not fit float32")
    return array.tobytes()


def token_bytes(chunk: EncodedTextChunk, datum: int) -> bytes:
    """Return token ids as bytes; ValueError if one does not fit, InputError if it is no token id."""
    tokens: Any = chunk.tokens
    plain = is_array(tokens) and tokens.dtype == np.int64 and tokens.ndim == 1 and tokens.flags.c_contiguous
    # Without their sign, negative numbers are huge: one comparison finds whatever does not fit.
    if not plain or (len(tokens) and np.maximum.reduce(tokens.view(np.uint64)) > np.iinfo(np.int32).max):
        check_tokens(chunk, datum, "model_input")
        return to_bytes(tokens, "<i4")
    written: bytes = tokens.astype("<i4").tobytes()
    return written


def from_bytes(data: bytes, kind: str) -> Array:
    """View bytes as an array, without a copy."""
    return np.frombuffer(whole(data, kind), kind)


def whole(data: bytes, kind: str) -> bytes:
    """Return the bytes of elements of which none is cut."""
    if len(data) % int(kind[-1]):
        raise WireError(f"{len(data)} bytes are no whole number of elements of {np.dtype(kind).name}")
    return data


def element_bytes(dtype: int) -> int:
    """Return the size of an element as it travels."""
    return np.dtype(_READ[dtype][0]).itemsize


def elements(data: bytes, dtype: int) -> tuple[Array, TensorDtype]:
    """View bytes as an array of one of the API's two element types; shorter types are copied and widened."""
    try:
        kind, name = _READ[dtype]
    except KeyError:
        raise WireError(f"has element type {dtype}, which this version does not know") from None
    array = from_bytes(data, kind)
    if dtype == wire.DTYPE_INT32:
        array = array.astype("<i8")
    elif dtype == wire.DTYPE_BFLOAT16:
        array = (array.astype("<u4") << 16).view("<f4")
    return array, name


def write_tensor(message: wire.Tensor, tensor: TensorData, datum: int | None, name: str) -> None:
    """Fill a message; the error names datum and field."""
    check_numbers(datum, name, tensor)
    try:
        if tensor.extra is not None:
            put_back(message, tensor.extra)
        kind, message.dtype = WRITTEN[tensor.dtype]
        values = to_bytes(tensor.raw, kind)
        if tensor.is_sparse:
            message.sparse_csr.values = values
            message.sparse_csr.crow_indices = to_bytes(tensor.sparse_crow_indices, "<i8")
            message.sparse_csr.col_indices = to_bytes(tensor.sparse_col_indices, "<i8")
        else:
            message.dense = values
        if tensor.shape:
            message.shape.extend(tensor.shape)
    except ValueError as cause:
        raise InputError(str(cause), datum=datum, field=name) from cause


def read_tensor(message: wire.Tensor, unknown: bool) -> TensorData:
    """Build a tensor that looks at the message's bytes; WireError if bytes, type and shape disagree.

    `unknown` says whether there may be fields that are not known.
    """
    shape = read_shape(message.shape)
    extra = unknown_of(message, "sparse_csr") if unknown else None
    layout = message.WhichOneof("layout")
    if layout == "sparse_csr":
        sparse = message.sparse_csr
        values, dtype = elements(sparse.values, message.dtype)
        rows, columns = from_bytes(sparse.crow_indices, "<i8"), from_bytes(sparse.col_indices, "<i8")
        check_sparse(len(values), rows, columns, shape)
        return TensorData.of_frozen(_frozen(values), dtype, shape, rows, columns, extra)
    if layout is None:
        raise WireError("has no values")
    values, dtype = elements(message.dense, message.dtype)
    if shape is not None and math.prod(shape) != len(values):
        raise WireError(f"has {len(values)} numbers, but shape {shape}")
    return TensorData.of_frozen(_frozen(values), dtype, shape, extra=extra)


def read_shape(sizes: Sequence[int]) -> list[int] | None:
    """Return a shape, or None for the empty one, which says nothing."""
    if len(sizes) > MAX_DIMENSIONS or any(size < 0 for size in sizes):
        raise WireError(f"has the impossible shape {list(sizes[:8])}")
    return list(sizes) or None


def check_sparse(stored: int, rows: Array, columns: Array, shape: list[int] | None) -> None:
    """Check the indices of compressed sparse rows against the shape and against each other."""
    if shape is None or len(shape) != 2:
        raise WireError(f"is sparse, so that its shape must be [rows, columns], not {shape}")
    if len(rows) != shape[0] + 1 or rows[0] != 0 or rows[-1] != stored or (rows[1:] < rows[:-1]).any():
        raise WireError(f"sparse_crow_indices do not fit {stored} values and shape {shape}")
    if len(columns) != stored or (stored and (columns.min() < 0 or columns.max() >= shape[1])):
        raise WireError(f"sparse_col_indices do not fit {stored} values and shape {shape}")


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.setflags(write=False)
    return array


def unknown_of(message: Message, *parts: str) -> bytes | None:
    """Return the unknown fields of a message, and of those parts of it that are no values by themselves."""
    found = [part for part in parts if message.HasField(part) and _has_unknown(getattr(message, part))]
    if not found and not _has_unknown(message):
        return None
    rest = type(message)()
    rest.CopyFrom(message)
    for field, part in rest.ListFields():
        kept = unknown_of(part) if field.name in found else None
        rest.ClearField(field.name)
        if kept is not None:
            getattr(rest, field.name).MergeFromString(kept)
    return rest.SerializeToString(deterministic=True)


def _has_unknown(message: Message) -> bool:
    return len(UnknownFieldSet(message)) > 0


def put_back(message: Message, extra: Extra | None) -> None:
    """Add unknown fields that came as protobuf; those that came as JSON have no number."""
    if not isinstance(extra, bytes):
        return
    try:
        message.MergeFromString(extra)
    except DecodeError as cause:
        raise ValueError(f"extra is no protobuf: {cause}") from cause


def refuse_named(extra: Extra | None) -> None:
    """Refuse unknown fields that only JSON can express: nothing may be left out of what is sent."""
    if extra and not isinstance(extra, bytes):
        raise ValueError(f"the protobuf form has no field {min(extra)!r}; send it as JSON")
