"""Splits a batch into requests. Owns the count of a datum and the greedy plan; copies nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith.core.policy import ChunkLimits
from tinsmith.core.values.chunks import DmelChunk, EncodedTextChunk, ImageAssetPointerChunk, ImageChunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinsmith.core.values.chunks import ModelInputChunk
    from tinsmith.core.values.datum import Datum


def count_chunk(chunk: ModelInputChunk) -> int:
    """Count one chunk: tokens of text, bytes of an image or of sound, characters of a pointer."""
    if isinstance(chunk, EncodedTextChunk):
        return len(chunk.tokens)
    if isinstance(chunk, ImageChunk):
        return len(chunk.data)
    if isinstance(chunk, ImageAssetPointerChunk):
        return len(chunk.location)
    if isinstance(chunk, DmelChunk):
        return len(chunk.dmel)
    return sum(len(value) for value in chunk.raw.values() if isinstance(value, (str, list)))


def count(datum: Datum) -> int:
    """Count one datum: its chunks, and every element of its tensors."""
    chunks = sum(count_chunk(chunk) for chunk in datum.model_input.chunks)
    return chunks + sum(len(tensor) for tensor in datum.loss_fn_inputs.values())


def estimate_bytes(datum: Datum) -> int:
    """Estimate a datum as protobuf, by the rule in which servers give their limit.

    4 bytes a token, the bytes of each tensor's numbers (8 for int64, else 4), images as they are.
    """
    size = sum(
        count_chunk(chunk) * (4 if isinstance(chunk, EncodedTextChunk) else 1)
        for chunk in datum.model_input.chunks
    )
    return size + sum(
        len(tensor) * (8 if tensor.dtype == "int64" else 4) for tensor in datum.loss_fn_inputs.values()
    )


def plan(data: Sequence[Datum], limits: ChunkLimits | None = None) -> list[range]:
    """Return the slices of a batch, in order: each as long as the limits allow, an oversized datum alone."""
    limits = limits or ChunkLimits()
    slices: list[range] = []
    start = held = held_bytes = 0
    for index, datum in enumerate(data):
        size = 0 if limits.max_items is None else count(datum)
        size_bytes = 0 if limits.max_bytes is None else estimate_bytes(datum)
        too_large = (limits.max_items is not None and held + size > limits.max_items) or (
            limits.max_bytes is not None and held_bytes + size_bytes > limits.max_bytes
        )
        if index > start and (too_large or index - start >= limits.max_datums):
            slices.append(range(start, index))
            start, held, held_bytes = index, 0, 0
        held, held_bytes = held + size, held_bytes + size_bytes
    if len(data) > start:
        slices.append(range(start, len(data)))
    return slices
