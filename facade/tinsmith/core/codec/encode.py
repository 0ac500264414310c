"""Values to JSON. Defaults and tags are sent, nulls are dropped where a field may be absent.

Arrays of any library are written directly, never as lists; an error names the field that cannot be written.
Unknown fields that a value was read with are written back, unless they came as protobuf.

A batch is written in pieces, one per datum, so that the body is never held twice.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
import orjson
from tinsmith_api.conversion import sent_fields
from tinsmith_api.model import named_extra
from tinsmith_api.models import AdamParams

from tinsmith.core.checks import check_numbers, check_tokens
from tinsmith.core.errors import InputError
from tinsmith.core.values.model_input import (
    DmelChunk,
    EncodedTextChunk,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInput,
    UnknownChunk,
)
from tinsmith.core.values.tensor import TensorData

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tinsmith.core.codec.wire import Encoding
    from tinsmith.core.names import OptimParams
    from tinsmith.core.values.datum import Datum
    from tinsmith.core.values.model_input import ModelInputChunk
    from tinsmith.core.values.requests import SamplingParams
    from tinsmith.core.values.results import ForwardBackwardOutput, SampleResponse

Operation = Literal["forward", "forward_backward"]
_INPUT_KEY: dict[Operation, bytes] = {
    "forward": b"forward_input",
    "forward_backward": b"forward_backward_input",
}
CHUNK_KINDS = (EncodedTextChunk, ImageChunk, ImageAssetPointerChunk, DmelChunk, UnknownChunk)


def chunk_to_wire(chunk: ModelInputChunk, datum: int | None = None, field: str = "model_input") -> Any:
    """Return the JSON form of one chunk; its unknown fields are written back."""
    if isinstance(chunk, UnknownChunk):
        return chunk.raw
    wire: dict[str, Any]
    if isinstance(chunk, EncodedTextChunk):
        check_tokens(chunk, datum, field)
        wire = {"tokens": chunk.tokens, "type": "encoded_text"}
    elif isinstance(chunk, DmelChunk):
        wire = {"dmel": base64.b64encode(chunk.dmel).decode(), "type": "dmel"}
    else:
        if isinstance(chunk, ImageChunk):
            wire = {"data": base64.b64encode(chunk.data).decode(), "format": chunk.format, "type": "image"}
        else:
            wire = {"format": chunk.format, "location": chunk.location, "type": "image_asset_pointer"}
        if chunk.expected_tokens is not None:
            wire["expected_tokens"] = chunk.expected_tokens
    return wire if chunk.extra is None else {**named_extra(chunk), **wire}


def _input_to_wire(model_input: ModelInput, datum: int | None = None, field: str = "model_input") -> Any:
    chunks = [chunk_to_wire(chunk, datum, field) for chunk in model_input.chunks]
    return {"chunks": chunks} if model_input.extra is None else {**named_extra(model_input), "chunks": chunks}


def _tensor_to_wire(tensor: TensorData) -> Any:
    wire = {"data": tensor.raw, "dtype": tensor.dtype}
    if tensor.shape is not None:
        wire["shape"] = tensor.shape
    if tensor.is_sparse:
        wire["sparse_crow_indices"] = tensor.sparse_crow_indices
        wire["sparse_col_indices"] = tensor.sparse_col_indices
    return wire if tensor.extra is None else {**named_extra(tensor), **wire}


def encode_datum(index: int, datum: Datum) -> bytes:
    """Return the JSON of one datum; an error names the datum by `index`, and the field."""
    inputs = {}
    for name, tensor in datum.loss_fn_inputs.items():
        check_numbers(index, name, tensor)
        inputs[name] = _tensor_to_wire(tensor)
    wire = {"loss_fn_inputs": inputs, "model_input": _input_to_wire(datum.model_input, index)}
    if datum.extra is not None:
        wire = {**named_extra(datum), **wire}
    written = dumps(wire, index)
    lists = [tensor for tensor in inputs.values() if isinstance(tensor["data"], (list, tuple))]
    if lists and (b"true" in written or b"false" in written):
        # A mask given as a list: servers want numbers. This check costs less than one of each element.
        for tensor in lists:
            tensor["data"] = [int(x) if isinstance(x, bool) else x for x in tensor["data"]]
        written = dumps(wire, index)
    return written


def encode_forward_backward(
    op: Operation,
    data: Sequence[Datum],
    loss_fn: str,
    loss_fn_config: Mapping[str, float | str] | None,
    model_id: str,
    seq_id: int,
    *,
    chunk: range | None = None,
    encoding: Encoding = "json",
) -> Iterator[bytes]:
    """Yield the body of forward or forward_backward in pieces. `chunk` picks datums of `data` by index.

    Both operations have one route in protobuf, forward_backward, and the body says which of them it is.
    """
    picked = range(len(data)) if chunk is None else chunk
    if encoding == "protobuf":
        from tinsmith.core.codec.proto_requests import encode_batch

        yield from encode_batch(op == "forward", data, loss_fn, loss_fn_config, model_id, seq_id, picked)
        return
    yield b'{"%b":{"data":[' % _INPUT_KEY[op]
    comma = b""
    for index in picked:
        yield comma + encode_datum(index, data[index])
        comma = b","
    tail: dict[str, Any] = {"loss_fn": loss_fn}
    if loss_fn_config is not None:
        tail["loss_fn_config"] = dict(loss_fn_config)
    yield b"]," + dumps(tail)[1:] + b"," + dumps({"model_id": model_id, "seq_id": seq_id})[1:]


def encode_plain_batch(body: object) -> list[bytes]:
    """Return a forward_backward that is a plain value of the contract as protobuf, in pieces."""
    from tinsmith.core.codec.decode import decode_datum, loads

    fields = loads(encode_body(body))
    given = fields["forward_backward_input"]
    data = [decode_datum(each, index) for index, each in enumerate(given["data"])]
    if fields.get("seq_id") is None:
        raise InputError("must be given: the binary form has no null", field="seq_id")
    settings = given.get("loss_fn_config")
    return list(
        encode_forward_backward(
            "forward_backward",
            data,
            given["loss_fn"],
            settings,
            fields["model_id"],
            fields["seq_id"],
            encoding="protobuf",
        )
    )


def encode_optim_step(params: OptimParams, model_id: str, seq_id: int) -> bytes:
    """Return the body of optim_step; parameters of other optimizers than Adam have another name."""
    return dumps(
        {
            "adam_params" if isinstance(params, AdamParams) else "optimizer_params": to_wire(params),
            "model_id": model_id,
            "seq_id": seq_id,
            "type": "optim_step",
        }
    )


def sampling_params_to_wire(params: SamplingParams) -> dict[str, Any]:
    """Return the JSON form; a single stop text becomes a list, which every server takes."""
    wire: dict[str, Any] = to_wire(params)
    if isinstance(params.stop, str):
        wire["stop"] = [params.stop]
    return wire


def encode_sample(
    prompt: ModelInput,
    sampling_params: SamplingParams,
    *,
    sampling_session_id: str,
    seq_id: int,
    num_samples: int = 1,
    prompt_logprobs: bool = False,
    topk_prompt_logprobs: int = 0,
    further: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the body of asample; `further` has the fields that older servers do not know."""
    return dumps(
        {
            "sampling_session_id": sampling_session_id,
            "seq_id": seq_id,
            "num_samples": num_samples,
            "prompt": _input_to_wire(prompt, field="prompt"),
            "sampling_params": sampling_params_to_wire(sampling_params),
            "prompt_logprobs": prompt_logprobs,
            "topk_prompt_logprobs": topk_prompt_logprobs,
            **({} if further is None else {name: to_wire(value) for name, value in further.items()}),
            "type": "sample",
        }
    )


def encode_sample_stream(
    prompt: ModelInput,
    sampling_params: SamplingParams,
    *,
    sampling_session_id: str,
    further: Mapping[str, Any],
) -> bytes:
    """Return the body of stream_sample; `further` has the fields that are not always sent."""
    return dumps(
        {
            "sampling_session_id": sampling_session_id,
            "prompt": _input_to_wire(prompt, field="prompt"),
            "sampling_params": sampling_params_to_wire(sampling_params),
            **further,
        }
    )


def to_wire(value: Any) -> Any:
    """Return the JSON form of any value of this package: fields, None only for those that must be given."""
    if isinstance(value, TensorData):
        return _tensor_to_wire(value)
    if isinstance(value, ModelInput):
        return _input_to_wire(value)
    if isinstance(value, CHUNK_KINDS):
        return chunk_to_wire(value)
    cls = type(value)
    if attrs.has(cls):
        pairs = ((name, getattr(value, name), needed) for name, needed in sent_fields(cls))
        known = {name: to_wire(part) for name, part, needed in pairs if needed or part is not None}
        extra = named_extra(value)
        return {**extra, **known} if extra else known
    if isinstance(value, Mapping):
        return {name: to_wire(part) for name, part in value.items()}
    if (
        isinstance(value, list)
        and value
        and (attrs.has(type(value[0])) or isinstance(value[0], (dict, list)))
    ):
        return [to_wire(part) for part in value]
    return value


def encode_body(value: Any) -> bytes:
    """Return any request or result as JSON. A plain dict keeps its nulls, where null means something."""
    return dumps(to_wire(value))


def encode_result(value: ForwardBackwardOutput | SampleResponse, encoding: Encoding = "json") -> bytes:
    """Return a result as a server writes it."""
    if encoding == "json":
        return encode_body(value)
    from tinsmith.core.codec import proto_results

    return proto_results.encode_result(value)


def dumps(value: Any, datum: int | None = None) -> bytes:
    """Write JSON; an error names the field, and the datum if one is given."""
    try:
        return orjson.dumps(
            value, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        )
    except TypeError as cause:
        field = _unwritable_field(value)
        raise InputError(f"cannot be written as JSON: {cause}", datum=datum, field=field or None) from cause


def _plain(value: Any) -> Any:
    """Return what orjson does not take by itself as lists and numbers: strided arrays, ranges, tensors."""
    if isinstance(value, range):
        return list(value)
    try:
        return value.tolist()
    except AttributeError:
        raise TypeError from None


def _unwritable_field(value: Any) -> str:
    """Name the first field in which something cannot be written, by its path."""
    if isinstance(value, dict):
        parts = [(str(name), part) for name, part in value.items()]
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        parts = [(f"[{index}]", part) for index, part in enumerate(value)]
    else:
        return ""
    for name, part in parts:
        try:
            dumps(part)
        except InputError as error:
            inner = error.field or ""
            return name + (inner if inner.startswith("[") or not inner else f".{inner}")
    return ""  # a key, not a value
