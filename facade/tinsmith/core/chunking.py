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


def plan(data: Sequence[Datum], limits: ChunkLimits | None = None) -> list[range]:
    """Return the slices of a batch, in order: each as long as both limits allow, an oversized datum alone."""
    limits = limits or ChunkLimits()
    slices: list[range] = []
    start = held = 0
    for index, datum in enumerate(data):
        size = count(datum)
        too_large = index > start and held + size > limits.max_items
        if too_large or index - start >= limits.max_datums:
            slices.append(range(start, index))
            start, held = index, 0
        held += size
    if len(data) > start:
        slices.append(range(start, len(data)))
    return slices
