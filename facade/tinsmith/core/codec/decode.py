"""JSON to values, for results that are large and for batches that a server reads; protobuf is passed on.

Lists are kept without a copy, and unknown fields stay with the value. An answer that cannot belong to the
request is refused: each value is checked, but not each number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import attrs
import orjson
from tinsmith_api.model import unknown_among
from tinsmith_api.ownership import is_array

from tinsmith.core.checks import check_sparse_indices
from tinsmith.core.chunking import MissingOutputs
from tinsmith.core.codec import wire
from tinsmith.core.codec.wire import Payload, ProtobufPayload
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.failures import broken_answer
from tinsmith.core.values.datum import Datum
from tinsmith.core.values.model_input import (
    DmelChunk,
    EncodedTextChunk,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInput,
    ModelInputChunk,
    UnknownChunk,
)
from tinsmith.core.values.results import (
    ForwardBackwardOutput,
    LossFnOutput,
    PromptAltTokens,
    SampledSequence,
    SamplePiece,
    SampleResponse,
    TopkLogprobs,
)
from tinsmith.core.values.tensor import MAX_DIMENSIONS, TensorData

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


def decode_forward_backward(payload: Payload, datums: int | None = None) -> ForwardBackwardOutput:
    """Build the result of forward or forward_backward of so many datums; None does not count them."""
    if isinstance(payload, ProtobufPayload):
        from tinsmith.core.codec.proto_results import decode_output

        result = decode_output(payload.data)
    else:
        result = _decode_batch(_object(payload))
    found = len(result.loss_fn_outputs)
    # No outputs at all is an answer: not every server returns outputs for every loss.
    if datums is None or not found or found == datums:
        return result
    if found < datums and result.metrics:
        missing = MissingOutputs(found, datums)
        return ForwardBackwardOutput.of_owned(
            **{name: value for name, value in result if name != "loss_fn_outputs"},
            loss_fn_outputs=missing,
            extra=result.extra,
        )
    raise _misshapen("ForwardBackwardOutput", ValueError(f"{found} loss_fn_outputs, {datums} datums"))


def _decode_batch(fields: Mapping[str, Any]) -> ForwardBackwardOutput:
    try:
        outputs = [_decode_output(index, output) for index, output in enumerate(fields["loss_fn_outputs"])]
        metrics = {name: math.nan if x is None else x for name, x in fields["metrics"].items()}
        for name, value in metrics.items():
            _check_type(value, f"metric {name!r}", float, int, bool)
        kind = _check_type(fields["loss_fn_output_type"], "loss_fn_output_type", str)
        extra = unknown_among(fields, _BATCH_FIELDS)
        return ForwardBackwardOutput.of_owned(
            loss_fn_output_type=kind, loss_fn_outputs=outputs, metrics=metrics, extra=extra
        )
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise _misshapen("ForwardBackwardOutput", cause) from cause


def _decode_output(index: int, output: Mapping[str, Any]) -> LossFnOutput:
    name = ""
    try:
        made = {}
        for name, tensor in output.items():
            made[name] = decode_tensor(tensor)
        return made
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        problem = f"field {cause} is missing" if isinstance(cause, KeyError) else str(cause)
        raise ValueError(f"loss_fn_outputs[{index}] {name!r}: {problem}") from cause


def _check_type(value: Any, what: str, *kinds: type) -> Any:
    """Return a value that is of one of these types, to the letter."""
    if type(value) not in kinds:
        raise TypeError(f"{what} is a {type(value).__name__}")
    return value


def _misshapen(what: str, cause: Exception) -> APIResponseValidationError:
    problem = f"field {cause} is missing" if isinstance(cause, KeyError) else str(cause)
    message = f"The server's answer is no {what}: {problem}"
    return APIResponseValidationError(message=message, status_code=200)


def _is_frozen(data: Any, dtype: Any) -> bool:
    return is_array(data) and not data.flags.writeable and data.dtype.name == dtype


def decode_tensor(fields: Mapping[str, Any]) -> TensorData:
    """Build a tensor; its numbers stay the list that JSON gave, and are as many as its shape says."""
    data, shape = fields["data"], fields.get("shape")
    rows, columns = fields.get("sparse_crow_indices"), fields.get("sparse_col_indices")
    if isinstance(data, (str, Mapping)) or (len(data) and isinstance(data[0], (str, list, Mapping))):
        raise TypeError("data is no flat list of numbers")
    if shape is not None and rows is None and not _is_shape_of(shape, len(data)):
        raise ValueError(f"has {len(data)} numbers, but shape {shape!r:.100}")
    extra = unknown_among(fields, _TENSOR_FIELDS)
    make = TensorData.of_frozen if _is_frozen(data, fields["dtype"]) else TensorData
    tensor = make(data, fields["dtype"], shape, rows, columns, extra=extra)
    if rows is not None:
        check_sparse_indices(None, None, tensor)
    return tensor


def _is_shape_of(shape: Any, found: int) -> bool:
    is_list = isinstance(shape, (list, tuple)) and len(shape) <= MAX_DIMENSIONS
    are_whole = is_list and {*map(type, shape)} <= {int}
    return are_whole and math.prod(shape) == found and min(shape, default=0) >= 0


def decode_sample(payload: Payload, num_samples: int | None = None) -> SampleResponse:
    """Build the result of sample, with at least so many sequences; None does not count them."""
    if isinstance(payload, ProtobufPayload):
        from tinsmith.core.codec import proto_results

        result = proto_results.decode_sample(payload.data)
    else:
        result = _decode_sample(_object(payload))
    found = len(result.sequences)
    if num_samples is not None and found < num_samples:
        few = f"it holds {found} sequences, and {num_samples} were asked for"
        raise _misshapen("SampleResponse", ValueError(few))
    return result


def aligned_prompt(
    response: SampleResponse, requested: Sequence[str], positions: int, last_n: int | None
) -> SampleResponse:
    """Bring the requested fields of a prompt to one entry per position, or to the last n of them.

    Some servers leave out the first position, which has no logprob, or ignore `prompt_logprobs_last_n`: both
    are corrected. Any other number of entries is an error.
    """
    wanted = positions if last_n is None else min(last_n, positions)
    given = {name: found for name in requested if (found := getattr(response, name)) is not None}
    changed: dict[str, Any] = {
        name: _aligned(name, rows, positions, wanted) for name, rows in given.items() if len(rows) != wanted
    }
    return attrs.evolve(response, **changed) if changed else response


def _aligned(name: str, found: list[Any], positions: int, wanted: int) -> list[Any]:
    if len(found) == positions - 1:
        found = [None, *found]
    if len(found) != positions:
        few = f"it holds {len(found)} {name} for a prompt of {positions}, of which {wanted} were asked for"
        raise _misshapen("SampleResponse", ValueError(few))
    return found[positions - wanted :]


def _decode_sample(fields: Mapping[str, Any]) -> SampleResponse:
    try:
        alternatives, targets = fields.get("prompt_alt_tokens"), fields.get("target_prompt_logprobs")
        return SampleResponse.of_owned(
            sequences=[_decode_sequence(index, item) for index, item in enumerate(fields["sequences"])],
            prompt_logprobs=_list_or_none(fields, "prompt_logprobs"),
            topk_prompt_logprobs=_decode_topk(fields.get("topk_prompt_logprobs")),
            target_prompt_logprobs=None if targets is None else decode_tensor(targets),
            prompt_alt_tokens=None if alternatives is None else _decode_alternatives(alternatives),
            prompt_cache_hit_tokens=_check_type(
                fields.get("prompt_cache_hit_tokens") or 0, "prompt_cache_hit_tokens", int
            ),
            type=fields.get("type") or "sample",
            extra=unknown_among(fields, _SAMPLE_FIELDS),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise _misshapen("SampleResponse", cause) from cause


def decode_piece(data: str) -> SamplePiece:
    """Build the next piece of a sample that is streamed."""
    fields = _object(data.encode())
    try:
        reason = fields.get("stop_reason")
        return SamplePiece.of_owned(
            tokens=_whole_numbers(fields["tokens"], "tokens"),
            logprobs=_list_or_none(fields, "logprobs"),
            topk_sampled_logprobs=_decode_topk(fields.get("topk_sampled_logprobs")),
            stop_reason=None if reason is None else _check_type(reason, "stop_reason", str),
            extra=unknown_among(fields, _PIECE_FIELDS),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise _misshapen("SamplePiece", cause) from cause


def _whole_numbers(found: Any, name: str) -> list[int]:
    try:
        whole = type(found) is list and type(sum(found)) is int  # one pass in C over all of them
    except TypeError:
        whole = False
    if not whole:
        raise TypeError(f"{name} are no list of whole numbers")
    numbers: list[int] = found
    return numbers


def _decode_sequence(index: int, item: Mapping[str, Any]) -> SampledSequence:
    return SampledSequence.of_owned(
        stop_reason=_check_type(item["stop_reason"], "stop_reason", str),
        tokens=_whole_numbers(item["tokens"], f"sequences[{index}]: tokens"),
        logprobs=_list_or_none(item, "logprobs"),
        topk_sampled_logprobs=_decode_topk(item.get("topk_sampled_logprobs")),
        sequence_id=item.get("sequence_id"),
        extra=unknown_among(item, _SEQUENCE_FIELDS),
    )


def _list_or_none(fields: Mapping[str, Any], name: str) -> Any:
    found = fields.get(name)
    return None if found is None else _check_type(found, name, list)


def _decode_alternatives(fields: Mapping[str, Any]) -> PromptAltTokens:
    extra = unknown_among(fields, {"tokens", "logprobs"})
    return PromptAltTokens(decode_tensor(fields["tokens"]), decode_tensor(fields["logprobs"]), extra=extra)


def _decode_topk(rows: Any) -> TopkLogprobs | None:
    if rows is None:
        return None
    return [None if row is None else [(token, logprob) for token, logprob in row] for row in rows]


def _field_names(cls: type) -> frozenset[str]:
    return frozenset(field.name for field in attrs.fields(cls)) - {"extra"}


_BATCH_FIELDS = _field_names(ForwardBackwardOutput)
_SAMPLE_FIELDS = _field_names(SampleResponse)
_SEQUENCE_FIELDS = _field_names(SampledSequence)
_PIECE_FIELDS = _field_names(SamplePiece)
_TENSOR_FIELDS = frozenset({"data", "dtype", "shape", "sparse_crow_indices", "sparse_col_indices"})
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
    extra = unknown_among(fields, known)
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
    chunks = [decode_chunk(chunk) for chunk in fields["chunks"]]
    return ModelInput(chunks, extra=unknown_among(fields, {"chunks"}))


def decode_datum(fields: Mapping[str, Any], index: int) -> Datum:
    """Build a datum as a server reads it; an error names it by `index`, and the field."""
    field = "loss_fn_inputs"
    try:
        inputs = {}
        for name, tensor in fields["loss_fn_inputs"].items():
            field = name
            inputs[name] = decode_tensor(tensor)
        field = "model_input"
        model_input = decode_model_input(fields["model_input"])
        return Datum(inputs, model_input, extra=unknown_among(fields, {"loss_fn_inputs", "model_input"}))
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        problem = f"{cause} is missing" if isinstance(cause, KeyError) else str(cause)
        raise InputError(problem, datum=index, field=field) from cause


def load_decoders(*, protobuf: bool) -> None:
    """Import the decoders before the first request whose answer they read.

    A process that has no file descriptor left could not load them later.
    """
    import_module("html")  # for the page of a proxy
    wire.load()
    if protobuf:
        import_module("tinsmith.core.codec.proto_results")
