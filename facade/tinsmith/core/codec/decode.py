"""JSON to values, for results that are large and for batches that a server reads.

Lists stay the lists they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson

from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.failures import broken_answer
from tinsmith.core.values.chunks import (
    EncodedTextChunk,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInputChunk,
    UnknownChunk,
)
from tinsmith.core.values.datum import Datum
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.results import ForwardBackwardOutput, LossFnOutput, SampledSequence, SampleResponse
from tinsmith.core.values.tensor import TensorData

Payload = bytes | Mapping[str, Any]
"""A body, or what it was decoded to already."""

_BY_KEY = {"tokens": "encoded_text", "location": "image_asset_pointer", "data": "image"}


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
    return TensorData(fields["data"], fields["dtype"], fields.get("shape"))


def decode_sample(payload: Payload) -> SampleResponse:
    """Build the result of sample."""
    fields = _object(payload)
    try:
        sequences = [
            SampledSequence(item["stop_reason"], item["tokens"], item.get("logprobs"))
            for item in fields["sequences"]
        ]
    except (KeyError, TypeError, AttributeError) as cause:
        raise _misshapen("SampleResponse", cause) from cause
    topk = fields.get("topk_prompt_logprobs")
    if topk is not None:
        topk = [row and [(token, logprob) for token, logprob in row] for row in topk]
    return SampleResponse(sequences, fields.get("prompt_logprobs"), topk)


def decode_chunk(fields: Mapping[str, Any]) -> ModelInputChunk:
    """Build a chunk by its `type`, or by its keys where an old client sends none; unknown ones are kept."""
    tag = fields.get("type")
    if tag is None:
        tag = next((kind for key, kind in _BY_KEY.items() if key in fields), "")
    if tag == "encoded_text":
        return EncodedTextChunk(fields["tokens"])
    if tag == "image":
        return ImageChunk(fields["data"], fields["format"], fields.get("expected_tokens"))
    if tag == "image_asset_pointer":
        return ImageAssetPointerChunk(fields["format"], fields["location"], fields.get("expected_tokens"))
    return UnknownChunk(fields)


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
