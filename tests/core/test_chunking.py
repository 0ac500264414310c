"""Chunking: the greedy rule by hand, and its invariants for any batch and limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.chunking import count, estimate_bytes, plan
from tinsmith.core.config import ChunkLimits
from tinsmith.core.errors import InputError
from tinsmith.core.values import (
    Datum,
    EncodedTextChunk,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInput,
    ModelInputChunk,
    TensorData,
    UnknownChunk,
)


def datum(size: int) -> Datum:
    """Make a datum that counts `size`: no tokens, one tensor."""
    return Datum({"x": TensorData(np.zeros(size, np.float32), "float32")}, ModelInput.empty())


def sizes(data: list[Datum], limits: ChunkLimits | None = None) -> list[int]:
    """Plan, and return the lengths of the slices."""
    return [len(part) for part in plan(data, limits)]


def test_a_datum_counts_tokens_bytes_characters_and_elements() -> None:
    """Text by token, images by byte before base64, pointers by character, tensors by element."""
    chunks: list[ModelInputChunk] = [
        EncodedTextChunk([1, 2, 3]),
        ImageChunk(b"12345", "png"),
        ImageAssetPointerChunk("png", "asset://77"),
        UnknownChunk({"type": "dmel", "dmel": "abcd", "rate": 3, "ids": [1, 2]}),
    ]
    tensors = {"target_tokens": [1, 2, 3], "x": np.zeros((2, 4), np.float32)}
    assert count(Datum(tensors, ModelInput(chunks))) == 3 + 5 + 10 + (4 + 4 + 2) + 3 + 8


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], []),
        ([500_000], [1]),
        ([500_001], [1]),
        ([250_000, 250_000], [2]),
        ([250_000, 250_001], [1, 1]),
        ([1, 600_000, 1], [1, 1, 1]),
        ([1] * 300, [128, 128, 44]),
        ([1] * 128, [128]),
        ([1] * 129, [128, 1]),
        ([0] * 129, [128, 1]),
    ],
)
def test_the_documented_limits(counts: list[int], expected: list[int]) -> None:
    """500 000 fits and 500 001 does not; 128 datums fit; an oversized datum goes alone."""
    assert sizes([datum(n) for n in counts]) == expected


@given(
    counts=st.lists(st.integers(0, 12), max_size=60),
    max_items=st.integers(1, 20),
    max_datums=st.integers(1, 7),
)
def test_a_plan_is_a_greedy_partition(counts: list[int], max_items: int, max_datums: int) -> None:
    """Slices cover the batch in order without overlap, keep both limits, and could not be longer."""
    parts = plan([datum(n) for n in counts], ChunkLimits(max_items=max_items, max_datums=max_datums))
    assert [index for part in parts for index in part] == list(range(len(counts)))
    for part in parts:
        held = sum(counts[index] for index in part)
        assert 0 < len(part) <= max_datums
        assert held <= max_items or len(part) == 1
        if part.stop < len(counts):
            assert len(part) == max_datums or held + counts[part.stop] > max_items


@pytest.mark.parametrize("field", ["max_items", "max_datums", "max_bytes"])
def test_limits_are_positive(field: str) -> None:
    """A limit of nothing is refused."""
    with pytest.raises(InputError, match="above 0"):
        ChunkLimits(**{field: 0})


def test_bytes_are_estimated_as_protobuf() -> None:
    """4 bytes a token, 8 an int64, 4 a float32, images as they are."""
    tensors = {"target_tokens": [1, 2, 3], "x": np.zeros((2, 4), np.float32)}
    chunks: list[ModelInputChunk] = [EncodedTextChunk([1, 2, 3]), ImageChunk(b"12345", "png")]
    assert estimate_bytes(Datum(tensors, ModelInput(chunks))) == 12 + 5 + 24 + 32


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([], []), ([25], [1]), ([26], [1]), ([10, 15], [2]), ([10, 16], [1, 1]), ([1, 30, 1], [1, 1, 1])],
)
def test_a_limit_of_bytes_is_kept(counts: list[int], expected: list[int]) -> None:
    """A datum of n float32 counts 4 n bytes; an oversized one goes alone."""
    limits = ChunkLimits(max_items=None, max_bytes=100)
    assert sizes([datum(n) for n in counts], limits) == expected
