"""Owns the arrays that outlive one call, so that a step does not pay for fresh pages each time."""

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

ALIGNMENT_BYTES = 64
"""Start of every array: one cache line, one widest vector register."""


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an uninitialised array whose first byte lies on a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + ALIGNMENT_BYTES, np.uint8)
    start = -raw.__array_interface__["data"][0] % ALIGNMENT_BYTES
    view: Array = raw[start : start + size].view(dtype).reshape(shape)
    return view


class Workspace:
    """Arrays by name, grown when a call needs more and handed out again to the next."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Return this name's array, uninitialised, cut to `shape`; valid until the name is taken again."""
        size = math.prod(shape)
        held = self._arrays.get(name)
        if held is None or held.size < size or held.dtype != dtype:
            self._arrays.pop(name, None)
            held = self._arrays[name] = aligned((size,), dtype)
        return held[:size].reshape(shape)

    def release(self) -> None:
        """Give the memory back."""
        self._arrays.clear()
