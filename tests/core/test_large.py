"""Large results in JSON: the same values, whichever library read them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.codec import wire
from tinsmith.core.codec.decode import decode_forward_backward
from tinsmith.core.codec.wire import LARGE_BYTES, loads_result

simdjson = pytest.importorskip("simdjson", reason="the extra [simd] has no wheel for this Python")

PADDING = {"padding": "x" * LARGE_BYTES}
"""What makes a body large."""
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
TENSOR = st.one_of(
    st.builds(
        lambda data: {"data": data, "dtype": "float32", "shape": [len(data)]}, st.lists(st.none() | FLOATS)
    ),
    st.builds(lambda data: {"data": data, "dtype": "float32"}, st.lists(FLOATS | st.integers(-9, 9))),
    st.builds(
        lambda data: {"data": data, "dtype": "int64", "newer": [{"a": [1, "b"]}]},
        st.lists(st.integers(-(2**63), 2**63 - 1)),
    ),
)
RESULT = st.builds(
    lambda outputs: {"loss_fn_output_type": "X", "loss_fn_outputs": outputs, "metrics": {"a": 0.5}},
    st.lists(st.dictionaries(st.sampled_from(["logprobs", "é"]), TENSOR)),
)


def listed(part: Any) -> Any:
    """Return a document without arrays."""
    if isinstance(part, np.ndarray):
        return part.tolist()
    if isinstance(part, dict):
        return {name: listed(value) for name, value in part.items()}
    return [listed(item) for item in part] if isinstance(part, list) else part


@given(RESULT)
def test_both_libraries_read_the_same(result: dict[str, Any]) -> None:
    """Numbers, nulls, unknown fields and text come out alike, and make the same value."""
    body = orjson.dumps({**result, **PADDING})
    read = loads_result(body)
    assert listed(read) == orjson.loads(body)
    assert decode_forward_backward(read) == decode_forward_backward(orjson.loads(body))


def test_numbers_of_tensors_are_arrays() -> None:
    """Large results hold arrays of the dtype that they name, and nothing else does."""
    tensor = {"data": [0.5, 1.5], "dtype": "float32"}
    body = orjson.dumps({"a": tensor, "b": [1, 2], "c": {"data": [1], "dtype": 7}, **PADDING})
    odd = {"x": {"data": "text", "dtype": "float32"}, "y": {"data": {"z": None}, "dtype": "int64"}, **PADDING}
    assert loads_result(orjson.dumps(odd)) == odd
    read = loads_result(body)
    assert read["a"]["data"].dtype == np.float32
    assert (read["b"], read["c"]["data"]) == ([1, 2], [1])
    assert loads_result(orjson.dumps({"a": tensor})) == {"a": tensor}


@pytest.mark.parametrize(
    "text", ["", "{", '{"a": NaN}', '{"a": "\\ud800"}', '{"a": 1}{', '{"a": [1, 2'], ids=repr
)
def test_what_is_no_json_is_told_in_one_way(text: str) -> None:
    """An unreadable body raises orjson's error, whatever its size."""
    with pytest.raises(orjson.JSONDecodeError):
        loads_result((" " * LARGE_BYTES + text).encode())


def test_numbers_that_are_too_large_become_infinite() -> None:
    """A number beyond 32-bit floats is no error while reading; whoever uses it sees it."""
    body = orjson.dumps({"a": {"data": [1e39], "dtype": "float32"}, **PADDING})
    assert loads_result(body)["a"]["data"].tolist() == [float("inf")]
    text = b'{"a": {"data": [123456789012345678901234567890], "dtype": "int64"}}' + b" " * LARGE_BYTES
    assert loads_result(text) == orjson.loads(text)


def test_without_the_extra_lists_stay_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed simdjson gets the same by the library that is always there."""
    monkeypatch.setitem(sys.modules, "simdjson", None)
    wire._simdjson.cache_clear()
    wire.load()
    body = orjson.dumps({"a": {"data": [0.5], "dtype": "float32"}, **PADDING})
    assert loads_result(body)["a"]["data"] == [0.5]
    wire._simdjson.cache_clear()
