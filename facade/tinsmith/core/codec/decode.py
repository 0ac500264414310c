"""JSON to values, for results that are large and for batches that a server reads; protobuf is passed on.

Lists stay the lists they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson

from tinsmith.core.codec.wire import Payload, ProtobufPayload
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.failures import broken_answer
from tinsmith.core.values.chunks import (
    DmelChunk,
    EncodedTextChunk,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInputChunk,
    UnknownChunk,
)
from tinsmith.core.values.datum import Datum
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.results import (
    ForwardBackwardOutput,
    LossFnOutput,
    PromptAltTokens,
    SampledSequence,
    SampleResponse,
    TopkLogprobs,
)
from tinsmith.core.values.tensor import TensorData

_BY_KEY = {"tokens": "encoded_text", "location": "image_asset_pointer", "data": "image", "dmel": "dmel"}


def loads(body: bytes) -> Any:
    """Decode JSON; an error shows at most 200 redacted bytes."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as cause:
        raise broken_answer(200, body, "no JSON") from cause


def _object(payload: Payload) -> Mapping[str, Any]:
    decoded = loads(payload) if isinstance(payload, bytes) else payload
    if not isinstance(decoded, Mapping):
        raise APIResponseValidationError(body=decoded, message="The server's answer is no object.")
    return decoded


def decode_forward_backward(payload: Payload) -> ForwardBackwardOutput:
    """Build the result of forward or forward_backward."""
    if isinstance(payload, ProtobufPayload):
        from tinsmith.core.codec.proto_results import decode_output

        return decode_output(payload.data)
    fields = _object(payload)
    try:
        outputs = [_decode_output(output) for output in fields["loss_fn_outputs"]]
        metrics = {name: math.nan if x is None else x for name, x in fields["metrics"].items()}
        return ForwardBackwardOutput(fields["loss_fn_output_type"], outputs, metrics)
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise _misshapen("ForwardBackwardOutput", cause) from cause


def _decode_output(output: Mapping[str, Any]) -> LossFnOutput:
    return {name: decode_tensor(tensor) for name, tensor in output.items()}


def _misshapen(what: str, cause: Exception) -> APIResponseValidationError:
    problem = f"field {cause} is missing" if isinstance(cause, KeyError) else str(cause)
    message = f"The server's answer is no {what}: {problem}"
    return APIResponseValidationError(message=message, status_code=200)


def decode_tensor(fields: Mapping[str, Any]) -> TensorData:
    """Build a tensor; its numbers stay the list that JSON gave."""
    rows, columns = fields.get("sparse_crow_indices"), fields.get("sparse_col_indices")
    return TensorData(fields["data"], fields["dtype"], fields.get("shape"), rows, columns)


def decode_sample(payload: Payload) -> SampleResponse:
    """Build the result of sample."""
    if isinstance(payload, ProtobufPayload):
        from tinsmith.core.codec import proto_results

        return proto_results.decode_sample(payload.data)
    fields = _object(payload)
    try:
        alternatives, targets = fields.get("prompt_alt_tokens"), fields.get("target_prompt_logprobs")
        return SampleResponse(
            [_decode_sequence(item) for item in fields["sequences"]],
            fields.get("prompt_logprobs"),
            _decode_topk(fields.get("topk_prompt_logprobs")),
            None if targets is None else decode_tensor(targets),
            None if alternatives is None else _decode_alternatives(alternatives),
            fields.get("prompt_cache_hit_tokens") or 0,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise _misshapen("SampleResponse", cause) from cause


def _decode_sequence(item: Mapping[str, Any]) -> SampledSequence:
    topk = _decode_topk(item.get("topk_sampled_logprobs"))
    return SampledSequence(
        item["stop_reason"], item["tokens"], item.get("logprobs"), topk, item.get("sequence_id")
    )


def _decode_alternatives(fields: Mapping[str, Any]) -> PromptAltTokens:
    return PromptAltTokens(decode_tensor(fields["tokens"]), decode_tensor(fields["logprobs"]))


def _decode_topk(rows: Any) -> TopkLogprobs | None:
    return rows and [row and [(token, logprob) for token, logprob in row] for row in rows]


_CHUNK_FIELDS = {
    "encoded_text": {"tokens", "type"},
    "image": {"data", "format", "expected_tokens", "type"},
    "image_asset_pointer": {"format", "location", "expected_tokens", "type"},
    "dmel": {"dmel", "type"},
}


def decode_chunk(fields: Mapping[str, Any]) -> ModelInputChunk:
    """Build a chunk by its `type`, or by its keys where an old client sends none; unknown ones are kept."""
    tag = fields.get("type")
    if tag is None:
        tag = next((kind for key, kind in _BY_KEY.items() if key in fields), "")
    known = _CHUNK_FIELDS.get(tag)
    if known is None:
        return UnknownChunk(fields)
    extra = None if fields.keys() <= known else {name: fields[name] for name in fields.keys() - known}
    if tag == "encoded_text":
        return EncodedTextChunk(fields["tokens"], extra=extra)
    if tag == "dmel":
        return DmelChunk(fields["dmel"], extra=extra)
    expected = fields.get("expected_tokens")
    if tag == "image":
        return ImageChunk(fields["data"], fields["format"], expected, extra=extra)
    return ImageAssetPointerChunk(fields["format"], fields["location"], expected, extra=extra)


def decode_model_input(fields: Mapping[str, Any]) -> ModelInput:
    """Build a model input."""
    return ModelInput([decode_chunk(chunk) for chunk in fields["chunks"]])


def decode_datum(fields: Mapping[str, Any], index: int) -> Datum:
    """Build a datum as a server reads it; an error names it by `index`, and the field."""
    field = "loss_fn_inputs"
    try:
        inputs = {}
        for name, tensor in fields["loss_fn_inputs"].items():
            field = name
            inputs[name] = decode_tensor(tensor)
        field = "model_input"
        return Datum(inputs, decode_model_input(fields["model_input"]))
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        problem = f"{cause} is missing" if isinstance(cause, KeyError) else str(cause)
        raise InputError(problem, datum=index, field=field) from cause
