"""Cuts a batch into chunks, and joins the results of chunks into one.

It owns the size of a datum, the greedy plan, the reduction of metrics by suffix, and the placeholder
for missing outputs. It copies no datum, and knows nothing of promises.

Formulas: x_i is the value of chunk i, w_i the number of its loss outputs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

from tinsmith.core.config import ChunkLimits
from tinsmith.core.errors import APIResponseValidationError
from tinsmith.core.values.model_input import DmelChunk, EncodedTextChunk, ImageAssetPointerChunk, ImageChunk
from tinsmith.core.values.results import ForwardBackwardOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tinsmith.core.values.datum import Datum
    from tinsmith.core.values.model_input import ModelInputChunk


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


class MissingOutputs:
    """The outputs of a batch for which the server returned fewer outputs than there are datums.

    Nobody knows which datums they belong to, so reading any is an error. Its length is the number of datums.
    """

    def __init__(self, found: int, datums: int) -> None:
        self.found, self.datums = found, datums

    def __len__(self) -> int:
        return self.datums

    def __getitem__(self, index: object) -> NoReturn:
        raise self._error()

    def __iter__(self) -> NoReturn:
        raise self._error()

    def _error(self) -> APIResponseValidationError:
        return APIResponseValidationError(message=f"The server gave {self}: nobody knows whose they are.")

    def __repr__(self) -> str:
        return f"{self.found} loss_fn_outputs for {self.datums} datums"


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """Compute sum(w x) / sum(w); a plain mean where no chunk has outputs."""
    total = sum(weights)
    if total == 0:
        return sum(values) / len(values)
    return sum(w * x for w, x in zip(weights, values, strict=True)) / total


def _slack(values: Sequence[float], weights: Sequence[float]) -> float:
    """Compute max(x) - mean(x): how far the worst chunk is from the average."""
    return max(values) - _mean(values, weights)


def _hash2(values: Sequence[float], weights: Sequence[float]) -> float:
    """Compute the sum of the values' low 64 bits, modulo 2^64: the same for any order of chunks."""
    return float(sum(int(value) & (2**64 - 1) for value in values if math.isfinite(value)) % 2**64)


def _hash_unordered(values: Sequence[float], weights: Sequence[float]) -> float:
    """Hash the sorted whole values, as the baseline client does; one value is hashed again, too."""
    return float(hash(tuple(sorted(int(value) for value in values if math.isfinite(value)))))


_BY_SUFFIX: dict[str, Callable[[Sequence[float], Sequence[float]], float]] = {
    "mean": _mean,
    "sum": lambda values, weights: sum(values),
    "min": lambda values, weights: min(values),
    "max": lambda values, weights: max(values),
    "slack": _slack,
    "hash2": _hash2,
    "hash_unordered": _hash_unordered,
}


def merge_metrics(metrics: Sequence[dict[str, float]], weights: Sequence[float]) -> dict[str, float]:
    """Reduce the metrics of chunks. Only keys that every chunk has are kept."""
    merged: dict[str, float] = {}
    for key in metrics[0]:
        if any(key not in other for other in metrics[1:]):
            continue
        values = [other[key] for other in metrics]
        _, colon, suffix = key.rpartition(":")
        if colon and suffix == "unique":
            merged.update({f"{key}_{i}" if i else key: value for i, value in enumerate(values)})
        elif not colon or suffix in _BY_SUFFIX:
            merged[key] = _BY_SUFFIX.get(suffix if colon else "mean", _mean)(values, weights)
    return merged


def _joined(parts: Sequence[Any]) -> Any:
    """Concatenate outputs; if some are missing in one part, all are `MissingOutputs`."""
    if any(isinstance(part, MissingOutputs) for part in parts):
        found = sum(part.found if isinstance(part, MissingOutputs) else len(part) for part in parts)
        return MissingOutputs(found, sum(map(len, parts)))
    return [output for part in parts for output in part]


def merge_forward_backward(parts: Sequence[ForwardBackwardOutput]) -> ForwardBackwardOutput:
    """Join chunk results in order: outputs are concatenated, metrics reduced by their suffix."""
    if not parts:
        return ForwardBackwardOutput("", [], {})
    return ForwardBackwardOutput.of_owned(
        loss_fn_output_type=parts[0].loss_fn_output_type,
        loss_fn_outputs=_joined([part.loss_fn_outputs for part in parts]),
        metrics=merge_metrics(
            [part.metrics for part in parts], [len(part.loss_fn_outputs) for part in parts]
        ),
        extra=None,
    )
