"""Arrays as bytes, and tensors as messages. Owns element types, byte order and what fits them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from tinsmith_api.ownership import is_array
from tinsmith_api.wire import tinker_wire_pb2 as wire

from tinsmith.core.checks import check_numbers, check_tokens
from tinsmith.core.codec.guard import WireError
from tinsmith.core.codec.proto_unknown import put_back, unknown_of
from tinsmith.core.errors import InputError
from tinsmith.core.given import check_whole, whole_array
from tinsmith.core.values.tensor import MAX_DIMENSIONS, TensorData

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tinsmith.core.given import TensorDtype
    from tinsmith.core.values.chunks import EncodedTextChunk

Array = Any
"""A flat numpy array."""

_WRITTEN: dict[str, tuple[str, wire.DType.ValueType]] = {
    "float32": ("<f4", wire.DTYPE_FLOAT32),
    "int64": ("<i8", wire.DTYPE_INT64),
}
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
    # Negative numbers are huge ones without their sign, so that one look finds whatever does not fit.
    if not plain or (len(tokens) and np.maximum.reduce(tokens.view(np.uint64)) > np.iinfo(np.int32).max):
        check_tokens(chunk, datum, "model_input")
        return to_bytes(tokens, "<i4")
    written: bytes = tokens.astype("<i4").tobytes()
    return written


def from_bytes(data: bytes, kind: str) -> Array:
    """Look at bytes as an array, without a copy."""
    return np.frombuffer(whole(data, kind), kind)


def whole(data: bytes, kind: str) -> bytes:
    """Return the bytes of elements of which none is cut."""
    if len(data) % np.dtype(kind).itemsize:
        raise WireError(f"{len(data)} bytes are no whole number of elements of {np.dtype(kind).name}")
    return data


def element_bytes(dtype: int) -> int:
    """Return the size of an element as it travels."""
    return np.dtype(_READ[dtype][0]).itemsize


def elements(data: bytes, dtype: int) -> tuple[Array, TensorDtype]:
    """Look at bytes as an array of one of the API's two element types; the shorter types are widened."""
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
        kind, message.dtype = _WRITTEN[tensor.dtype]
        values = to_bytes(tensor.raw, cast("Literal['<f4', '<i8']", kind))
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
    """Hold the indices of compressed sparse rows against the shape and against each other."""
    if shape is None or len(shape) != 2:
        raise WireError(f"is sparse, so that its shape must be [rows, columns], not {shape}")
    if len(rows) != shape[0] + 1 or rows[0] != 0 or rows[-1] != stored or (rows[1:] < rows[:-1]).any():
        raise WireError(f"sparse_crow_indices do not fit {stored} values and shape {shape}")
    if len(columns) != stored or (stored and (columns.min() < 0 or columns.max() >= shape[1])):
        raise WireError(f"sparse_col_indices do not fit {stored} values and shape {shape}")


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.setflags(write=False)
    return array
