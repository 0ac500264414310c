"""Results to protobuf, as a server writes them, and back, as a client reads them.

Arrays are read as views of the body, without a copy. Writing checks nothing, since only servers write
results; unknown fields that only JSON can express are left out.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from tinsmith_api.wire import tinker_wire_pb2 as wire

from tinsmith.core.codec.protobuf import (
    MAX_ENTRIES,
    WRITTEN,
    WireError,
    element_bytes,
    elements,
    from_bytes,
    parse,
    put_back,
    read_shape,
    read_tensor,
    to_bytes,
    unknown_of,
    whole,
    write_tensor,
)
from tinsmith.core.errors import APIResponseValidationError
from tinsmith.core.inputs import optional_numbers
from tinsmith.core.values.results import (
    ForwardBackwardOutput,
    LossFnOutput,
    PromptAltTokens,
    SampledSequence,
    SampleResponse,
)
from tinsmith.core.values.tensor import TensorData

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from google.protobuf.message import Message

    from tinsmith.core.values.results import StopReason, TopkLogprobs

PADDING_TOKEN, PADDING_LOGPROB = 0, -99999.0
"""What fills a row of top-k that has no more entries."""
_STOP_REASONS: dict[int, StopReason] = {wire.STOP_REASON_STOP: "stop", wire.STOP_REASON_LENGTH: "length"}

M = TypeVar("M", bound="Message")
V = TypeVar("V")


def _decode(cls: type[M], data: bytes, build: Callable[[M, bool], V]) -> V:
    try:
        if not data:
            raise WireError("the body is empty")
        return build(*parse(cls, data))
    except WireError as cause:
        message = f"The server's answer is no {cls.DESCRIPTOR.name}: {cause}"
        raise APIResponseValidationError(message=message, status_code=200) from cause


def decode_output(data: bytes) -> ForwardBackwardOutput:
    """Build the result of forward or forward_backward."""
    return _decode(wire.ForwardBackwardOutput, data, _output)


def _output(message: wire.ForwardBackwardOutput, unknown: bool) -> ForwardBackwardOutput:
    outputs: list[LossFnOutput] = []
    tag = message.loss_fn_output_type
    for record in message.loss_fn_outputs:
        tag = tag or record.type_tag
        outputs.extend(_record(record, MAX_ENTRIES - len(outputs)))
    name = tag.rpartition(":")[2]
    extra = unknown_of(message) if unknown else None
    metrics = dict(sorted(message.metrics.items()))  # a map of the wire has no order that repeats
    return ForwardBackwardOutput.of_owned(
        loss_fn_output_type=name or "ArrayRecord", loss_fn_outputs=outputs, metrics=metrics, extra=extra
    )


def _record(record: wire.ArrayRecord, most: int) -> list[LossFnOutput]:
    """Split a record into the outputs of its datums, at most `most`: a few bytes can claim any number."""
    count = record.num_datums
    if not 0 <= count <= most:
        raise WireError(f"a record of {count} datums")
    outputs: list[LossFnOutput] = [{} for _ in range(count)]
    for name in sorted(record.fields):
        try:
            for output, tensor in zip(outputs, _split(record.fields[name], count), strict=True):
                output[name] = tensor
        except WireError as cause:
            raise WireError(f"field {name!r}: {cause}") from cause
    return outputs


def _split(batched: wire.BatchedTensor, count: int) -> list[TensorData]:
    """Cut the joined array at its offsets, which count bytes."""
    data = batched.data
    array, dtype = elements(data, batched.dtype)
    trailing = read_shape(batched.trailing_shape) or []
    offsets = from_bytes(batched.offsets, "<i8")
    if len(offsets) != count + 1 or offsets[0] != 0 or offsets[-1] != len(data):
        raise WireError(f"{len(offsets)} offsets for {count} datums in {len(data)} bytes")
    sizes = np.diff(offsets)
    width = element_bytes(batched.dtype)
    row = width * math.prod(trailing) if len(data) else 1  # of no bytes, every shape makes no rows
    if not 0 < row <= max(len(data), 1) or (sizes < 0).any() or (sizes % row).any():
        raise WireError(f"offsets do not fit elements of shape {trailing}")
    array.setflags(write=False)
    ends, rows = (offsets // width).tolist(), (sizes // row).tolist()
    return [
        TensorData.of_frozen(array[start:end], dtype, [length, *trailing])
        for start, end, length in zip(ends, ends[1:], rows, strict=False)
    ]


def decode_sample(data: bytes) -> SampleResponse:
    """Build the result of sample."""
    return _decode(wire.SampleResponse, data, _sample)


def _sample(message: wire.SampleResponse, unknown: bool) -> SampleResponse:
    alternatives = None
    if message.HasField("prompt_alt_tokens"):
        found = message.prompt_alt_tokens
        drawn, logprobs = read_tensor(found.tokens, unknown), read_tensor(found.logprobs, unknown)
        alternatives = PromptAltTokens(drawn, logprobs, extra=unknown_of(found) if unknown else None)
    return SampleResponse.of_owned(
        sequences=[_sequence(sequence, unknown) for sequence in message.sequences],
        prompt_logprobs=_field(message, "prompt_logprobs", lambda data: optional_numbers(whole(data, "<f4"))),
        topk_prompt_logprobs=_field(message, "topk_prompt_logprobs", _topk),
        target_prompt_logprobs=_field(message, "target_prompt_logprobs", lambda t: read_tensor(t, unknown)),
        prompt_alt_tokens=alternatives,
        prompt_cache_hit_tokens=message.prompt_cache_hit_tokens,
        type="sample",
        extra=unknown_of(message, "topk_prompt_logprobs") if unknown else None,
    )


def _field(message: Message, name: str, read: Callable[[Any], V]) -> V | None:
    """Read a field that may be absent."""
    return read(getattr(message, name)) if message.HasField(name) else None


def _sequence(message: wire.SampledSequence, unknown: bool) -> SampledSequence:
    reason = message.stop_reason
    return SampledSequence.of_bytes(
        _STOP_REASONS.get(reason) or f"unknown_{reason}",  # type: ignore[arg-type]  # a newer server's reason is kept
        whole(message.tokens, "<i4"),
        whole(message.logprobs, "<f4") if message.HasField("logprobs") else None,
        _field(message, "topk_sampled_logprobs", _topk),
        extra=unknown_of(message, "topk_sampled_logprobs") if unknown else None,
    )


def _topk(message: wire.TopkLogprobs) -> TopkLogprobs | None:
    """Return rows of pairs without the padding; a row of nothing but padding is None."""
    k, length = message.k, message.length
    tokens, logprobs = from_bytes(message.token_ids, "<i4"), from_bytes(message.logprobs, "<f4")
    if len(tokens) != k * length or len(logprobs) != k * length:
        raise WireError(f"top-k of {length} x {k} with {len(tokens)} tokens and {len(logprobs)} logprobs")
    if not k:
        return None
    present = (tokens != PADDING_TOKEN) | (logprobs != np.float32(PADDING_LOGPROB))
    counts = present.reshape(length, k).sum(1).tolist()
    pairs = list(zip(tokens[present].tolist(), logprobs[present].tolist(), strict=True))
    rows: TopkLogprobs = []
    at = 0
    for count in counts:
        rows.append(pairs[at : at + count] or None)
        at += count
    return rows


def encode_result(value: ForwardBackwardOutput | SampleResponse) -> bytes:
    """Return a result of either kind."""
    return encode_output(value) if isinstance(value, ForwardBackwardOutput) else encode_sample(value)


def encode_output(value: ForwardBackwardOutput) -> bytes:
    """Return the result of forward or forward_backward.

    Datums that follow each other share a record where they agree in fields, types and trailing shapes. An
    array without dimensions becomes one of one element, which is all that protobuf can express.
    """
    message = wire.ForwardBackwardOutput(loss_fn_output_type=value.loss_fn_output_type, metrics=value.metrics)
    put_back(message, value.extra)
    for agreed, run in groupby(value.loss_fn_outputs, _agreement):
        outputs = list(run)
        record = message.loss_fn_outputs.add(type_tag=value.loss_fn_output_type, num_datums=len(outputs))
        for name, dtype, trailing in agreed:
            batched = record.fields[name]
            kind, batched.dtype = WRITTEN[dtype]
            tensors = [output[name] for output in outputs]
            parts = [to_bytes(each.to_numpy() if each.is_sparse else each.raw, kind) for each in tensors]
            batched.data = b"".join(parts)
            batched.offsets = np.cumsum([0, *map(len, parts)], dtype="<i8").tobytes()
            batched.trailing_shape.extend(trailing)
    return message.SerializeToString(deterministic=True)


def _agreement(output: LossFnOutput) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    return tuple((name, part.dtype, tuple((part.shape or ())[1:])) for name, part in sorted(output.items()))


def encode_sample(value: SampleResponse) -> bytes:
    """Return the result of sample."""
    message = wire.SampleResponse(prompt_cache_hit_tokens=value.prompt_cache_hit_tokens)
    put_back(message, value.extra)
    for sequence in value.sequences:
        _write_sequence(message.sequences.add(), sequence)
    if value.prompt_logprobs is not None:
        message.prompt_logprobs = _number_bytes(value.prompt_logprobs)
    if value.topk_prompt_logprobs is not None:
        _write_topk(message.topk_prompt_logprobs, value.topk_prompt_logprobs)
    if value.target_prompt_logprobs is not None:
        write_tensor(
            message.target_prompt_logprobs, value.target_prompt_logprobs, None, "target_prompt_logprobs"
        )
    if value.prompt_alt_tokens is not None:
        alternatives = value.prompt_alt_tokens
        put_back(message.prompt_alt_tokens, alternatives.extra)
        write_tensor(message.prompt_alt_tokens.tokens, alternatives.tokens, None, "prompt_alt_tokens")
        write_tensor(message.prompt_alt_tokens.logprobs, alternatives.logprobs, None, "prompt_alt_tokens")
    return message.SerializeToString(deterministic=True)


def _write_sequence(message: wire.SampledSequence, sequence: SampledSequence) -> None:
    put_back(message, sequence.extra)
    message.stop_reason = wire.STOP_REASON_STOP if sequence.stop_reason == "stop" else wire.STOP_REASON_LENGTH
    message.tokens = to_bytes(sequence.tokens, "<i4")
    if sequence.logprobs is not None:
        message.logprobs = _number_bytes(sequence.logprobs)
    if sequence.topk_sampled_logprobs is not None:
        _write_topk(message.topk_sampled_logprobs, sequence.topk_sampled_logprobs)


def _number_bytes(numbers: Sequence[float | None]) -> bytes:
    return np.array(numbers, "<f4").tobytes()  # numpy reads None as NaN


def _write_topk(message: wire.TopkLogprobs, rows: TopkLogprobs) -> None:
    """Write rows of equal length, padded."""
    message.length = len(rows)
    message.k = width = max([1, *(len(row) for row in rows if row)])
    padding = (PADDING_TOKEN, PADDING_LOGPROB)
    padded = [[*(row or ()), *[padding] * (width - len(row or ()))] for row in rows]
    message.token_ids = to_bytes([token for row in padded for token, _ in row], "<i4")
    message.logprobs = _number_bytes([cast("float", logprob) for row in padded for _, logprob in row])
