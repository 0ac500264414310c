"""Sizes of images, read from their headers, and what to know of an input before it is sent.

Owns estimates and warnings; decodes no pixels and needs no image library.
"""

from __future__ import annotations

import warnings

from tinsmith.core.chunking import count_chunk
from tinsmith.core.errors import InputError
from tinsmith.core.given import ImageFormat, sniff_format
from tinsmith.core.policy import ChunkLimits
from tinsmith.core.values.chunks import ImageAssetPointerChunk, ImageChunk, UnknownChunk
from tinsmith.core.values.model_input import ModelInput

TILE_PX = 28
"""Side in pixels of the square that takes one position in common vision models."""

BODY_BYTES = 64 * 1024 * 1024
"""Request bodies above this size are refused by servers."""

_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


def image_size(data: bytes, format: ImageFormat) -> tuple[int, int]:
    """Return (width, height) in pixels from the header of a PNG or JPEG."""
    if sniff_format(data) != format:
        raise InputError(f"the image is not {format}", field="format")
    size = _png_size(data) if format == "png" else _jpeg_size(data)
    if size is None or 0 in size:
        raise InputError(f"the {format} header is damaged", field="data")
    return size


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header, which holds height before width."""
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _FRAME_HEADERS:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        if marker == 0xFF:
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def estimate_image_tokens(data: bytes, format: ImageFormat, *, tile_px: int = TILE_PX) -> int:
    r"""Estimate how many positions an image takes: one a started square of `tile_px` pixels.

    Models resize large images first, so for those the number is too high. The server checks `expected_tokens`
    against its own count; where its model is another, pass the side of that model's squares.

    >>> from tinsmith.core.values import ImageChunk
    >>> data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (56).to_bytes(4, "big") + (29).to_bytes(4, "big")
    >>> estimate_image_tokens(data, "png")
    4
    """
    if tile_px <= 0:
        raise InputError(f"must be above 0, not {tile_px}", field="tile_px")
    width, height = image_size(data, format)
    return -(-width // tile_px) * -(-height // tile_px)


def validate_model_input(model_input: ModelInput, *, limits: ChunkLimits | None = None) -> list[str]:
    """Warn of what a server may refuse or what has no known length; return the warnings' texts.

    Named are images without expected_tokens, chunks of unknown kinds, and inputs too large to share a request
    with others, or for any request.
    """
    problems = []
    for index, chunk in enumerate(model_input.chunks):
        if isinstance(chunk, UnknownChunk):
            problems.append(f"chunk {index} is of an unknown kind, {chunk.type!r}; it is sent as it is")
        elif isinstance(chunk, (ImageChunk, ImageAssetPointerChunk)) and chunk.expected_tokens is None:
            problems.append(f"chunk {index} is an image without expected_tokens: its length is unknown")
    limits = limits or ChunkLimits()
    items = sum(count_chunk(chunk) for chunk in model_input.chunks)
    size = sum(len(chunk.data) * 4 // 3 for chunk in model_input.chunks if isinstance(chunk, ImageChunk))
    if size > BODY_BYTES:
        problems.append(f"its images take {size} bytes as base64; servers refuse bodies above {BODY_BYTES}")
    elif limits.max_items is not None and items > limits.max_items:
        problems.append(
            f"it counts {items}, and a request holds {limits.max_items}: it is sent alone, and may be refused"
        )
    for problem in problems:
        warnings.warn(problem, UserWarning, stacklevel=2)
    return problems
