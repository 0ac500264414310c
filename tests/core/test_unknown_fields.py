"""What newer servers and clients add survives the way through this version, in JSON and in protobuf."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import attrs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith import InputError
from tinsmith.core import values
from tinsmith.core.codec.answers import to_value
from tinsmith.core.codec.decode import (
    decode_datum,
    decode_forward_backward,
    decode_piece,
    decode_sample,
)
from tinsmith.core.codec.encode import (
    encode_body,
    encode_datum,
    encode_forward_backward,
    encode_result,
    to_wire,
)
from tinsmith.core.codec.proto_requests import decode_training_request
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith_api.model import as_mapping, named_extra
from tinsmith_api.wire import tinker_wire_pb2 as wire

from tests.core.made_values import ANSWERS, made
from tests.core.wire_values import DATUM, JSON_CHUNK, SAMPLE, outputs

if TYPE_CHECKING:
    from google.protobuf.message import Message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
ADDED = st.dictionaries(
    st.text(max_size=6).map(lambda name: f"x_{name}") | st.just("extra"), JSON, min_size=1, max_size=3
)
FREE = {"loss_fn_inputs", "metrics"}
"""Objects whose names are data, so that nothing can be unknown in them."""


def sprinkled(fields: Any, added: dict[str, Any], name: str = "") -> Any:
    """Add fields to an object and to each object in it."""
    if isinstance(fields, list):
        free = name == "loss_fn_outputs"
        return [
            {key: sprinkled(part, added) for key, part in item.items()} if free else sprinkled(item, added)
            for item in fields
        ]
    if not isinstance(fields, dict):
        return fields
    inner = {key: sprinkled(part, added, key) for key, part in fields.items()}
    return inner if name in FREE else {**inner, **added}


@given(datum=DATUM, chunks=st.lists(JSON_CHUNK, max_size=3), added=ADDED)
def test_a_datum_keeps_unknown_json(datum: values.Datum, chunks: list[Any], added: dict[str, Any]) -> None:
    """In the datum, its tensors, its input and each chunk; what is known is the same with it and without."""
    datum = attrs.evolve(datum, model_input=values.ModelInput(chunks))
    plain = orjson.loads(encode_datum(0, datum))
    newer = sprinkled(plain, added)
    read = decode_datum(newer, 0)
    assert orjson.loads(encode_datum(0, read)) == newer
    assert (read.extra, read.model_input.extra) == (added, added)
    known = [each for each in chunks if not isinstance(each, values.UnknownChunk)]
    if len(known) == len(chunks):
        assert read == decode_datum(plain, 0)


@given(value=outputs() | SAMPLE, added=ADDED)
def test_a_result_keeps_unknown_json(value: Any, added: dict[str, Any]) -> None:
    """In the result, its sequences, its alternatives and its tensors."""
    decode: Any = decode_sample if isinstance(value, values.SampleResponse) else decode_forward_backward
    plain = orjson.loads(encode_result(value))
    newer = sprinkled(plain, added)
    read = decode(newer)
    assert orjson.loads(encode_result(read)) == newer
    assert read == decode(plain)


@given(piece=made(values.SamplePiece), added=ADDED)
def test_a_piece_keeps_unknown_json(piece: values.SamplePiece, added: dict[str, Any]) -> None:
    """The pairs of a piece of a stream are lists, so only the piece itself has names."""
    newer = {**orjson.loads(encode_body(piece)), **added}
    assert decode_piece(orjson.dumps(newer).decode()).extra == added


@pytest.mark.parametrize("cls", ANSWERS, ids=lambda cls: cls.__name__)
@settings(max_examples=10)
@given(data=st.data(), added=ADDED)
def test_an_answer_keeps_unknown_json(cls: Any, data: st.DataObject, added: dict[str, Any]) -> None:
    """In the answer itself; a program finds it in `extra`, and it changes nothing else."""
    value = data.draw(made(cls))
    plain = orjson.loads(encode_body(value))
    read = to_value(cls, {**plain, **added})
    assert read == value
    assert read.extra == added
    assert orjson.loads(encode_body(read)) == {**plain, **added}
    shown = as_mapping(read)
    assert {name: shown[name] for name in added} == added


def test_an_answer_in_an_answer_keeps_its_own() -> None:
    """A page of runs, each with its checkpoint."""
    page = {
        "training_runs": [
            {
                "training_run_id": "s:train:0",
                "base_model": "b",
                "model_owner": "me",
                "is_lora": True,
                "last_request_time": "2026-01-02T03:04:05Z",
                "corrupted": False,
                "last_checkpoint": {
                    "checkpoint_id": "weights/1",
                    "checkpoint_type": "training",
                    "time": "2026-01-02T03:04:05Z",
                    "tinker_path": "tinker://s:train:0/weights/1",
                    "public": False,
                    "region": "moon",
                },
                "colour": "blue",
            }
        ],
        "cursor": {"offset": 0, "limit": 1, "total_count": 1, "next": "x"},
    }
    read = to_value(values.TrainingRunsResponse, page)
    assert read.training_runs[0].last_checkpoint is not None
    assert named_extra(read.training_runs[0].last_checkpoint) == {"region": "moon"}
    assert named_extra(read.cursor) == {"next": "x"}
    shown = as_mapping(read)["training_runs"][0]
    assert (shown["colour"], shown["last_checkpoint"]["region"]) == ("blue", "moon")
    written = orjson.loads(encode_body(read))
    assert written["training_runs"][0]["colour"] == "blue"
    assert written["cursor"] == page["cursor"]


NEWER = b"\xa2\x38\x03new\xa8\x38\x01"
"""Fields 900 and 901, which no message has."""
TAKEN_APART = {"ForwardBackwardRequest", "LossConfigValue", "ImageDimensions", "ArrayRecord", "BatchedTensor"}
"""Messages that become no value of their own, and are written anew."""


def sprinkle(message: Message) -> None:
    """Add fields to a message and to each message in it that becomes a value."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        entry = field.message_type.GetOptions().map_entry
        if entry and field.message_type.fields_by_name["value"].message_type is None:
            continue
        for part in value.values() if entry else value if field.is_repeated else [value]:
            sprinkle(part)
    if message.DESCRIPTOR.name not in TAKEN_APART:
        message.MergeFromString(NEWER)


def same_bytes(message: Message) -> bytes:
    """Write a message in one way only."""
    return message.SerializeToString(deterministic=True)


def written(datum: values.Datum) -> bytes:
    """Return the body of a forward of one datum."""
    pieces = encode_forward_backward("forward", [datum], "ppo", None, "m", 1, encoding="protobuf")
    return b"".join(pieces)


def read_back(body: bytes) -> values.Datum:
    """Return the one datum of a forward."""
    request = decode_training_request(body)
    assert isinstance(request, values.ForwardRequest)
    (datum,) = request.forward_input.data
    return datum


@given(datum=DATUM)
def test_a_datum_keeps_unknown_protobuf(datum: values.Datum) -> None:
    """In the datum, its chunks, its tensors and its spans, dense and sparse; JSON leaves it out."""
    plain = written(datum)
    newer = wire.ForwardBackwardRequest.FromString(plain)
    sprinkle(newer)
    read = read_back(newer.SerializeToString())
    assert read == datum
    assert read.extra == NEWER
    assert same_bytes(wire.ForwardBackwardRequest.FromString(written(read))) == same_bytes(newer)
    assert encode_datum(0, read) == encode_datum(0, read_back(plain))


@given(value=outputs() | SAMPLE)
def test_a_result_keeps_unknown_protobuf(value: Any) -> None:
    """In the result, its sequences, rows of top-k, alternatives and tensors."""
    is_sample = isinstance(value, values.SampleResponse)
    newer: Any = (wire.SampleResponse if is_sample else wire.ForwardBackwardOutput)()
    newer.MergeFromString(encode_result(value, "protobuf"))
    sprinkle(newer)
    decode: Any = decode_sample if is_sample else decode_forward_backward
    read = decode(ProtobufPayload(newer.SerializeToString()))
    assert read == value
    assert read.extra is not None
    assert same_bytes(type(newer).FromString(encode_result(read, "protobuf"))) == same_bytes(newer)
    assert orjson.loads(encode_result(read)).keys() == orjson.loads(encode_result(value)).keys()


WEIGHTS = values.TensorData([1], "int64")
TOKENS = values.ModelInput.from_ints([1])
NAMED = {"b": 1, "a": 2}


@pytest.mark.parametrize(
    ("datum", "field"),
    [
        (values.Datum({"w": WEIGHTS}, TOKENS, extra=NAMED), None),
        (values.Datum({}, attrs.evolve(TOKENS, extra=NAMED)), "model_input"),
        (values.Datum({"w": values.TensorData([1], "int64", extra=NAMED)}, TOKENS), "w"),
        (
            values.Datum({}, TOKENS, [values.PromptProvenanceSpan("s", length=1, extra=NAMED)]),
            "model_input_spans",
        ),
    ],
)
def test_protobuf_does_not_drop_what_only_json_says(datum: values.Datum, field: str | None) -> None:
    """Fields by name have no number: the batch is refused, and datum and field are named."""
    with pytest.raises(InputError, match="no field 'a'; send it as JSON") as caught:
        written(datum)
    assert (caught.value.datum, caught.value.field) == (0, field)


def test_a_servers_protobuf_leaves_out_what_only_json_says() -> None:
    """It has to answer; bytes that are no fields are named."""
    result = values.SampleResponse([values.SampledSequence("stop", [1], extra={"a": 1})], extra={"b": 1})
    assert encode_result(result, "protobuf") == encode_result(
        values.SampleResponse([values.SampledSequence("stop", [1])]), "protobuf"
    )
    datum = values.Datum({}, values.ModelInput([]), extra=b"\xff")
    with pytest.raises(InputError, match="extra is no protobuf"):
        written(datum)


def test_values_keep_it_when_they_are_copied() -> None:
    """Pickled, copied, evolved, appended to and named."""
    read = decode_datum(
        {
            "loss_fn_inputs": {"w": {"data": [1], "dtype": "int64", "unit": "m"}},
            "model_input": {"chunks": [], "lang": "en"},
            "tag": 7,
        },
        0,
    )
    for same in (pickle.loads(pickle.dumps(read)), copy.deepcopy(read), attrs.evolve(read)):
        assert same == read
        assert (same.extra, same.model_input.extra) == ({"tag": 7}, {"lang": "en"})
        assert same.loss_fn_inputs["w"].extra == {"unit": "m"}
    assert read.model_input.append_int(3).extra == {"lang": "en"}
    message = wire.SampleResponse(sequences=[wire.SampledSequence(tokens=b"\1\0\0\0")])
    sprinkle(message)
    drawn = decode_sample(ProtobufPayload(message.SerializeToString()))
    assert drawn.named(["seq"]).sequences[0].extra == NEWER
    assert drawn.named(["more", "names"]) is drawn
    assert pickle.loads(pickle.dumps(drawn)).sequences[0].extra == NEWER


def test_what_is_known_wins() -> None:
    """A name that this version knows is not overwritten by what somebody put into `extra`."""
    chunk = values.EncodedTextChunk([1], extra={"tokens": [2], "type": "x", "more": 1})
    assert to_wire(chunk) == {"tokens": [1], "type": "encoded_text", "more": 1}
