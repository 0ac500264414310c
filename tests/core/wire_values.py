"""Random values with every field that the wire knows, for round trips in both encodings."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from tinsmith.core.values import (
    Datum,
    DmelChunk,
    EncodedTextChunk,
    ForwardBackwardOutput,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInput,
    PromptAltTokens,
    PromptProvenanceSpan,
    SampledProvenanceSpan,
    SampledSequence,
    SampleResponse,
    TensorData,
    UnknownChunk,
)

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
INT64 = st.integers(-(2**63), 2**63 - 1)
TOKEN = st.integers(0, 2**31 - 1)
NAME = st.text(min_size=1, max_size=8)


def _shaped(draw: st.DrawFn, flat: list[Any], dtype: Any) -> TensorData:
    """Put numbers into a list or an array, without a shape or with one of one or two dimensions."""
    shape = draw(st.sampled_from([None, [len(flat)], [len(flat), 1], [1, len(flat)], [len(flat), 1, 1]]))
    numbers: Any = np.array(flat, dtype) if draw(st.booleans()) else flat
    return TensorData(numbers, dtype, shape)


@st.composite
def dense(draw: st.DrawFn) -> TensorData:
    """Return a dense tensor of either type."""
    dtype = draw(st.sampled_from(["int64", "float32"]))
    numbers = INT64.map(lambda n: n >> 11) if dtype == "int64" else FLOAT32
    return _shaped(draw, draw(st.lists(numbers, max_size=12)), dtype)


@st.composite
def sparse(draw: st.DrawFn) -> TensorData:
    """Return a tensor of compressed sparse rows."""
    rows = draw(st.lists(st.sets(st.integers(0, 5)), max_size=5))
    columns = [column for row in rows for column in sorted(row)]
    starts = np.cumsum([0, *map(len, rows)]).tolist()
    values = draw(st.lists(FLOAT32, min_size=len(columns), max_size=len(columns)))
    if draw(st.booleans()):
        given: Any = np.array(values, np.float32), np.array(starts), np.array(columns, np.int64)
    else:
        given = values, starts, columns
    return TensorData(given[0], "float32", [len(rows), 6], given[1], given[2])


TENSOR = dense() | sparse()
SPAN = st.builds(
    lambda kind, name, offset, length: kind(name, offset, length=length),
    st.sampled_from([PromptProvenanceSpan, SampledProvenanceSpan]),
    NAME,
    st.integers(0, 2**62),
    st.integers(1, 2**62),
)
SPANS = st.none() | st.lists(SPAN, min_size=1, max_size=3)
CHUNK = (
    st.lists(TOKEN, max_size=8).map(EncodedTextChunk)
    | st.lists(TOKEN, max_size=8).map(lambda tokens: EncodedTextChunk(np.array(tokens, np.int64)))
    | st.builds(
        ImageChunk,
        st.binary(max_size=20),
        st.sampled_from(["png", "jpeg"]),
        st.none() | st.integers(0, 2**31 - 1),
        override_dimensions=st.none() | st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    )
    | st.binary(max_size=20).map(DmelChunk)
)
POINTER = st.builds(ImageAssetPointerChunk, st.sampled_from(["png", "jpeg"]), NAME, st.none() | TOKEN)
UNKNOWN = st.builds(
    lambda fields, kind: UnknownChunk({**fields, "type": f"new {kind}"}),
    st.dictionaries(NAME, st.none() | INT64 | st.lists(NAME, max_size=2), max_size=2),
    NAME,
)
JSON_CHUNK = CHUNK | POINTER | UNKNOWN
"""Chunks of every kind that JSON can say; sizes to scale images to stay behind."""
DATUM = st.builds(
    Datum,
    st.dictionaries(NAME, TENSOR, max_size=3),
    st.lists(CHUNK, max_size=3).map(ModelInput),
    SPANS,
    SPANS,
)
SETTINGS = st.none() | st.dictionaries(
    NAME, st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8), min_size=1, max_size=4
)


@st.composite
def outputs(draw: st.DrawFn) -> ForwardBackwardOutput:
    """Return a result whose datums agree in some fields, types and shapes, and differ in others."""
    fields = draw(st.lists(NAME, max_size=2, unique=True))
    records = []
    for _ in range(draw(st.integers(0, 5))):
        record = {}
        for name in fields if draw(st.booleans()) else fields[:1]:
            dtype = draw(st.sampled_from(["int64", "float32"]))
            flat = draw(st.lists(FLOAT32 if dtype == "float32" else INT64, max_size=4))
            width = draw(st.sampled_from([[], [1], [1, 1]]))
            record[name] = TensorData(np.array(flat, dtype), dtype, [len(flat), *width])  # type: ignore[arg-type]
        records.append(record)
    metrics = draw(st.dictionaries(NAME, st.floats(allow_nan=False), max_size=3))
    kind = draw(st.sampled_from(["ArrayRecord", "TorchLossReturn"]))
    return ForwardBackwardOutput(kind, records, metrics)


LOGPROB = FLOAT32.filter(lambda x: x != -99999.0)
PAIRS = st.lists(st.tuples(TOKEN, LOGPROB), min_size=1, max_size=3)
TOPK = st.none() | st.lists(st.none() | PAIRS, max_size=4)


@st.composite
def sequences(draw: st.DrawFn) -> SampledSequence:
    """Return a sampled sequence."""
    tokens = draw(st.lists(TOKEN, max_size=6))
    logprobs = draw(st.none() | st.lists(LOGPROB, min_size=len(tokens), max_size=len(tokens)))
    return SampledSequence(draw(st.sampled_from(["stop", "length"])), tokens, logprobs, draw(TOPK))


@st.composite
def alternatives(draw: st.DrawFn) -> PromptAltTokens:
    """Return alternatives at the positions of a prompt."""
    rows, k = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    tokens = np.arange(rows * k).reshape(rows, k)
    return PromptAltTokens(
        TensorData(tokens, "int64"), TensorData(-tokens.astype(np.float32), "float32", [rows, k])
    )


SAMPLE = st.builds(
    SampleResponse,
    st.lists(sequences(), min_size=1, max_size=3),
    st.none() | st.lists(st.none() | LOGPROB, max_size=5),
    TOPK,
    target_prompt_logprobs=st.none() | TENSOR,
    prompt_alt_tokens=st.none() | alternatives(),
    prompt_cache_hit_tokens=st.integers(0, 2**31 - 1),
)
