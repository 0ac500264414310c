"""The head of the container that sound comes in: an optional mark, an element type, and the dimensions.

Owns the head alone; the numbers behind it are the server's business.
"""

from __future__ import annotations

from tinsmith.core.errors import InputError

CONSTANT = 254
"""First byte of a container whose numbers are all the same."""

ELEMENT_TYPES = range(8)
"""Bytes that stand for an element type."""

_VARINT_BYTES = 10


def sound_length(data: bytes) -> int:
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
    return InputError(f"the head of the sound is damaged: {problem}", field="dmel")
