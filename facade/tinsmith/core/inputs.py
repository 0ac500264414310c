"""Bytes, images, sound, token ids and arrays as users and decoders give them, for fields of values.

Owns which forms are accepted, how they are kept, and what the error says to pass instead. Knows no value.
"""

from __future__ import annotations

import base64
import binascii
import math
import os
from array import array
from collections.abc import Mapping, Sequence
from operator import index
from typing import Any, Literal, get_args, overload

from tinsmith_api.ownership import is_array, own_array

from tinsmith.core.errors import InputError, MissingExtraError

ImageFormat = Literal["png", "jpeg"]
"""Image encodings that the API takes."""

TensorDtype = Literal["int64", "float32"]
"""The two element types of the API."""

_SIGNATURES: dict[bytes, ImageFormat] = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}


def image_bytes(data: bytes | bytearray | memoryview | str) -> bytes:
    """Return the bytes of an image, given as they are or as base64."""
    return _bytes(data, "image data", "data")


def dmel_bytes(data: bytes | bytearray | memoryview | str) -> bytes:
    """Return the bytes of sound, given as they are or as base64."""
    return _bytes(data, "sound", "dmel")


def _bytes(data: bytes | bytearray | memoryview | str, what: str, field: str) -> bytes:
    """Take raw bytes, or standard base64 text."""
    if isinstance(data, str):
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as cause:
            raise InputError(f"{what} given as text must be standard base64", field=field) from cause
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise InputError(f"must be bytes or base64 text, not {type(data).__name__}", field=field)
    return bytes(data)


def image_format(name: str) -> str:
    """Check the name of an image format, and return it."""
    if name not in get_args(ImageFormat):
        raise InputError(f"unknown image format {name!r}; the API takes png and jpeg", field="format")
    return name


def sniff_format(data: bytes) -> ImageFormat:
    """Return the format of an image, by its first bytes."""
    for start, name in _SIGNATURES.items():
        if data.startswith(start):
            return name
    raise InputError("the image is neither PNG nor JPEG", field="format")


def token_ids(tokens: Any) -> Any:
    """Copy a flat sequence of token ids; the error for anything else says what to pass instead."""
    if is_array(tokens) and tokens.ndim == 1:
        return own_array(tokens)
    if type(tokens) is not list:
        tokens = _as_sequence(tokens)
    if len(tokens) and (isinstance(tokens[0], (list, tuple, Mapping)) or is_array(tokens[0])):
        raise InputError(
            "must be a flat list of token ids, not a list of lists; make one input a row", field="tokens"
        )
    return list(tokens) if type(tokens) is list else tokens


def _as_sequence(tokens: Any) -> Any:
    """Return what is no list of Python as a list, a tuple or a range."""
    kind = type(tokens).__name__
    instead = "a list of whole numbers"
    if isinstance(tokens, Mapping):
        instead = "its 'input_ids'" if "input_ids" in tokens else instead
    elif isinstance(tokens, str):
        instead = "what the tokenizer's encode() returns for it"
    elif isinstance(tokens, (tuple, range)):
        return tokens
    elif isinstance(tokens, Sequence) and not isinstance(tokens, (bytes, bytearray)):
        return list(tokens)
    elif (dimensions := getattr(tokens, "ndim", None)) is not None:
        if dimensions == 1:
            return tokens.tolist()
        kind, instead = f"{kind} of {dimensions} dimensions", "one row of it"
    raise InputError(f"must be a flat list of token ids, not a {kind}; pass {instead}", field="tokens")


def frozen_array(value: Any, dtype: str, field: str = "data") -> Any:
    """Return the numbers of an array as a flat, read-only one that nobody else writes to."""
    import numpy as np

    if value.ndim == 1 and value.dtype == dtype and value.dtype.isnative:
        return own_array(value)
    if dtype == "int64" and value.dtype.kind not in "iu":
        check_whole(value.reshape(-1), field)
    if dtype == "float32" and value.dtype.kind == "f" and value.dtype.itemsize > 4:
        # What float32 does not hold becomes infinite, and is found before sending.
        with np.errstate(over="ignore"):
            flat = np.array(value, dtype=dtype)
    else:
        flat = np.array(value, dtype=dtype)
    if flat.ndim != 1:
        flat = flat.reshape(-1)
    flat.setflags(write=False)
    return flat


def index_array(indices: Any, field: str) -> Any:
    """Take indices of a sparse tensor: an array becomes a read-only one, all else a list."""
    if is_array(indices):
        return frozen_array(indices, "int64", field)
    if isinstance(indices, (list, tuple, range)):
        return list(indices)
    raise InputError(f"must be an array or a list, not a {type(indices).__name__}", field=field)


def dtype_of(array: Any) -> TensorDtype:
    """Choose the API's dtype for a numpy array; only floats and signed integers have one."""
    if array.dtype.kind == "f":
        return "float32"
    if array.dtype.kind == "i":
        return "int64"
    raise InputError(f"arrays of dtype {array.dtype} cannot be sent; convert to float32 or int64 first")


def whole_numbers(data: bytes) -> list[int]:
    """Return int32 numbers as a list."""
    import numpy as np

    numbers: list[int] = np.frombuffer(data, "<i4").tolist()
    return numbers


@overload
def optional_numbers(data: bytes) -> list[float | None]: ...
@overload
def optional_numbers(data: None) -> None: ...
def optional_numbers(data: bytes | None) -> list[float | None] | None:
    """Return float32 numbers as a list, None where NaN says that there is none; None for no bytes."""
    import numpy as np

    if data is None:
        return None
    array = np.frombuffer(data, "<f4")
    numbers: list[float | None] = array.tolist()
    if numbers and math.isnan(np.minimum.reduce(array)):  # a third of the time of looking at each one
        for position in np.flatnonzero(np.isnan(array)):
            numbers[position] = None
    return numbers


def sparse_parts(dense: Any, pad_value: int) -> tuple[Any, Any, Any]:
    """Return what is not `pad_value` in an array, where its rows begin, and its columns."""
    import numpy as np

    if dense.ndim != 2:
        raise InputError("a sparse tensor has a shape of two dimensions", field="shape")
    stored = dense != index(pad_value)
    rows = np.concatenate([[0], np.cumsum(stored.sum(axis=1))])
    return dense[stored], rows, np.nonzero(stored)[1]


def dense_array(shape: Any, dtype: str, pad_value: int, stored: Any, rows: Any, columns: Any) -> Any:
    """Return the whole array of a sparse tensor."""
    import numpy as np

    try:
        dense = np.full(shape, index(pad_value), dtype=dtype)
    except (ValueError, MemoryError) as cause:
        raise InputError(f"{shape} cannot be filled up: {cause}", field="shape") from cause
    dense[np.repeat(np.arange(shape[0]), np.diff(rows)), columns] = stored
    return dense


def image_file(path: str | os.PathLike[str]) -> bytes:
    """Read the file of an image; the only function in core that opens a file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as cause:
        problem = f"cannot read the image {os.fspath(path)!r}: {cause.strerror}"
        raise InputError(problem, field="data") from cause


def as_array(numbers: Any, dtype: str) -> Any:
    """Return numbers as a flat array; what float32 does not hold becomes infinite, fractions are no int64."""
    import numpy as np

    try:
        if dtype == "int64" and not is_array(numbers):
            return whole_array(numbers, "<i8")
        with np.errstate(over="ignore"):  # as when an array is given
            return np.asarray(numbers, dtype=dtype)
    except InputError:
        raise
    except (TypeError, ValueError, OverflowError) as cause:
        raise InputError(f"holds what is no number of {dtype}: {cause}", field="data") from cause


def whole_array(numbers: Any, kind: Literal["<i4", "<i8"]) -> Any:
    """Return a flat sequence of whole numbers as an array; OverflowError for one that does not fit."""
    import numpy as np

    try:
        return np.asarray(np.frombuffer(array("i" if kind == "<i4" else "q", numbers), f"={kind[1:]}"), kind)
    except TypeError:  # for any float
        check_whole(numbers)
        return np.asarray(numbers, kind)


def check_whole(numbers: Any, field: str = "data") -> None:
    """Refuse fractions, which an array of whole numbers would cut; the error says which number it is."""
    for position, number in enumerate(numbers):
        if hasattr(type(number), "is_integer") and not number.is_integer():
            raise InputError(f"must be a whole number, not {number!r}", field=f"{field}[{position}]")


def required_length(kind: str, expected_tokens: int | None) -> int:
    """Return `expected_tokens` of a chunk; an error if it is not set."""
    if expected_tokens is None:
        raise InputError(
            f"the length of an {kind} is unknown until expected_tokens is set", field="expected_tokens"
        )
    return expected_tokens


def same_tokens(one: Any, other: Any) -> bool:
    """Say whether two sequences hold the same token ids, of whatever kind they are."""
    return list(one) == list(other)


def image_encoded(image: Any, format: str) -> bytes:
    """Encode a PIL image. Needs the `images` extra."""
    if not hasattr(image, "save"):
        raise MissingExtraError("ImageChunk.from_pil", "images")
    from io import BytesIO

    buffer = BytesIO()
    image.save(buffer, format=image_format(format).upper())
    return buffer.getvalue()


CONSTANT = 254
"""First byte of a container whose numbers are all the same."""

ELEMENT_TYPES = range(8)
"""Bytes that stand for an element type."""

_VARINT_BYTES = 10


def dmel_length(data: bytes) -> int:
    """Return the first dimension, which is how many positions the sound takes."""
    start = 1 if data[:1] == bytes([CONSTANT]) else 0
    if len(data) <= start:
        raise _damaged("it ends early")
    if data[start] not in ELEMENT_TYPES:
        raise _damaged(f"{data[start]} is no element type")
    dimensions, at = _varint(data, start + 1)
    if dimensions == 0:
        raise _damaged("it has no dimension")
    return _varint(data, at)[0]


def _varint(data: bytes, start: int) -> tuple[int, int]:
    """Read a number, seven bits a byte, and where it ends."""
    value = 0
    for at in range(start, min(len(data), start + _VARINT_BYTES)):
        value |= (data[at] & 0x7F) << 7 * (at - start)
        if data[at] < 0x80:
            return value, at + 1
    raise _damaged("a number in it does not end")


def _damaged(problem: str) -> InputError:
    return InputError(f"the head of the dmel container is damaged: {problem}", field="dmel")
