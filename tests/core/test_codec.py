"""Bytes of requests and values of results: the wire form, spelled out."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core import values
from tinsmith.core.codec.answers import to_value
from tinsmith.core.codec.decode import (
    aligned_prompt,
    decode_chunk,
    decode_datum,
    decode_forward_backward,
    decode_model_input,
    decode_piece,
    decode_sample,
    decode_tensor,
)
from tinsmith.core.codec.encode import (
    encode_body,
    encode_datum,
    encode_forward_backward,
    encode_optim_step,
    encode_result,
    encode_sample,
    encode_sample_stream,
)
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.values import (
    AdamParams,
    Datum,
    DmelChunk,
    EncodedTextChunk,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInput,
    SamplingParams,
    TensorData,
    UnknownChunk,
)

SMELL = {"type": "smell", "molecule": "AAAA", "extra": {"deep": [1]}}
CHUNKS: list[tuple[Any, dict[str, Any]]] = [
    (EncodedTextChunk([1, 2]), {"tokens": [1, 2], "type": "encoded_text"}),
    (ImageChunk(b"\x89PNG", "png"), {"data": "iVBORw==", "format": "png", "type": "image"}),
    (
        ImageChunk(b"x", "jpeg", 7),
        {"data": base64.b64encode(b"x").decode(), "format": "jpeg", "type": "image", "expected_tokens": 7},
    ),
    (
        ImageAssetPointerChunk("png", "a/b"),
        {"format": "png", "location": "a/b", "type": "image_asset_pointer"},
    ),
    (
        ImageAssetPointerChunk("png", "a/b", 2),
        {"format": "png", "location": "a/b", "type": "image_asset_pointer", "expected_tokens": 2},
    ),
    (DmelChunk(b"\x00\x01\x07"), {"dmel": "AAEH", "type": "dmel"}),
    (
        EncodedTextChunk([1], extra={"cached": True}),
        {"tokens": [1], "type": "encoded_text", "cached": True},
    ),
    (
        ImageChunk(b"x", "png", 7, extra={"detail": "low"}),
        {"data": "eA==", "format": "png", "type": "image", "expected_tokens": 7, "detail": "low"},
    ),
    (
        ImageAssetPointerChunk("png", "a", extra={"detail": {"deep": [1]}}),
        {"format": "png", "location": "a", "type": "image_asset_pointer", "detail": {"deep": [1]}},
    ),
    (DmelChunk(b"", extra={"rate": 16000}), {"dmel": "", "type": "dmel", "rate": 16000}),
    (UnknownChunk(SMELL), SMELL),
]


def sent(pieces: Any) -> Any:
    """Join the pieces of a body and read them back."""
    return orjson.loads(b"".join(pieces) if not isinstance(pieces, bytes) else pieces)


@pytest.mark.parametrize(("chunk", "wire"), CHUNKS)
def test_each_kind_of_chunk_goes_both_ways(chunk: Any, wire: dict[str, Any]) -> None:
    """Written with its tag; read with it, and without it where an old client sends none."""
    body = sent(encode_body(ModelInput([chunk])))
    assert body == {"chunks": [wire]}
    assert decode_model_input(body) == ModelInput([chunk])
    assert sent(encode_body({"one": chunk})) == {"one": wire}
    if not isinstance(chunk, UnknownChunk):
        untagged = {name: value for name, value in wire.items() if name != "type"}
        assert decode_chunk(untagged) == chunk


def test_a_chunk_without_any_known_key_is_kept() -> None:
    """Neither tag nor keys: it goes back as it came."""
    assert decode_chunk({"strange": 1}) == UnknownChunk({"strange": 1})


def datum(**inputs: Any) -> Datum:
    """Make a datum of three tokens."""
    return Datum(inputs or {"target_tokens": np.arange(3)}, ModelInput.from_ints([7, 8, 9]))


@pytest.mark.parametrize(
    ("op", "key"), [("forward", "forward_input"), ("forward_backward", "forward_backward_input")]
)
def test_a_batch_is_written_in_pieces(op: Any, key: str) -> None:
    """One piece a datum; each operation has its own key; no type field."""
    pieces = list(
        encode_forward_backward(op, [datum(), datum()], "ppo", {"beta": 0.5, "mode": "a"}, "m:train:0", 4)
    )
    assert len(pieces) == 4
    one = {
        "loss_fn_inputs": {"target_tokens": {"data": [0, 1, 2], "dtype": "int64", "shape": [3]}},
        "model_input": {"chunks": [{"tokens": [7, 8, 9], "type": "encoded_text"}]},
    }
    assert sent(pieces) == {
        key: {"data": [one, one], "loss_fn": "ppo", "loss_fn_config": {"beta": 0.5, "mode": "a"}},
        "model_id": "m:train:0",
        "seq_id": 4,
    }


def test_a_slice_of_a_batch_is_written() -> None:
    """A chunk picks datums by index, and an error names the index in the whole batch."""
    data = [datum(weights=[float(i)] * 3) for i in range(4)]
    body = sent(encode_forward_backward("forward", data, "cross_entropy", None, "m", 1, chunk=range(1, 3)))
    weights = [item["loss_fn_inputs"]["weights"]["data"][0] for item in body["forward_input"]["data"]]
    assert weights == [1.0, 2.0]
    assert "loss_fn_config" not in body["forward_input"]
    data[2] = datum(weights=[0.0, float("nan"), 0.0])
    with pytest.raises(InputError, match="datum 2, field 'weights': element 1 is nan"):
        list(encode_forward_backward("forward", data, "cross_entropy", None, "m", 1, chunk=range(1, 3)))


def test_arrays_and_lists_are_written_alike() -> None:
    """Arrays go straight through, float32 with its own digits; a shape that nobody stated is not sent."""
    arrays = datum(weights=np.array([0.1, 2, 3]), target_tokens=np.array([[1], [2], [3]]))
    body = sent(encode_datum(0, arrays))["loss_fn_inputs"]
    assert body["weights"] == {"data": [0.1, 2.0, 3.0], "dtype": "float32", "shape": [3]}
    assert body["target_tokens"] == {"data": [1, 2, 3], "dtype": "int64", "shape": [3, 1]}
    plain = datum(weights=TensorData([1, 0.5], "float32"))
    assert sent(encode_datum(0, plain))["loss_fn_inputs"]["weights"] == {
        "data": [1, 0.5],
        "dtype": "float32",
    }
    numbers = Datum({}, ModelInput([EncodedTextChunk(np.array([1, 2], np.uint16))]))
    assert sent(encode_datum(0, numbers))["model_input"]["chunks"][0]["tokens"] == [1, 2]


def test_what_json_cannot_hold_is_bad_input() -> None:
    """An integer beyond 64 bits, or an object inside an unknown chunk, names its datum and field."""
    with pytest.raises(InputError, match="64-bit") as large:
        encode_datum(5, datum(target_tokens=TensorData([2**70, 1, 1], "int64")))
    assert (large.value.datum, large.value.field) == (5, "loss_fn_inputs.target_tokens.data")
    with pytest.raises(InputError, match="object") as strange:
        encode_datum(6, Datum({}, ModelInput([UnknownChunk({"x": [1, {"y": object()}]})])))
    assert (strange.value.datum, strange.value.field) == (6, "model_input.chunks[0].x[1].y")
    for value, field in (
        ({"a": 1, "b": {3, 4}}, "b"),
        ([1, {2}], None),
        ({"a": [{1}]}, "a"),
        ({(1, 2): 3}, None),
    ):
        with pytest.raises(InputError, match="cannot be written as JSON") as caught:
            encode_body(value)
        assert (caught.value.datum, caught.value.field) == (None, field)


def test_numbers_of_other_libraries_are_sent_as_numbers() -> None:
    """Scalars in lists, masks of bools, ranges, strided arrays."""

    class Scalar:
        """A number of a library that is not installed here."""

        def tolist(self) -> int:
            """Return the number, as such libraries do."""
            return 7

    strided: Any = np.arange(6)[::2]
    inputs: Any = {
        "target_tokens": [np.int64(1), np.int32(2), 3],
        "weights": [True, False, 0.5],
        "mask": np.array([1.0, 0.0]),
    }
    body = sent(encode_datum(0, Datum(inputs, ModelInput([EncodedTextChunk(strided)]))))
    assert body["loss_fn_inputs"]["target_tokens"]["data"] == [1, 2, 3]
    assert [(type(x), x) for x in body["loss_fn_inputs"]["weights"]["data"]] == [
        (int, 1),
        (int, 0),
        (float, 0.5),
    ]
    assert body["model_input"]["chunks"][0]["tokens"] == [0, 2, 4]
    assert sent(encode_body({"a": range(3), "b": [Scalar()]})) == {"a": [0, 1, 2], "b": [7]}


def test_unknown_chunks_keep_their_truth() -> None:
    """Only tensors are numbers: what else is true or false goes back as it came."""
    unknown = {"type": "new", "flag": True}
    inputs: Any = {"weights": np.ones(1), "mask": TensorData((1.0,), "float32")}
    body = sent(encode_datum(0, Datum(inputs, ModelInput([UnknownChunk(unknown)]))))
    assert body["model_input"]["chunks"] == [unknown]


def test_optim_step_sends_every_default() -> None:
    """All six parameters and the tag."""
    assert sent(encode_optim_step(AdamParams(learning_rate=1e-3), "m", 2)) == {
        "adam_params": {
            "learning_rate": 1e-3,
            "beta1": 0.9,
            "beta2": 0.95,
            "eps": 1e-12,
            "weight_decay": 0.0,
            "grad_clip_norm": 0.0,
        },
        "model_id": "m",
        "seq_id": 2,
        "type": "optim_step",
    }


@pytest.mark.parametrize(
    ("params", "wire"),
    [
        (SamplingParams(), {"temperature": 1, "top_k": -1, "top_p": 1}),
        (
            SamplingParams(max_tokens=4, seed=0, stop="\n", temperature=0.0, top_k=3, top_p=0.5),
            {"max_tokens": 4, "seed": 0, "stop": ["\n"], "temperature": 0.0, "top_k": 3, "top_p": 0.5},
        ),
        (SamplingParams(stop=[]), {"stop": [], "temperature": 1, "top_k": -1, "top_p": 1}),
        (SamplingParams(stop=[1, 2]), {"stop": [1, 2], "temperature": 1, "top_k": -1, "top_p": 1}),
    ],
)
def test_sample_is_written(params: SamplingParams, wire: dict[str, Any]) -> None:
    """Nulls are dropped, defaults sent, and a single stop text becomes a list."""
    body = encode_sample(
        ModelInput.from_ints([1]), params, sampling_session_id="s", seq_id=0, prompt_logprobs=True
    )
    assert sent(body) == {
        "sampling_session_id": "s",
        "seq_id": 0,
        "num_samples": 1,
        "prompt": {"chunks": [{"tokens": [1], "type": "encoded_text"}]},
        "sampling_params": wire,
        "prompt_logprobs": True,
        "topk_prompt_logprobs": 0,
        "type": "sample",
    }


def test_bodies_drop_nulls_and_dicts_keep_them() -> None:
    """A value sends what is set; a plain dict is for routes where null means something."""
    request = values.SaveWeightsForSamplerRequest("m", sampling_session_seq_id=1, seq_id=3)
    assert sent(encode_body(request)) == {
        "model_id": "m",
        "sampling_session_seq_id": 1,
        "seq_id": 3,
        "type": "save_weights_for_sampler",
    }
    assert encode_body({"ttl_seconds": None}) == b'{"ttl_seconds":null}'
    nested = values.CreateModelRequest("s", 0, "base", {"a": "b"}, values.LoraConfig(8))
    assert sent(encode_body(nested))["lora_config"] == {
        "rank": 8,
        "train_unembed": True,
        "train_mlp": True,
        "train_attn": True,
    }
    batch = values.ForwardBackwardInput([datum()], "ppo")
    assert sent(encode_body(batch))["data"][0]["loss_fn_inputs"]["target_tokens"]["data"] == [0, 1, 2]


def test_a_result_survives_the_way() -> None:
    """What a server encodes, a client decodes to the same value; arrays come back as lists."""
    output = values.ForwardBackwardOutput(
        "ArrayRecord",
        [{"logprobs": TensorData(np.array([-0.5, 0.25], np.float32), "float32", [2])}],
        {"loss:sum": 1.5},
    )
    again = decode_forward_backward(encode_body(output))
    assert again == output
    assert type(again.loss_fn_outputs[0]["logprobs"].raw) is list
    sample = values.SampleResponse(
        [values.SampledSequence("stop", [1, 2], [-0.1, -0.2]), values.SampledSequence("length", [3])],
        [None, -1.0],
        [None, [(5, -0.5)]],
    )
    assert decode_sample(encode_body(sample)) == sample
    assert decode_sample({"sequences": []}) == values.SampleResponse([])


def test_what_servers_of_today_add_to_a_sample_survives_the_way() -> None:
    """Alternatives at sampled and prompt positions, wanted targets, names of sequences, the cache."""
    pairs = TensorData([1, 2, 3, 4], "int64", [2, 2])
    sample = values.SampleResponse(
        [values.SampledSequence("stop", [1], [-0.5], [[(1, -0.5), (7, -1.5)]], "seq-1")],
        [None, -1.0],
        target_prompt_logprobs=TensorData([0.0, -2.0], "float32", [2]),
        prompt_alt_tokens=values.PromptAltTokens(pairs, TensorData([-1.0] * 4, "float32", [2, 2])),
        prompt_cache_hit_tokens=5,
    )
    again = decode_sample(encode_body(sample))
    assert again == sample
    assert again.sequences[0].topk_logprobs == [[(1, -0.5), (7, -1.5)]]
    more = {"sequences": [{"stop_reason": "stop", "tokens": [1], "mood": "good"}], "weather": [1]}
    assert decode_sample(more) == values.SampleResponse([values.SampledSequence("stop", [1])])


def test_a_stream_is_requested_without_a_number() -> None:
    """The body names the sampler, the prompt, how tokens are drawn, and what else is asked for."""
    body = encode_sample_stream(
        ModelInput.from_ints([1, 2]),
        SamplingParams(max_tokens=3, seed=5),
        sampling_session_id="s:sample:0",
        further={"topk_sample_logprobs": 2},
    )
    found = sent(body)
    assert (found["sampling_params"]["max_tokens"], found["sampling_params"]["seed"]) == (3, 5)
    assert {name: value for name, value in found.items() if name != "sampling_params"} == {
        "sampling_session_id": "s:sample:0",
        "prompt": {"chunks": [{"tokens": [1, 2], "type": "encoded_text"}]},
        "topk_sample_logprobs": 2,
    }


def test_a_piece_is_read() -> None:
    """Pairs become tuples, what is absent None, and unknown fields are kept."""
    piece = decode_piece('{"tokens": [7], "logprobs": [-0.5], "topk_sampled_logprobs": [[[7, -0.5]], null]}')
    assert piece == values.SamplePiece([7], [-0.5], [[(7, -0.5)], None])
    assert piece.topk_logprobs == [[(7, -0.5)], None]
    last = decode_piece('{"tokens": [], "stop_reason": "stop", "mood": "good"}')
    assert last == values.SamplePiece([], stop_reason="stop")
    assert last.extra == {"mood": "good"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "no JSON"),
        ("[]", "no object"),
        ("{}", "'tokens' is missing"),
        ('{"tokens": [1.5]}', "tokens are no list of whole numbers"),
        ('{"tokens": ["a"]}', "tokens are no list of whole numbers"),
        ('{"tokens": [], "stop_reason": 3}', "stop_reason"),
        ('{"tokens": [], "logprobs": {}}', "logprobs"),
        ('{"tokens": [], "topk_sampled_logprobs": [[1]]}', "no SamplePiece"),
    ],
)
def test_a_piece_that_is_none_is_an_error(data: str, words: str) -> None:
    """The error names what does not fit."""
    with pytest.raises(APIResponseValidationError, match=words):
        decode_piece(data)


def test_a_sparse_tensor_goes_both_ways() -> None:
    """The stored numbers and their places are sent; nothing is filled with zeros on the way."""
    sparse = TensorData([3, 4], "int64", [2, 3], [0, 1, 2], np.array([2, 0]))
    wire = sent(encode_body(sparse))
    assert wire == {
        "data": [3, 4],
        "dtype": "int64",
        "shape": [2, 3],
        "sparse_crow_indices": [0, 1, 2],
        "sparse_col_indices": [2, 0],
    }
    assert decode_tensor(wire) == sparse


def test_steps_of_other_optimizers_have_a_field_of_their_own() -> None:
    """Adam's parameters stand where they always stood; others are sent as `optimizer_params`."""
    params = values.DimuonParams(0.01, beta1=0.5)
    assert sent(encode_optim_step(params, "m", 2)) == {
        "optimizer_params": {"learning_rate": 0.01, "grad_clip_norm": 0.0, "beta1": 0.5, "type": "dimuon"},
        "model_id": "m",
        "seq_id": 2,
        "type": "optim_step",
    }
    assert sent(encode_optim_step({"type": "new", "x": 1}, "m", 2))["optimizer_params"] == {
        "type": "new",
        "x": 1,
    }


def test_a_sample_asks_for_more_where_more_is_wanted() -> None:
    """Fields of today's servers are sent when they are asked for, and else left out."""
    asked: dict[str, Any] = {"sampling_session_id": "s", "seq_id": 0}
    prompt, params = ModelInput.from_ints([1]), values.SamplingParams()
    plain = sent(encode_sample(prompt, params, **asked))
    further = {"topk_sample_logprobs": 2, "target_prompt_logprobs": TensorData([4], "int64")}
    assert sent(encode_sample(prompt, params, **asked, further=further)) == {
        **plain,
        "topk_sample_logprobs": 2,
        "target_prompt_logprobs": {"data": [4], "dtype": "int64"},
    }


def test_a_null_metric_is_not_a_number() -> None:
    """JSON has no NaN; servers write null."""
    result = decode_forward_backward(
        {"loss_fn_output_type": "", "loss_fn_outputs": [], "metrics": {"a:mean": None}}
    )
    assert np.isnan(result.metrics["a:mean"])


@pytest.mark.parametrize(
    ("decode", "payload", "problem"),
    [
        (decode_forward_backward, b"<html>", "no JSON"),
        (decode_forward_backward, b"[]", "no object"),
        (
            decode_forward_backward,
            {"loss_fn_outputs": [], "metrics": {}},
            "'loss_fn_output_type' is missing",
        ),
        (
            decode_forward_backward,
            {"loss_fn_output_type": "", "loss_fn_outputs": 3, "metrics": {}},
            "int",
        ),
        (
            decode_forward_backward,
            {
                "loss_fn_output_type": "",
                "loss_fn_outputs": [{"a": {"data": [], "dtype": "f"}}],
                "metrics": {},
            },
            "dtype",
        ),
        (decode_sample, {}, "'sequences' is missing"),
        (decode_sample, {"sequences": [{"tokens": []}]}, "'stop_reason' is missing"),
    ],
)
def test_a_misshapen_result_names_what_is_wrong(decode: Any, payload: Any, problem: str) -> None:
    """Not JSON, not an object, a missing or wrong field."""
    with pytest.raises(APIResponseValidationError, match=problem):
        decode(payload)


ONE = {"stop_reason": "stop", "tokens": [1]}
OUTPUT = {"a": {"data": [1.0], "dtype": "float32", "shape": [1]}}
BATCH: dict[str, Any] = {"loss_fn_output_type": "x", "loss_fn_outputs": [OUTPUT], "metrics": {"a:sum": True}}


def test_a_result_is_held_against_what_was_asked_for() -> None:
    """As many outputs as datums, or none; as many sequences as samples, or more; in both encodings."""
    batch, drawn = decode_forward_backward(BATCH, 1), decode_sample({"sequences": [ONE]}, 1)
    for encoded in (BATCH, ProtobufPayload(encode_result(batch, "protobuf"))):
        assert decode_forward_backward(encoded, 1) == batch
        few = decode_forward_backward(encoded, 2)
        assert (few.metrics, repr(few.loss_fn_outputs)) == (batch.metrics, "1 loss_fn_outputs for 2 datums")
        with pytest.raises(APIResponseValidationError, match="1 loss_fn_outputs for 2 datums"):
            list(few.loss_fn_outputs)
    for wrong in ({**BATCH, "metrics": {}}, {**BATCH, "loss_fn_outputs": [OUTPUT] * 3}):
        with pytest.raises(APIResponseValidationError, match="loss_fn_outputs, 2 datums"):
            decode_forward_backward(wrong, 2)
    for sampled in ({"sequences": [ONE]}, ProtobufPayload(encode_result(drawn, "protobuf"))):
        assert decode_sample(sampled, 1) == drawn
        with pytest.raises(APIResponseValidationError, match="1 sequences, and 2 were asked for"):
            decode_sample(sampled, 2)
    assert decode_forward_backward({**BATCH, "loss_fn_outputs": []}, 2).loss_fn_outputs == []


@pytest.mark.parametrize(
    ("decode", "payload", "problem"),
    [
        (decode_sample, {"sequences": [ONE, {**ONE, "tokens": [0.5]}]}, r"sequences\[1\]: tokens"),
        (decode_sample, {"sequences": [{**ONE, "tokens": [None]}]}, r"sequences\[0\]: tokens"),
        (decode_sample, {"sequences": [{**ONE, "logprobs": {}}]}, "logprobs is a dict"),
        (decode_forward_backward, {**BATCH, "metrics": {"a": "1"}}, "metric 'a' is a str"),
        (
            decode_forward_backward,
            {**BATCH, "loss_fn_outputs": [OUTPUT, {"b": {**OUTPUT["a"], "shape": [2]}}]},
            r"loss_fn_outputs\[1\] 'b': has 1 numbers, but shape \[2\]",
        ),
        (
            decode_forward_backward,
            {**BATCH, "loss_fn_outputs": [{"b": {**OUTPUT["a"], "shape": ["a", 2**62]}}]},
            "has 1 numbers, but shape",
        ),
        (
            decode_forward_backward,
            {**BATCH, "loss_fn_outputs": [{"b": {**OUTPUT["a"], "data": {}}}]},
            "data is no flat list",
        ),
    ],
)
def test_a_result_that_cannot_be_right_is_refused(decode: Any, payload: Any, problem: str) -> None:
    """Not handed out as it is: which output or sequence, and why."""
    with pytest.raises(APIResponseValidationError, match=problem):
        decode(payload)


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({}, "loss_fn_inputs", "missing"),
        ({"loss_fn_inputs": 3}, "loss_fn_inputs", "items"),
        ({"loss_fn_inputs": {"weights": {"data": [1]}}}, "weights", "'dtype' is missing"),
        ({"loss_fn_inputs": {"weights": {"data": [1], "dtype": "f16"}}}, "weights", "f16"),
        ({"loss_fn_inputs": {}}, "model_input", "missing"),
        (
            {
                "loss_fn_inputs": {},
                "model_input": {"chunks": [{"type": "image", "data": "!", "format": "png"}]},
            },
            "model_input",
            "base64",
        ),
        (
            {"loss_fn_inputs": {}, "model_input": {"chunks": [{"type": "image", "data": "AA=="}]}},
            "model_input",
            "format",
        ),
    ],
)
def test_a_server_names_datum_and_field(fields: dict[str, Any], field: str, problem: str) -> None:
    """A datum that cannot be read is the client's mistake, and says where."""
    with pytest.raises(InputError, match=problem) as caught:
        decode_datum(fields, 3)
    assert (caught.value.datum, caught.value.field) == (3, field)


FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(
    tokens=st.lists(st.integers(0, 2**31 - 1), max_size=20),
    weights=st.lists(FINITE, max_size=20),
    as_array=st.booleans(),
)
def test_a_datum_survives_the_way(tokens: list[int], weights: list[float], as_array: bool) -> None:
    """Any tokens and any float32 weights come out of the wire as they went in."""
    given_weights: Any = np.array(weights, np.float32) if as_array else weights
    before = Datum({"weights": given_weights}, ModelInput.from_ints(tokens))
    assert decode_datum(orjson.loads(encode_datum(0, before)), 0) == before


RUN = {
    "training_run_id": "s:train:0",
    "base_model": "b",
    "model_owner": "me",
    "is_lora": True,
    "lora_rank": None,
    "last_request_time": "2026-01-02T03:04:05",
    "last_checkpoint": {
        "checkpoint_id": "weights/1",
        "checkpoint_type": "new-kind",
        "time": "2026-01-02T05:04:05+02:00",
        "tinker_path": "tinker://s:train:0/weights/1",
    },
    "user_metadata": {"a": "b"},
    "from_a_newer_server": [1],
}


def test_cold_answers_are_built_by_their_fields() -> None:
    """Nested values, times with and without zone, defaults, nulls, and unknown fields."""
    page = to_value(
        values.TrainingRunsResponse,
        {"training_runs": [RUN], "cursor": {"offset": 0, "limit": 1, "total_count": 9}},
    )
    run = page.training_runs[0]
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert run.last_checkpoint is not None
    assert (run.last_request_time, run.last_checkpoint.time) == (moment, moment)
    assert (run.lora_rank, run.corrupted, run.user_metadata) == (None, False, {"a": "b"})
    assert str(run.last_checkpoint.checkpoint_type) == "new-kind"
    future = to_value(values.OptimStepResponse, {"metrics": {"lr": 1}})
    assert future.metrics == {"lr": 1}
    failed = to_value(values.RequestFailedResponse, {"error": "x", "category": "user"})
    assert failed.category == "user"


@pytest.mark.parametrize(
    ("cls", "payload", "problem"),
    [
        (values.Cursor, [], "a list, not an object"),
        (values.Cursor, {"offset": 0}, "'limit' is missing"),
        (values.Cursor, {"offset": True, "limit": 1, "total_count": 1}, "'offset': unexpected bool"),
        (values.Cursor, {"offset": "0", "limit": 1, "total_count": 1}, "'offset': unexpected str"),
        (values.ListSessionsResponse, {"sessions": "abc"}, "'sessions': unexpected str"),
        (values.ListSessionsResponse, {"sessions": [1]}, r"'sessions\[0\]': unexpected int"),
        (values.OptimStepResponse, {"metrics": []}, "'metrics': unexpected list"),
        (
            values.TrainingRunsResponse,
            {"training_runs": [{**RUN, "last_request_time": 3}]},
            r"'training_runs\[0\]\.last_request_time'",
        ),
    ],
)
def test_a_cold_answer_that_does_not_fit_is_refused(cls: type, payload: Any, problem: str) -> None:
    """The error names the value and its field."""
    with pytest.raises(APIResponseValidationError, match=problem):
        to_value(cls, payload)


def test_floats_are_read_from_whole_numbers_too() -> None:
    """JSON writes 1.0 as 1."""
    assert to_value(AdamParams, {"learning_rate": 1}).learning_rate == 1


PAIRS: Any = [(1, -1.0)]
BOTH = ("prompt_logprobs", "topk_prompt_logprobs")


@pytest.mark.parametrize(
    ("found", "last_n", "expected"),
    [
        ([None, -1.0, -2.0], None, [None, -1.0, -2.0]),
        ([-1.0, -2.0], None, [None, -1.0, -2.0]),
        ([-1.0, -2.0], 2, [-1.0, -2.0]),
        ([-2.0], 1, [-2.0]),
        ([None, -1.0, -2.0], 1, [-2.0]),
        ([-1.0, -2.0], 1, [-2.0]),
        ([-1.0, -2.0], 9, [None, -1.0, -2.0]),
        ([None, -1.0, -2.0], 0, []),
        (None, None, None),
    ],
)
def test_prompt_logprobs_have_one_entry_a_position(
    found: list[float | None] | None, last_n: int | None, expected: list[float | None] | None
) -> None:
    """Answers without the first position, or with more than the last ones, are corrected; pairs too."""
    pairs: Any = None if found is None else [x and PAIRS for x in found]
    drawn = values.SampleResponse([], found, pairs)
    aligned = aligned_prompt(drawn, BOTH, 3, last_n)
    assert aligned.prompt_logprobs == expected
    assert aligned.topk_prompt_logprobs == (None if expected is None else [x and PAIRS for x in expected])


@pytest.mark.parametrize(("found", "last_n"), [([-1.0], None), ([-1.0] * 4, None), ([], None), ([], 2)])
def test_prompt_logprobs_of_another_length_are_refused(found: list[float | None], last_n: int | None) -> None:
    """Nobody can tell which token they belong to."""
    with pytest.raises(APIResponseValidationError, match="prompt_logprobs for a prompt of 3"):
        aligned_prompt(values.SampleResponse([], found), BOTH, 3, last_n)
    drawn = values.SampleResponse([], found)
    assert aligned_prompt(drawn, ["topk_prompt_logprobs"], 3, last_n) is drawn  # it was not asked for


def test_a_number_that_no_field_holds_is_a_broken_answer() -> None:
    """Values refuse it as input; from a server it is the server's."""
    with pytest.raises(APIResponseValidationError, match=r"lora_rank.*64 bits"):
        to_value(values.GetInfoResponse, {"model_data": {}, "model_id": "m", "lora_rank": 2**70})
