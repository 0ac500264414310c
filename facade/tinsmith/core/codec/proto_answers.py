"""Results to protobuf, as a server writes them. Checks nothing: what a server answers is its own affair.

Unknown fields that only JSON can say are left out.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from tinsmith_api.wire import tinker_wire_pb2 as wire

from tinsmith.core.codec.proto_arrays import to_bytes, write_tensor
from tinsmith.core.codec.proto_results import PADDING_LOGPROB, PADDING_TOKEN
from tinsmith.core.codec.proto_unknown import put_back
from tinsmith.core.values.results import ForwardBackwardOutput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinsmith.core.values.results import LossFnOutput, SampledSequence, SampleResponse, TopkLogprobs
    from tinsmith.core.values.tensor import TensorData

_KINDS: dict[str, tuple[Literal["<f4", "<i8"], wire.DType.ValueType]] = {
    "float32": ("<f4", wire.DTYPE_FLOAT32),
    "int64": ("<i8", wire.DTYPE_INT64),
}


def encode_result(value: ForwardBackwardOutput | SampleResponse) -> bytes:
    """Return a result of either kind."""
    return encode_output(value) if isinstance(value, ForwardBackwardOutput) else encode_sample(value)


def encode_output(value: ForwardBackwardOutput) -> bytes:
    """Return the result of forward or forward_backward.

    Datums that follow each other share a record where they agree in fields, types and trailing shapes. An
    array without dimensions becomes one of one element, since the form has no word for it.
    """
    message = wire.ForwardBackwardOutput(loss_fn_output_type=value.loss_fn_output_type, metrics=value.metrics)
    put_back(message, value.extra)
    for agreed, run in groupby(value.loss_fn_outputs, _agreement):
        outputs = list(run)
        record = message.loss_fn_outputs.add(type_tag=value.loss_fn_output_type, num_datums=len(outputs))
        for name, dtype, trailing in agreed:
            batched = record.fields[name]
            kind, batched.dtype = _KINDS[dtype]
            parts = [to_bytes(_flat(output[name]), kind) for output in outputs]
            batched.data = b"".join(parts)
            batched.offsets = np.cumsum([0, *map(len, parts)], dtype="<i8").tobytes()
            batched.trailing_shape.extend(trailing)
    return message.SerializeToString(deterministic=True)


def _agreement(output: LossFnOutput) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    return tuple((name, part.dtype, tuple((part.shape or ())[1:])) for name, part in sorted(output.items()))


def _flat(tensor: TensorData) -> Any:
    return tensor.to_numpy() if tensor.is_sparse else tensor.raw


def encode_sample(value: SampleResponse) -> bytes:
    """Return the result of sample."""
    message = wire.SampleResponse(prompt_cache_hit_tokens=value.prompt_cache_hit_tokens)
    put_back(message, value.extra)
    for sequence in value.sequences:
        _sequence(message.sequences.add(), sequence)
    if value.prompt_logprobs is not None:
        message.prompt_logprobs = _numbers(value.prompt_logprobs)
    if value.topk_prompt_logprobs is not None:
        _topk(message.topk_prompt_logprobs, value.topk_prompt_logprobs)
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


def _sequence(message: wire.SampledSequence, sequence: SampledSequence) -> None:
    put_back(message, sequence.extra)
    message.stop_reason = wire.STOP_REASON_STOP if sequence.stop_reason == "stop" else wire.STOP_REASON_LENGTH
    message.tokens = to_bytes(sequence.tokens, "<i4")
    if sequence.logprobs is not None:
        message.logprobs = _numbers(sequence.logprobs)
    if sequence.topk_sampled_logprobs is not None:
        _topk(message.topk_sampled_logprobs, sequence.topk_sampled_logprobs)


def _numbers(numbers: Sequence[float | None]) -> bytes:
    return np.array(numbers, "<f4").tobytes()  # numpy reads None as NaN


def _topk(message: wire.TopkLogprobs, rows: TopkLogprobs) -> None:
    """Write rows of equal length, padded."""
    message.length = len(rows)
    message.k = width = max([1, *(len(row) for row in rows if row)])
    padding = (PADDING_TOKEN, PADDING_LOGPROB)
    padded = [[*(row or ()), *[padding] * (width - len(row or ()))] for row in rows]
    message.token_ids = to_bytes([token for row in padded for token, _ in row], "<i4")
    message.logprobs = _numbers([cast("float", logprob) for row in padded for _, logprob in row])
