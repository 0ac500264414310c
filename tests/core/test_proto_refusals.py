"""Results that lie about themselves, and values that the binary form cannot say: typed errors, both ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tinsmith.core.codec.answers import to_value
from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
from tinsmith.core.codec.encode import encode_forward_backward
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.values import (
    Datum,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInput,
    OptimStepResponse,
    PromptProvenanceSpan,
    TensorData,
    UnknownChunk,
)
from tinsmith_api.wire import tinker_wire_pb2 as wire

ONES = np.ones(2, "<f4").tobytes()


def int64s(*numbers: int) -> bytes:
    """Return numbers as the wire has them."""
    return np.array(numbers, "<i8").tobytes()


def batched(**fields: Any) -> bytes:
    """Return a result of two datums whose field `a` has the given parts, or sound ones."""
    message = wire.ForwardBackwardOutput()
    record = message.loss_fn_outputs.add(type_tag="x", num_datums=fields.pop("num_datums", 2))
    sound = {"data": ONES, "offsets": int64s(0, 4, 8), "dtype": wire.DTYPE_FLOAT32}
    record.fields["a"].CopyFrom(wire.BatchedTensor(**{**sound, **fields}))
    return message.SerializeToString()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"num_datums": -1}, "record of -1 datums"),
        ({"num_datums": 2**62}, "record of 4611686018427387904 datums"),
        ({"num_datums": 3}, "3 offsets for 3 datums"),
        ({"offsets": b""}, "0 offsets"),
        ({"offsets": int64s(0, 4, 8)[:-1]}, "no whole number"),
        ({"offsets": int64s(4, 4, 8)}, "3 offsets for 2 datums in 8 bytes"),
        ({"offsets": int64s(0, 4, 2**62)}, "3 offsets for 2 datums in 8 bytes"),
        ({"offsets": int64s(0, 12, 8)}, "do not fit"),
        ({"offsets": int64s(0, 2, 8)}, "do not fit"),
        ({"trailing_shape": [2]}, "do not fit"),
        ({"trailing_shape": [0]}, "do not fit"),
        ({"trailing_shape": [-1]}, "impossible shape"),
        ({"trailing_shape": [2**62, 2**62]}, "do not fit"),
        ({"dtype": 0}, "element type 0"),
        ({"dtype": wire.DTYPE_INT64, "data": ONES[:7]}, "no whole number"),
    ],
)
def test_a_wrong_result_says_what_is_wrong(fields: dict[str, Any], problem: str) -> None:
    """Offsets outside the data or within an element, counts and shapes that nothing backs."""
    with pytest.raises(APIResponseValidationError, match=problem):
        decode_forward_backward(ProtobufPayload(batched(**fields)))


def test_an_empty_body_is_no_result() -> None:
    """No bytes parse as an empty message, which no server means."""
    for decode in (decode_forward_backward, decode_sample):
        with pytest.raises(APIResponseValidationError, match="the body is empty"):
            decode(ProtobufPayload(b""))
    assert decode_forward_backward(ProtobufPayload(batched())).loss_fn_output_type == "x"
    empty = batched(data=b"", offsets=int64s(0, 0, 0), trailing_shape=[0])
    assert decode_forward_backward(ProtobufPayload(empty)).loss_fn_outputs[1]["a"].shape == [0, 0]


@pytest.mark.parametrize(
    ("k", "length", "ids", "logprobs"),
    [(2, 2, 4, 3), (2, 2, 3, 4), (2**32 - 1, 2**32 - 1, 4, 4), (0, 5, 1, 1)],
)
def test_top_k_must_be_what_it_says(k: int, length: int, ids: int, logprobs: int) -> None:
    """Rows times places is how many there are."""
    message = wire.SampleResponse()
    message.topk_prompt_logprobs.k, message.topk_prompt_logprobs.length = k, length
    message.topk_prompt_logprobs.token_ids = b"\0" * 4 * ids
    message.topk_prompt_logprobs.logprobs = b"\0" * 4 * logprobs
    with pytest.raises(APIResponseValidationError, match="top-k of"):
        decode_sample(ProtobufPayload(message.SerializeToString()))


def test_no_cold_value_is_built_from_protobuf() -> None:
    """Only batches and samples have a protobuf form."""
    with pytest.raises(APIResponseValidationError, match="ProtobufPayload"):
        to_value(OptimStepResponse, ProtobufPayload(b"abc"))


def encode(datum: Datum, seq_id: int = 1) -> bytes:
    """Write one datum."""
    pieces = encode_forward_backward(
        "forward_backward", [datum], "ppo", None, "m", seq_id, encoding="protobuf"
    )
    return b"".join(pieces)


@pytest.mark.parametrize(
    ("inputs", "chunks", "field", "problem"),
    [
        ({"weights": [1.0, float("nan")]}, [], "weights", "element 1 is nan"),
        ({"weights": np.array([1.0, np.inf])}, [], "weights", "element 1 is inf"),
        ({"weights": [1e39]}, [], "weights", "does not fit float32"),
        ({"target_tokens": TensorData([2**63], "int64")}, [], "target_tokens", "does not fit 64 bits"),
        ({"target_tokens": TensorData([0.5], "int64")}, [], "target_tokens", "whole numbers"),
        ({}, [2**31], "model_input", "does not fit 32 bits"),
        ({}, np.array([2**31]), "model_input", "does not fit 32 bits"),
        ({}, [-1], "model_input", "token ids"),
        ({}, ImageAssetPointerChunk("png", "x"), "model_input", "image_asset_pointer"),
        ({}, UnknownChunk({"type": "new"}), "model_input", "'new'"),
        ({}, ImageChunk(b"", "png", 2**31), "model_input", "chunk 0"),
        ({}, ImageChunk(b"", "png", override_dimensions=(2**32, 1)), "model_input", "chunk 0"),
        ({}, ImageChunk(b"", "png", extra={"newer": 1}), "model_input", "'newer'"),
    ],
)
def test_what_protobuf_cannot_say_is_bad_input(inputs: Any, chunks: Any, field: str, problem: str) -> None:
    """The same checks as in JSON, and the widths of protobuf; the datum and the field are named."""
    given_input = (
        ModelInput.from_ints(chunks)  # type: ignore[arg-type]  # arrays are taken too
        if isinstance(chunks, (list, np.ndarray))
        else ModelInput([chunks])
    )
    with pytest.raises(InputError, match=problem) as caught:
        encode(Datum(inputs, given_input))
    assert (caught.value.datum, caught.value.field) == (0, field)


def test_a_number_beyond_32_bits_is_not_sent() -> None:
    """seq_id is 32 bits here."""
    with pytest.raises(InputError, match=r"seq_id.*cannot be written"):
        encode(Datum({}, ModelInput([])), 2**31)


def test_text_that_is_no_text_names_its_field() -> None:
    """Half a surrogate pair cannot be sent."""
    spans: Any = [PromptProvenanceSpan("\ud800", length=1)]
    with pytest.raises(InputError) as caught:
        encode(Datum({}, ModelInput([]), spans))
    assert (caught.value.datum, caught.value.field) == (0, "model_input_spans")
    with pytest.raises(InputError, match="cannot be written") as caught:
        encode(Datum({"\ud800": np.ones(1)}, ModelInput([])))
    assert (caught.value.datum, caught.value.field) == (0, "\ud800")
