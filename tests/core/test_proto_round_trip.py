"""Values through the wire and back, in protobuf beside JSON: every field, and both encodings agree."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import attrs
import numpy as np
import orjson
import pytest
from hypothesis import given
from tinsmith.core.codec.decode import decode_datum, decode_forward_backward, decode_sample
from tinsmith.core.codec.encode import encode_forward_backward, encode_plain_batch, encode_result
from tinsmith.core.codec.proto_requests import decode_training_request
from tinsmith.core.codec.wire import ProtobufPayload, encoding_of
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.values import (
    Datum,
    EncodedTextChunk,
    ForwardBackwardOutput,
    ForwardBackwardRequest,
    ForwardRequest,
    ImageChunk,
    ModelInput,
    SampledSequence,
    SampleResponse,
    TensorData,
)
from tinsmith_api import models
from tinsmith_api.wire import tinker_wire_pb2 as wire

from tests.core.wire_values import DATUM, SAMPLE, SETTINGS, outputs


def written(data: list[Datum], config: Any = None, **options: Any) -> bytes:
    """Return the body of a forward_backward."""
    pieces = encode_forward_backward(
        options.pop("op", "forward_backward"), data, "ppo", config, "m", 7, encoding="protobuf", **options
    )
    return b"".join(pieces)


def read(body: bytes) -> list[Datum]:
    """Return the data of a body."""
    request = decode_training_request(body)
    assert isinstance(request, ForwardBackwardRequest)
    return request.forward_backward_input.data


@given(datum=DATUM, config=SETTINGS)
def test_a_batch_survives_the_way(datum: Datum, config: Any) -> None:
    """Chunks, tensors of every layout, spans and settings come out as they went in, both times of a batch."""
    request = decode_training_request(written([datum, datum], config))
    assert isinstance(request, ForwardBackwardRequest)
    assert (request.model_id, request.seq_id) == ("m", 7)
    batch = request.forward_backward_input
    assert (batch.loss_fn, batch.loss_fn_config) == ("ppo", config)
    assert batch.data == [datum, datum]


@given(datum=DATUM, config=SETTINGS)
def test_both_encodings_carry_the_same_batch(datum: Datum, config: Any) -> None:
    """JSON and protobuf of a batch decode to equal values; spans and sizes of images have no JSON form."""
    pieces = encode_forward_backward("forward_backward", [datum], "ppo", config, "m", 7)
    sent = orjson.loads(b"".join(pieces))["forward_backward_input"]
    (found,) = read(written([datum], config))
    chunks = [
        attrs.evolve(chunk, override_dimensions=None) if isinstance(chunk, ImageChunk) else chunk
        for chunk in found.model_input.chunks
    ]
    plain = Datum(found.loss_fn_inputs, ModelInput(chunks))
    assert decode_datum(sent["data"][0], 0) == plain
    assert sent.get("loss_fn_config") == config


@given(value=outputs())
def test_a_batch_result_survives_the_way(value: ForwardBackwardOutput) -> None:
    """Records of any mixture of fields, types and shapes; JSON gives the same value."""
    assert decode_forward_backward(ProtobufPayload(encode_result(value, "protobuf"))) == value
    if all(np.isfinite(metric) for metric in value.metrics.values()):
        assert decode_forward_backward(encode_result(value)) == value


@given(value=SAMPLE)
def test_a_sample_survives_the_way(value: SampleResponse) -> None:
    """Sequences, logprobs with holes, rows of top-k of unequal length, targets and alternatives."""
    found = decode_sample(ProtobufPayload(encode_result(value, "protobuf")))
    assert found == value
    assert decode_sample(encode_result(value)) == value


def test_a_forward_says_so_in_its_body() -> None:
    """There is one route for both; a slice of the batch is sent in the same way."""
    data = [Datum({"weights": np.full(1, i)}, ModelInput.from_ints([i])) for i in range(4)]
    body = written(data, op="forward", chunk=range(1, 3))
    request = decode_training_request(body)
    assert isinstance(request, ForwardRequest)
    assert request.forward_input.data == data[1:3]
    assert wire.ForwardBackwardRequest.FromString(body).forward_only


def test_the_same_batch_gives_the_same_bytes() -> None:
    """Order of insertion does not matter, since a body that is built again must be the same."""
    one = Datum({"weights": np.ones(1), "advantages": np.ones(1)}, ModelInput.from_ints([1]))
    other = Datum({"advantages": np.ones(1), "weights": np.ones(1)}, ModelInput.from_ints([1]))
    assert written([one], {"a": 1.0, "b": "x"}) == written([other], {"b": "x", "a": 1.0})


def test_numbers_stand_in_both_fields_and_texts_in_one() -> None:
    """Servers before text settings read the old field alone."""
    message = wire.ForwardBackwardRequest.FromString(written([], {"beta": 2, "mode": "x"}))
    assert dict(message.loss_fn_config) == {"beta": 2.0}
    assert message.loss_fn_config_v2["beta"].number == 2.0
    assert message.loss_fn_config_v2["mode"].text == "x"
    assert len(message.loss_fn_config_v2) == 2


def test_settings_in_the_old_field_alone_are_read() -> None:
    """An older client sends numbers in field 5 only; without settings there are none."""
    message = wire.ForwardBackwardRequest(model_id="m", loss_fn="ppo", loss_fn_config={"beta": 0.5})
    request = decode_training_request(message.SerializeToString())
    assert isinstance(request, ForwardBackwardRequest)
    assert request.forward_backward_input.loss_fn_config == {"beta": 0.5}
    assert request.seq_id is None


def test_short_element_types_are_widened() -> None:
    """int32 is read as int64, bfloat16 as float32, in requests and in results."""
    message = wire.ForwardBackwardRequest(model_id="m")
    inputs = message.data.add().loss_fn_inputs
    inputs["small"].dense = np.array([-1, 2], "<i4").tobytes()
    inputs["small"].dtype = wire.DTYPE_INT32
    halves = (np.array([1.0, -2.5], "<f4").view("<u4") >> 16).astype("<u2")
    inputs["half"].dense = halves.tobytes()
    inputs["half"].dtype = wire.DTYPE_BFLOAT16
    (datum,) = read(message.SerializeToString())
    assert datum.loss_fn_inputs == {
        "small": TensorData([-1, 2], "int64"),
        "half": TensorData([1.0, -2.5], "float32"),
    }
    output = wire.ForwardBackwardOutput()
    record = output.loss_fn_outputs.add(type_tag="a:b:Kind", num_datums=2)
    record.fields["half"].data = halves.tobytes()
    record.fields["half"].offsets = np.array([0, 0, 4], "<i8").tobytes()
    record.fields["half"].dtype = wire.DTYPE_BFLOAT16
    result = decode_forward_backward(ProtobufPayload(output.SerializeToString()))
    assert result.loss_fn_output_type == "Kind"
    assert [out["half"] for out in result.loss_fn_outputs] == [
        TensorData([], "float32", [0]),
        TensorData([1.0, -2.5], "float32", [2]),
    ]


def test_a_result_without_outputs_has_a_kind_all_the_same() -> None:
    """Metrics alone make a result; an output of sparse rows is written out."""
    message = wire.ForwardBackwardOutput(metrics={"loss:sum": 1.0})
    found = decode_forward_backward(ProtobufPayload(message.SerializeToString()))
    assert found == ForwardBackwardOutput("ArrayRecord", [], {"loss:sum": 1.0})
    message.metrics.update({f"metric {index:02}": float(index) for index in range(30)})
    found = decode_forward_backward(ProtobufPayload(message.SerializeToString()))
    assert list(found.metrics) == sorted(found.metrics)  # printed alike by each run
    sparse = TensorData([2.0], "float32", [1, 2], [0, 1], [1])
    value = ForwardBackwardOutput("x", [{"a": sparse}, {"a": TensorData([3.0], "float32", [])}], {})
    found = decode_forward_backward(ProtobufPayload(encode_result(value, "protobuf")))
    assert [out["a"].tolist() for out in found.loss_fn_outputs] == [[[0.0, 2.0]], [3.0]]


def test_a_newer_servers_reason_to_stop_is_kept() -> None:
    """An unknown reason, and fields that this version does not know, break nothing; absent is not empty."""
    message = wire.SampleResponse()
    message.sequences.add(stop_reason=5, tokens=np.array([1], "<i4").tobytes())
    message.sequences.add(tokens=b"", logprobs=b"")
    message.topk_prompt_logprobs.SetInParent()
    newer = message.SerializeToString() + b"\xa2\x06\x03new" + b"\xa8\x06\x01"
    assert decode_sample(ProtobufPayload(newer)) == SampleResponse(
        [SampledSequence("unknown_5", [1]), SampledSequence("stop", [], [])]  # type: ignore[arg-type]
    )


def test_tensors_of_a_result_are_looked_at_where_they_are() -> None:
    """All arrays of a field share the bytes that came, and nobody can write to them."""
    value = ForwardBackwardOutput(
        "x", [{"a": TensorData(np.arange(3.0), "float32", [3])} for _ in range(2)], {}
    )
    found = decode_forward_backward(ProtobufPayload(encode_result(value, "protobuf")))
    one, other = (output["a"].raw for output in found.loss_fn_outputs)
    assert one.base.base is other.base.base is not None or one.base is other.base is not None
    assert not one.flags.writeable
    (datum,) = read(written([Datum({"a": np.ones(3, np.float32)}, ModelInput([]))]))
    assert not datum.loss_fn_inputs["a"].raw.flags.writeable
    assert not datum.loss_fn_inputs["a"].raw.flags.owndata


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        (None, "json"),
        ("", "json"),
        ("application/json", "json"),
        ("Application/JSON; charset=utf-8", "json"),
        ("application/problem+json", "json"),
        ("application/x-protobuf", "protobuf"),
        ("application/protobuf;x=1", "protobuf"),
        ("text/html", None),
        ("application/x-flatbuffers", None),
    ],
)
def test_content_types_name_encodings(content_type: str | None, encoding: str | None) -> None:
    """Case and parameters do not matter; what is neither is neither."""
    assert encoding_of(content_type) == encoding


def test_tokens_may_be_lists_or_arrays_of_any_width() -> None:
    """All become 32 bits."""
    arrays: list[Any] = [[1, 2], np.array([1, 2], np.uint8), np.array([1, 2]), np.arange(6)[1:3], range(1, 3)]
    arrays += [np.array([1, 2], np.uint64), np.array([1, 9, 2])[::2]]
    for tokens in arrays:
        (found,) = read(written([Datum({}, ModelInput([EncodedTextChunk(tokens)]))]))
        assert found.model_input.to_ints() == [1, 2]


def test_a_drawn_sequence_keeps_arrays_until_somebody_asks_for_lists() -> None:
    """A decoded sequence is the value it would be with lists: equal, copied, pickled, named and shown."""
    written_out = SampledSequence("stop", [1, 2], [-0.5, None], [[(1, -0.5)]])  # type: ignore[list-item]
    body = encode_result(SampleResponse([written_out]), "protobuf")

    def decoded() -> SampledSequence:
        return decode_sample(ProtobufPayload(body)).sequences[0]

    with pytest.raises(AttributeError):
        object.__getattribute__(decoded(), "tokens")  # no list yet
    assert decoded() == written_out
    assert repr(decoded()) == repr(written_out)
    assert pickle.loads(pickle.dumps(decoded())) == written_out
    assert copy.deepcopy(decoded()) == written_out
    assert attrs.evolve(decoded(), tokens=[9]).tokens == [9]
    named = decoded().named("a")
    assert (named.sequence_id, named.tokens, named.logprobs) == ("a", [1, 2], [-0.5, None])
    assert named.named("b").sequence_id == "a"
    with pytest.raises(AttributeError, match="tokenz"):
        decoded().tokenz  # type: ignore[attr-defined]  # noqa: B018
    bare = SampledSequence("length", [3])
    assert decode_sample(ProtobufPayload(encode_result(SampleResponse([bare]), "protobuf"))).sequences == [
        bare
    ]


def test_prompt_logprobs_have_holes() -> None:
    """The first token of a prompt has none, and a body that cuts a number is refused."""
    value = SampleResponse([SampledSequence("stop", [1], [-0.5])], [None, -0.25])
    body = encode_result(value, "protobuf")
    assert decode_sample(ProtobufPayload(body)).prompt_logprobs == [None, -0.25]
    cut = wire.SampleResponse(prompt_logprobs=b"\0\0\0").SerializeToString()
    with pytest.raises(APIResponseValidationError, match="3 bytes"):
        decode_sample(ProtobufPayload(cut))


def test_a_plain_batch_becomes_the_same_message() -> None:
    """A value of the contract gives the bytes that our own batch gives; it must have its number."""
    own = Datum(
        model_input=ModelInput.from_ints([1, 2]),
        loss_fn_inputs={"target_tokens": [2, 3], "weights": [1.0, 0.5]},
    )
    plain = models.Datum(
        model_input=models.ModelInput([models.EncodedTextChunk([1, 2])]),
        loss_fn_inputs={
            "target_tokens": models.TensorData([2, 3], "int64", [2]),
            "weights": models.TensorData([1.0, 0.5], "float32", [2]),
        },
    )
    batch = models.ForwardBackwardInput([plain], "ppo", {"clip_low_threshold": 0.8})
    request = models.ForwardBackwardRequest(batch, "m", 7)
    assert b"".join(encode_plain_batch(request)) == written([own], {"clip_low_threshold": 0.8})
    with pytest.raises(InputError, match="'seq_id'"):
        encode_plain_batch(models.ForwardBackwardRequest(batch, "m"))
