"""Batches to protobuf, in pieces of some datums each: pieces of one message, joined, are that message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith_api.wire import tinker_wire_pb2 as wire

from tinsmith.core.chunking import estimate_bytes
from tinsmith.core.codec.proto_arrays import token_bytes, write_tensor
from tinsmith.core.codec.proto_unknown import put_back, refuse_named
from tinsmith.core.errors import InputError
from tinsmith.core.values.chunks import DmelChunk, EncodedTextChunk, ImageChunk, UnknownChunk
from tinsmith.core.values.provenance import SampledProvenanceSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
    from google.protobuf.message import Message
    from tinsmith_api.model import Extra

    from tinsmith.core.values.chunks import ModelInputChunk
    from tinsmith.core.values.datum import Datum
    from tinsmith.core.values.provenance import PromptProvenanceSpan

    SpanMessages = RepeatedCompositeFieldContainer[wire.ProvenanceSpan]
    Spans = Iterable[PromptProvenanceSpan | SampledProvenanceSpan]


PIECE_BYTES = 64 * 1024
"""Datums are written together up to about this size: few pieces to send, none that takes long to write."""


def encode_batch(
    forward_only: bool,
    data: Sequence[Datum],
    loss_fn: str,
    loss_fn_config: Mapping[str, float | str] | None,
    model_id: str,
    seq_id: int,
    chunk: range,
) -> Iterator[bytes]:
    """Yield the body of a forward_backward, or of a forward, in pieces.

    Maps are sorted, so that the same batch gives the same bytes.
    """
    field = "model_id"
    try:
        head = wire.ForwardBackwardRequest(model_id=model_id, forward_only=forward_only)
        field = "seq_id"
        head.seq_id = seq_id
        field = "loss_fn"
        head.loss_fn = loss_fn
        for name, setting in (loss_fn_config or {}).items():
            field = f"loss_fn_config.{name}"
            if isinstance(setting, str):
                head.loss_fn_config_v2[name].text = setting
            else:
                head.loss_fn_config[name] = head.loss_fn_config_v2[name].number = float(setting)
    except (ValueError, TypeError) as cause:
        raise InputError(f"cannot be written as protobuf: {cause}", field=field) from cause
    yield head.SerializeToString(deterministic=True)
    batch = wire.ForwardBackwardRequest()
    held = 0
    for index in chunk:
        _write_datum(batch.data.add(), index, data[index])
        held += estimate_bytes(data[index])
        if held >= PIECE_BYTES or index == chunk[-1]:
            yield batch.SerializeToString(deterministic=True)
            batch = wire.ForwardBackwardRequest()
            held = 0


def _write_datum(message: wire.Datum, index: int, datum: Datum) -> None:
    """Fill the message of one datum; an error names the datum by `index`, and the field."""
    _put_back(message, datum.extra, index, None)
    _put_back(None, datum.model_input.extra, index, "model_input")
    for position, chunk in enumerate(datum.model_input.chunks):
        _write_chunk(message.model_input.add(), chunk, index, position)
    inputs = message.loss_fn_inputs
    for name, tensor in datum.loss_fn_inputs.items():
        try:
            slot = inputs[name]
        except (ValueError, TypeError) as cause:
            raise InputError(f"cannot be written as protobuf: {cause}", datum=index, field=name) from cause
        _put_back(None, tensor.extra, index, name)  # written with the tensor, unless it is refused
        write_tensor(slot, tensor, index, name)
    if datum.model_input_spans:
        _write_spans(message.model_input_spans, datum.model_input_spans, index, "model_input_spans")
    if datum.loss_fn_input_spans:
        _write_spans(message.loss_fn_input_spans, datum.loss_fn_input_spans, index, "loss_fn_input_spans")


def _put_back(message: Message | None, extra: Extra | None, datum: int, field: str | None) -> None:
    """Write unknown fields; a model input is no message of its own, and has none in protobuf."""
    if extra is None:
        return
    try:
        refuse_named(extra)
        if message is not None:
            put_back(message, extra)
    except ValueError as cause:
        raise InputError(str(cause), datum=datum, field=field) from cause


def _write_chunk(message: wire.Chunk, chunk: ModelInputChunk, datum: int, position: int) -> None:
    try:
        if not isinstance(chunk, UnknownChunk) and chunk.extra is not None:
            refuse_named(chunk.extra)
            put_back(message, chunk.extra)
        if isinstance(chunk, EncodedTextChunk):
            message.encoded_text.tokens = token_bytes(chunk, datum)
        elif isinstance(chunk, ImageChunk):
            _write_image(message.image, chunk)
        elif isinstance(chunk, DmelChunk):
            message.dmel.dmel = chunk.dmel
        else:
            raise ValueError(f"the protobuf form has no chunk of type {chunk.type!r}; send it as JSON")
    except InputError:
        raise
    except ValueError as cause:
        raise InputError(f"chunk {position}: {cause}", datum=datum, field="model_input") from cause


def _write_image(message: wire.Image, chunk: ImageChunk) -> None:
    message.data = chunk.data
    message.format = chunk.format
    if chunk.expected_tokens is not None:
        message.expected_tokens = chunk.expected_tokens
    if chunk.override_dimensions is not None:
        message.override_dimensions.width, message.override_dimensions.height = chunk.override_dimensions


def _write_spans(messages: SpanMessages, spans: Spans, datum: int, field: str) -> None:
    for span in spans:
        message = messages.add()
        part = message.sampled_tokens if isinstance(span, SampledProvenanceSpan) else message.prompt_tokens
        try:
            refuse_named(span.extra)
            put_back(message, span.extra)
            part.SetInParent()
            part.sequence_id, part.offset, part.length = span.sequence_id, span.offset, span.length
        except (ValueError, TypeError) as cause:
            raise InputError(str(cause), datum=datum, field=field) from cause
