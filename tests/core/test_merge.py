"""Merging chunk results: worked cases, and a reference formula for any values."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.chunking import MissingOutputs, merge_forward_backward, merge_metrics
from tinsmith.core.errors import APIResponseValidationError
from tinsmith.core.values import ForwardBackwardOutput, TensorData


def part(metrics: dict[str, float], outputs: int = 1, kind: str = "ArrayRecord") -> ForwardBackwardOutput:
    """Make a chunk's result with so many loss outputs."""
    tensor = TensorData([float(outputs)], "float32")
    return ForwardBackwardOutput(kind, [{"logprobs": tensor}] * outputs, metrics)


def test_no_chunks_give_an_empty_result() -> None:
    """An empty batch merges to nothing."""
    assert merge_forward_backward([]) == ForwardBackwardOutput("", [], {})


def test_outputs_are_concatenated_in_order() -> None:
    """The first chunk names the type; outputs follow each other."""
    merged = merge_forward_backward([part({}, 1, "A"), part({}, 2, "B")])
    assert merged.loss_fn_output_type == "A"
    assert [output["logprobs"].data for output in merged.loss_fn_outputs] == [[1.0], [2.0], [2.0]]


def test_missing_outputs_are_missing_in_the_whole() -> None:
    """Nobody knows whose the others are; the metrics are weighed by datums."""
    few: Any = part({"a:mean": 5.0})
    few = ForwardBackwardOutput.of_owned(
        **{**dict(few), "loss_fn_outputs": MissingOutputs(1, 3), "extra": None}
    )
    merged = merge_forward_backward([part({"a:mean": 1.0}), few])
    assert merged.metrics == {"a:mean": 4.0}
    assert (len(merged.loss_fn_outputs), repr(merged.loss_fn_outputs)) == (
        4,
        "2 loss_fn_outputs for 4 datums",
    )
    with pytest.raises(APIResponseValidationError, match="nobody knows whose"):
        merged.loss_fn_outputs[0]


def test_the_documented_example() -> None:
    """1.0 of weight 1 and 5.0 of weight 3: mean 4, slack 1."""
    merged = merge_forward_backward(
        [part({"a:mean": 1.0, "a:slack": 1.0}), part({"a:mean": 5.0, "a:slack": 5.0}, 3)]
    )
    assert merged.metrics == {"a:mean": 4.0, "a:slack": 1.0}


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("a:sum", [1.0, 2.0], {"a:sum": 3.0}),
        ("a:min", [1.0, 2.0], {"a:min": 1.0}),
        ("a:max", [1.0, 2.0], {"a:max": 2.0}),
        ("a:unique", [3.0, 3.0, 4.0], {"a:unique": 3.0, "a:unique_1": 3.0, "a:unique_2": 4.0}),
        ("a:hash2", [2.0**63, 2.0**63, 5.0], {"a:hash2": 5.0}),
        ("a:hash2", [-1.0], {"a:hash2": 2.0**64 - 1}),
        ("a:hash2", [math.nan, 1.0], {"a:hash2": 1.0}),
        ("a:hash_unordered", [7.0], {"a:hash_unordered": float(hash((7,)))}),
        ("a:hash_unordered", [8.0, 7.0], {"a:hash_unordered": float(hash((7, 8)))}),
        ("a:strange", [1.0], {}),
        ("plain", [1.0, 2.0], {"plain": 1.5}),
        ("skyrl.ai/x", [4.0], {"skyrl.ai/x": 4.0}),
        ("a:b:sum", [1.0, 2.0], {"a:b:sum": 3.0}),
    ],
)
def test_each_suffix_has_its_formula(key: str, values: list[float], expected: dict[str, float]) -> None:
    """Known suffixes reduce, unknown ones are dropped, and names without one are averaged."""
    assert merge_metrics([{key: value} for value in values], [1.0] * len(values)) == expected


def test_only_keys_of_every_chunk_are_kept() -> None:
    """A key that a later chunk lacks is dropped; one that only it has is ignored."""
    assert merge_metrics([{"a:sum": 1.0, "b:sum": 1.0}, {"b:sum": 2.0, "c:sum": 3.0}], [1, 1]) == {
        "b:sum": 3.0
    }


def test_chunks_without_outputs_are_averaged_plainly() -> None:
    """Weights that sum to nothing divide by nothing."""
    assert merge_metrics([{"a:mean": 1.0}, {"a:mean": 2.0}], [0, 0]) == {"a:mean": 1.5}


NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 9)), min_size=1, max_size=8))
def test_merging_equals_the_reference(chunks: list[tuple[float, int]]) -> None:
    """Every formula, written once more over the whole batch."""
    values, weights = [x for x, _ in chunks], [w for _, w in chunks]
    keys = ("mean", "sum", "min", "max", "slack")
    merged = merge_metrics([{f"m:{key}": x for key in keys} for x in values], weights)
    repeated = [x for x, w in chunks for _ in range(w)] or values
    mean = math.fsum(repeated) / len(repeated)
    reference = {
        "m:mean": mean,
        "m:sum": math.fsum(values),
        "m:min": min(values),
        "m:max": max(values),
        "m:slack": max(values) - mean,
    }
    assert merged == pytest.approx(reference, rel=1e-9, abs=1e-6)
