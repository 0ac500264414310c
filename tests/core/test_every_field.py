"""Round trips leave nothing out: every field of every message and value is in what they try."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
import orjson
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from tinsmith.core import values
from tinsmith.core.codec.answers import to_value
from tinsmith.core.codec.decode import decode_model_input, decode_piece
from tinsmith.core.codec.encode import encode_body, encode_forward_backward, encode_result
from tinsmith_api.wire import tinker_wire_pb2 as wire

from tests.core.made_values import ANSWERS, BY_HAND, SENT, classes, made
from tests.core.wire_values import DATUM, JSON_CHUNK, SAMPLE, SETTINGS, outputs

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

SEARCH = settings(
    max_examples=3000,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _request(given_values: tuple[Any, Any, Any]) -> Message:
    datum, config, op = given_values
    body = encode_forward_backward(op, [datum], "ppo", config, "m", 7, encoding="protobuf")
    return wire.ForwardBackwardRequest.FromString(b"".join(body))


def _result(cls: Any) -> Any:
    return lambda value: cls.FromString(encode_result(value, "protobuf"))


TRIED: dict[Any, tuple[st.SearchStrategy[Any], Any]] = {
    wire.ForwardBackwardRequest: (
        st.tuples(DATUM, SETTINGS, st.sampled_from(["forward", "forward_backward"])),
        _request,
    ),
    wire.ForwardBackwardOutput: (outputs(), _result(wire.ForwardBackwardOutput)),
    wire.SampleResponse: (SAMPLE, _result(wire.SampleResponse)),
}
"""What the round trips try of each body, and how it is written."""


def fields_of(descriptor: Descriptor) -> set[str]:
    """Name every field of a message and of the messages in it."""
    names: set[str] = set()
    for field in descriptor.fields:
        names.add(f"{descriptor.name}.{field.name}")
        if field.message_type is not None:
            names |= fields_of(field.message_type)
    return names


def fields_in(message: Message) -> set[str]:
    """Name the fields that are set in a message and in the messages in it."""
    names: set[str] = set()
    for field, value in message.ListFields():
        names.add(f"{message.DESCRIPTOR.name}.{field.name}")
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            entry = field.message_type
            names |= {f"{entry.name}.{part.name}" for part in entry.fields} if len(value) else set()
            parts = value.values() if entry.fields_by_name["value"].message_type else ()
        else:
            parts = value if field.is_repeated else [value]
        for part in parts:
            names |= fields_in(part)
    return names


MESSAGE_FIELDS = [(cls, name) for cls in TRIED for name in sorted(fields_of(cls.DESCRIPTOR))]


@pytest.mark.parametrize(("cls", "name"), MESSAGE_FIELDS, ids=lambda part: getattr(part, "__name__", part))
def test_round_trips_try_every_field_of_every_message(cls: Any, name: str) -> None:
    """Taken from the compiled contract: a field that is added there and not here is found missing."""
    strategy, written = TRIED[cls]
    find(strategy, lambda value: name in fields_in(written(value)), settings=SEARCH)


def test_all_messages_are_tried() -> None:
    """No message of the contract stands beside the three bodies."""
    tried = {name.partition(".")[0] for _, name in MESSAGE_FIELDS}
    assert set(wire.DESCRIPTOR.message_types_by_name) <= tried


@cache
def _tried_values() -> st.SearchStrategy[Any]:
    inputs = st.lists(JSON_CHUNK, min_size=1, max_size=2).map(values.ModelInput)
    return DATUM | inputs | outputs() | SAMPLE | SAMPLE.map(_named) | made(values.SamplePiece)


def _named(value: values.SampleResponse) -> values.SampleResponse:
    """Name the sequences, as JSON alone can."""
    return value.named([f"seq-{index}" for index in range(len(value.sequences))])


def _set_fields(value: Any) -> set[str]:
    """Name the fields of a value, and of the values in it, that differ from what they are when left out."""
    names: set[str] = set()
    if attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            part = getattr(value, field.name)
            given_here = field.default in (attrs.NOTHING, None) or part != field.default
            names |= {f"{type(value).__name__}.{field.name}"} if given_here and part is not None else set()
            names |= _set_fields(part)
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            names |= _set_fields(part)
    return names


VALUE_FIELDS = sorted(
    f"{cls.__name__}.{field.name}"
    for cls in BY_HAND
    for field in attrs.fields(cls)
    if field.name not in {"extra", "type"} and not field.name.startswith("_")
)


@pytest.mark.parametrize("name", VALUE_FIELDS)
def test_round_trips_try_every_field_of_every_value(name: str) -> None:
    """Taken from the classes; what is unknown has tests of its own, and a tag has one value."""
    find(_tried_values(), lambda value: name in _set_fields(value), settings=SEARCH)


def test_every_class_is_among_the_values_tried() -> None:
    """A class is an answer, something that is sent, or has a codec of its own."""
    assert {*ANSWERS, *SENT, *BY_HAND} == set(classes())
    assert {values.TrainingRun, values.Checkpoint, values.GetInfoResponse} <= set(ANSWERS)
    assert {values.SampleRequest, values.AdamParams} <= set(SENT)


@pytest.mark.parametrize("cls", ANSWERS, ids=lambda cls: cls.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_answers_survive_json(cls: Any, data: st.DataObject) -> None:
    """Each field of each answer comes back as it was, times and nested values among them."""
    value = data.draw(made(cls))
    assert to_value(cls, orjson.loads(encode_body(value))) == value


@pytest.mark.parametrize("cls", SENT, ids=lambda cls: cls.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_whatever_is_set_is_sent(cls: Any, data: st.DataObject) -> None:
    """Each field of each request stands in its body under its own name, unless None may be left out."""
    value = data.draw(made(cls))
    sent = orjson.loads(encode_body(value))
    given_here = {
        field.name
        for field in attrs.fields(cls)
        if getattr(value, field.name) is not None or field.default is attrs.NOTHING
    }
    assert sent.keys() == given_here
    for name in given_here:
        plain = getattr(value, name)
        if isinstance(plain, (str, int, float)):
            assert sent[name] == plain


@given(chunks=st.lists(JSON_CHUNK, max_size=4))
def test_chunks_of_every_kind_survive_json(chunks: list[Any]) -> None:
    """Pointers and kinds that nobody knows too, which protobuf cannot say."""
    plain = [
        attrs.evolve(each, override_dimensions=None) if isinstance(each, values.ImageChunk) else each
        for each in chunks
    ]
    written = orjson.loads(encode_body(values.ModelInput(chunks)))
    assert decode_model_input(written) == values.ModelInput(plain)
    assert orjson.loads(encode_body(decode_model_input(written))) == written


@given(piece=made(values.SamplePiece))
def test_a_piece_survives_json(piece: values.SamplePiece) -> None:
    """Each field of a piece of a stream comes back as it was."""
    assert decode_piece(encode_body(piece).decode()) == piece
