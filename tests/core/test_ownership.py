"""Values own their data: whatever is done afterwards to what a value was made of changes nothing in it."""

from __future__ import annotations

from collections import UserDict, deque
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
import numpy as np
import pytest
from tinsmith import InputError
from tinsmith.core import values
from tinsmith.core.codec.decode import decode_forward_backward
from tinsmith.core.codec.encode import encode_result
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith_api.limits import Limits
from tinsmith_api.ownership import own, own_array

from tests.core.made_values import classes

ANYTHING = {"a": [1, {"b": [2]}], "c": ["d", [3]]}
"""Containers in containers."""

FITTING: dict[str, Any] = {
    "SamplingParams.top_p": 0.5,
    "SamplingParams.stop": ["a"],
    "ImageChunk.format": "png",
    "Datum.loss_fn_inputs": {"weights": [1.0], "mine": np.ones(1)},
    "UnknownChunk.raw": {"type": "new", "a": [1]},
    "TensorData.raw": [1.0, 2.0],
    "TensorData.dtype": "float32",
    "TensorData.shape": [1, 2],
    "TensorData.sparse_crow_indices": [0, 2],
    "TensorData.sparse_col_indices": [0, 1],
}
"""Fields that do not take every value of their type."""
SCALARS: dict[Any, Any] = {
    str: "a",
    int: 1,
    float: 1.0,
    bool: True,
    datetime: datetime(2026, 1, 2, tzinfo=UTC),
}


def whole(hint: Any) -> Any:
    """Return a value of a type, with as many containers as it allows."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in SCALARS:
        return SCALARS[hint]
    if hint is bytes:
        return bytearray(b"\x89PNG")
    if origin in (Union, UnionType):
        parts = [part for part in arguments if part is not NoneType]
        return whole(next((part for part in parts if get_origin(part)), parts[0]))
    if origin is Literal:
        return arguments[0]
    if hint is Any:
        return deepcopy(ANYTHING)
    if origin is tuple:
        return [whole(part) for part in arguments]
    if origin in (list, Sequence):
        return [whole(arguments[0])]
    if origin is not None:
        return {"a": deepcopy(ANYTHING) if arguments[1] is Any else whole(arguments[1])}
    if issubclass(hint, Enum):
        return next(iter(hint))
    return hint(**parts_of(hint))


def parts_of(cls: Any) -> dict[str, Any]:
    """Return arguments for every field of a class."""
    hints = get_type_hints(cls)
    made: dict[str, Any] = {}
    for field in attrs.fields(cls):
        if not field.init:
            continue
        fitting = FITTING.get(f"{cls.__name__}.{field.name}")
        if isinstance(field.validator, Limits) and field.validator.minimum is not None:
            fitting = field.validator.minimum
        if field.name == "type" and isinstance(field.default, str):
            made[field.name] = field.default
        elif field.name == "extra":
            made["extra"] = deepcopy(ANYTHING)
        else:
            made[str(field.alias)] = whole(hints[field.name]) if fitting is None else deepcopy(fitting)
    return made


def spoil(part: Any) -> int:
    """Change every container of what a value was made of, and count them."""
    if isinstance(part, dict):
        found = sum(spoil(item) for item in part.values())
        part.clear()
        return found + 1
    if isinstance(part, (list, deque)):
        found = sum(spoil(item) for item in part)
        part.append("spoilt")
        return found + 1
    if isinstance(part, tuple):
        return sum(spoil(item) for item in part)
    if isinstance(part, bytearray):
        part.clear()
        return 1
    if isinstance(part, np.ndarray):
        part[...] = 9
        return 1
    return 0


def seen(value: Any) -> Any:
    """Return all that a value shows, as a copy."""
    return deepcopy((repr(value), value.model_dump(), getattr(value, "extra", None)))


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_no_field_of_any_value_can_be_changed_from_outside(cls: Any) -> None:
    """Every list, mapping, array and buffer that a field is given is copied, at every depth."""
    parts = parts_of(cls)
    value = cls(**parts)
    before = seen(value)
    for part in parts.values():
        spoil(part)
    assert seen(value) == before


def test_the_search_finds_what_is_not_copied() -> None:
    """It can fail; and containers are among what fields are given."""

    @attrs.frozen
    class Careless(values.ModelInput):
        kept: list[int]

    given = [1]
    careless = Careless([], given)
    before = careless.kept.copy()
    assert spoil(given) == 1
    assert careless.kept != before
    assert sum(spoil(parts_of(cls)) > 1 for cls in classes()) > 40


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (lambda given: values.EncodedTextChunk(tokens=given), lambda chunk: list(chunk.tokens)),
        (lambda given: values.ModelInput.from_ints(given), lambda prompt: prompt.to_ints()),
        (lambda given: values.TensorData(given, "int64"), lambda tensor: list(tensor.data)),
    ],
)
def test_arrays_are_copied_unless_nobody_can_write_to_them(make: Any, shown: Any) -> None:
    """A view of somebody's buffer is no own array, however read-only."""
    buffer = np.arange(4)
    view = buffer[:2]
    view.setflags(write=False)
    values_made = [make(buffer[:2]), make(view), make(deque([0, 1]))]
    buffer[:] = 9
    assert [shown(value) for value in values_made] == [[0, 1]] * 3
    assert make((0, 1)) == make([0, 1])
    frozen = np.arange(4)
    frozen.setflags(write=False)
    assert own_array(frozen) is frozen
    of_bytes = np.frombuffer(b"12345678", "<i4")
    assert own_array(of_bytes) is of_bytes


def test_tokens_of_other_libraries_are_taken() -> None:
    """What has one dimension and a `tolist`, as tensors of torch have."""

    class Tensor:
        ndim = 1

        def tolist(self) -> list[int]:
            return [1, 2]

    given: Any = Tensor()
    assert values.ModelInput.from_ints(given).to_ints() == [1, 2]


def test_a_row_is_not_trained_twice_because_its_buffer_was_filled_again() -> None:
    """A program that fills one list again and again gets one datum a row."""
    buffer, data = [0] * 3, []
    for row in ([1, 2, 3], [4, 5, 6]):
        buffer[:] = row
        targets = values.TensorData(buffer, "int64", [3])
        data.append(values.Datum({"target_tokens": targets}, values.ModelInput.from_ints(buffer)))
    assert [datum.model_input.to_ints() for datum in data] == [[1, 2, 3], [4, 5, 6]]
    assert [datum.loss_fn_inputs["target_tokens"].data for datum in data] == [[1, 2, 3], [4, 5, 6]]


def test_containers_of_other_libraries_become_plain_ones() -> None:
    """Mappings, sequences, sets and buffers of any kind; what cannot change stays what it is."""
    assert own(UserDict(a=deque([1]))) == {"a": [1]}
    assert type(own(UserDict())) is dict
    buffer = np.ones(1)
    kept = own({"a": [buffer]})
    buffer[:] = 9
    assert kept["a"][0].tolist() == [1.0]
    assert own(({"a"}, frozenset({1}), memoryview(b"a"), range(2), "text", 1.5)) == (
        {"a"},
        {1},
        b"a",
        range(2),
        "text",
        1.5,
    )


def test_what_was_decoded_is_not_copied_again() -> None:
    """Numbers of a protobuf result are looked at where they are."""
    sent = values.ForwardBackwardOutput(
        "A", [{"logprobs": values.TensorData(np.ones(3), "float32", [3])}], {}
    )
    read = decode_forward_backward(ProtobufPayload(encode_result(sent, "protobuf")))
    assert not read.loss_fn_outputs[0]["logprobs"].raw.flags.owndata


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"input_ids": [1]}, "not a dict; pass its 'input_ids'"),
        ({1: 2}, "not a dict; pass a list of whole numbers"),
        ("abc", "not a str; pass what the tokenizer's encode"),
        (b"abc", "not a bytes"),
        ([[1, 2], [3, 4]], "not a list of lists; make one input a row"),
        (np.ones((2, 2), int), "not a ndarray of 2 dimensions; pass one row of it"),
        (None, "not a NoneType"),
        (5, "not a int"),
        (iter([1]), "not a list_iterator"),
        ({1, 2}, "not a set"),
    ],
)
def test_what_are_no_token_ids_is_refused_at_once(given: Any, words: str) -> None:
    """The error says what to pass instead."""
    with pytest.raises(InputError, match=words) as caught:
        values.ModelInput.from_ints(given)
    assert caught.value.field == "tokens"
