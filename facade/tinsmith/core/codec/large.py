"""JSON of large results to plain values. Owns which library reads it: the numbers of tensors become arrays.

Without simdjson, which is an extra, they become the lists that they are in JSON; so does what it refuses.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

LARGE_BYTES = 64 * 1024
"""Below this size, reading is quick in any way."""


def loads_result(body: bytes) -> Any:
    """Read the JSON of a result; `orjson.JSONDecodeError` says what is wrong with it."""
    if len(body) >= LARGE_BYTES and _simdjson() is not None:
        try:
            return _plain(_simdjson().Parser().parse(body))
        except (ValueError, RuntimeError):
            pass  # the other library takes more, and has the one error that is expected
    return orjson.loads(body)


@cache
def _simdjson() -> Any:
    try:
        import simdjson  # an extra
    except ImportError:
        return None
    return simdjson


def _plain(part: Any) -> Any:
    """Return what a parsed document holds, which itself ends with its parser."""
    if isinstance(part, _simdjson().Array):
        return [_plain(item) for item in part] if _holds_objects(part) else part.as_list()
    if not isinstance(part, _simdjson().Object):
        return part
    dtype = part.get("dtype")
    # One by one: items() makes lists of all numbers.
    return {
        name: _numbers(part[name], dtype) if name == "data" and isinstance(dtype, str) else _plain(part[name])
        for name in part
    }


def _holds_objects(array: Any) -> bool:
    return len(array) > 0 and isinstance(array[0], (_simdjson().Object, _simdjson().Array))


def _numbers(data: Any, dtype: str) -> Any:
    """Return the numbers of a tensor as an array of its dtype; anything else as it is."""
    import numpy as np

    kind = "i" if dtype == "int64" else "d"
    try:
        found = np.frombuffer(data.as_buffer(of_type=kind), "<i8" if kind == "i" else "<f8")
    except (AttributeError, TypeError, ValueError):
        return _plain(data)
    if kind == "i":
        return found
    with np.errstate(over="ignore"):  # infinite, as it would be if it came as a list
        return found.astype(np.float32)
