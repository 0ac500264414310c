"""JSON of large results to plain values. Owns which library reads it: the numbers of tensors become arrays.

Without simdjson, which is an extra, they become the lists that they are in JSON; so does what it refuses.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import orjson

LARGE_BYTES = 64 * 1024
"""Below this size, reading is quick in any way."""


def loads_result(body: bytes) -> Any:
    """Read the JSON of a result; `orjson.JSONDecodeError` says what is wrong with it."""
    library = _simdjson() if len(body) >= LARGE_BYTES else None
    if library is not None:
        try:
            return _Reader(library).read(body)
        except (ValueError, RuntimeError):
            pass  # the other library takes more, and has the one error that is expected
    return orjson.loads(body)


def load() -> None:
    """Import what large results are read with, if it is there."""
    if _simdjson() is not None:
        import_module("numpy")


@cache
def _simdjson() -> Any:
    try:
        import simdjson  # an extra
    except ImportError:
        return None
    return simdjson


class _Reader:
    """Copies what it wants to keep out of a parsed document, which ends with its parser."""

    def __init__(self, library: Any) -> None:
        self.parser, self.list, self.object = library.Parser(), library.Array, library.Object

    def read(self, body: bytes) -> Any:
        """Parse a body."""
        import numpy as np

        with np.errstate(over="ignore"):  # too large for a tensor is infinite, as it would be in a list
            return self.plain(self.parser.parse(body))

    def plain(self, part: Any) -> Any:
        """Return what a part holds."""
        kind = type(part)
        if kind is self.object:
            dtype = part.get("dtype")
            is_tensor = type(dtype) is str
            # One by one: items() makes lists of all numbers.
            return {
                name: self.numbers(part[name], dtype)
                if is_tensor and name == "data"
                else self.plain(part[name])
                for name in part
            }
        if kind is not self.list:
            return part
        if len(part) and type(part[0]) in (self.list, self.object):
            return [self.plain(item) for item in part]
        return part.as_list()

    def numbers(self, data: Any, dtype: str) -> Any:
        """Return the numbers of a tensor as an array of its dtype; anything else as it is."""
        import numpy as np

        kind = "i" if dtype == "int64" else "d"
        try:
            found = np.frombuffer(data.as_buffer(of_type=kind), "<i8" if kind == "i" else "<f8")
        except (AttributeError, TypeError, ValueError):
            return self.plain(data)
        if kind == "i":
            return found
        rounded = found.astype(np.float32)
        rounded.setflags(write=False)
        return rounded
