"""Batches to protobuf, as a client writes them, and back, as a server reads them.

They are written in pieces of some datums each: pieces of one message, joined, are that message. Errors name
the datum and the field.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tinsmith_api.wire import tinker_wire_pb2 as wire

from tinsmith.core.checks import check_numbers
from tinsmith.core.chunking import estimate_bytes
from tinsmith.core.codec.protobuf import (
    WireError,
    from_bytes,
    parse,
    put_back,
    read_tensor,
    refuse_named,
    token_bytes,
    unknown_of,
    write_tensor,
)
from tinsmith.core.errors import InputError
from tinsmith.core.values.datum import Datum, PromptProvenanceSpan, SampledProvenanceSpan
from tinsmith.core.values.model_input import DmelChunk, EncodedTextChunk, ImageChunk, ModelInput, UnknownChunk
from tinsmith.core.values.requests import ForwardBackwardInput, ForwardBackwardRequest, ForwardRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
    from google.protobuf.message import Message
    from tinsmith_api.model import Extra

    from tinsmith.core.values.model_input import ModelInputChunk

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


def decode_training_request(body: bytes) -> ForwardRequest | ForwardBackwardRequest:
    """Build the request of a forward or forward_backward; tensors look at the bytes of the body's parts."""
    try:
        message, unknown = parse(wire.ForwardBackwardRequest, body)
    except WireError as cause:
        raise InputError(str(cause), field="body") from cause
    data = [_datum(datum, index, unknown) for index, datum in enumerate(message.data)]
    batch = ForwardBackwardInput(data, message.loss_fn, _settings(message))
    kind = ForwardRequest if message.forward_only else ForwardBackwardRequest
    return kind(batch, message.model_id, message.seq_id or None)


def _settings(message: wire.ForwardBackwardRequest) -> dict[str, float | str] | None:
    """Join both fields of the loss's settings; a number that is in both must be the same."""
    settings: dict[str, float | str] = dict(message.loss_fn_config)
    for name, value in message.loss_fn_config_v2.items():
        kind = value.WhichOneof("value")
        given = value.text if kind == "text" else value.number
        if kind is None or settings.get(name, given) != given:
            problem = "is neither a number nor text" if kind is None else "has two values"
            raise InputError(problem, field=f"loss_fn_config.{name}")
        settings[name] = given
    for name, setting in settings.items():
        if not isinstance(setting, str) and not math.isfinite(setting):
            raise InputError(f"is {setting}", field=f"loss_fn_config.{name}")
    return settings or None


def _datum(message: wire.Datum, index: int, unknown: bool) -> Datum:
    field = "model_input"
    try:
        chunks = [_chunk(chunk, position, unknown) for position, chunk in enumerate(message.model_input)]
        inputs = {}
        for name in sorted(message.loss_fn_inputs):
            field = name
            inputs[name] = read_tensor(message.loss_fn_inputs[name], unknown)
            check_numbers(index, name, inputs[name])
        field = "model_input_spans"
        input_spans = _spans(message.model_input_spans, unknown)
        field = "loss_fn_input_spans"
        loss_spans = _spans(message.loss_fn_input_spans, unknown)
        extra = unknown_of(message) if unknown else None
        return Datum(inputs, ModelInput(chunks), input_spans, loss_spans, extra=extra)
    except WireError as cause:
        raise InputError(str(cause), datum=index, field=field) from cause


def _chunk(message: wire.Chunk, position: int, unknown: bool) -> ModelInputChunk:
    kind = message.WhichOneof("kind")
    try:
        if kind is None:
            raise WireError("is of a kind that this version does not know")
        extra = unknown_of(message, kind) if unknown else None
        if kind == "encoded_text":
            return EncodedTextChunk(from_bytes(message.encoded_text.tokens, "<i4"), extra=extra)
        if kind == "dmel":
            return DmelChunk(message.dmel.dmel, extra=extra)
        image = message.image
        expected = image.expected_tokens if image.HasField("expected_tokens") else None
        size = (image.override_dimensions.width, image.override_dimensions.height)
        return ImageChunk(
            image.data,
            image.format,
            expected,
            override_dimensions=size if image.HasField("override_dimensions") else None,
            extra=extra,
        )
    except ValueError as cause:
        raise WireError(f"chunk {position}: {cause}") from cause


def _spans(
    messages: Iterable[wire.ProvenanceSpan], unknown: bool
) -> list[PromptProvenanceSpan | SampledProvenanceSpan] | None:
    spans: list[PromptProvenanceSpan | SampledProvenanceSpan] = []
    for message in messages:
        source = message.WhichOneof("source")
        if source is None:
            raise WireError("a span is of a kind that this version does not know")
        kind = SampledProvenanceSpan if source == "sampled_tokens" else PromptProvenanceSpan
        part = message.sampled_tokens if source == "sampled_tokens" else message.prompt_tokens
        extra = unknown_of(message, source) if unknown else None
        try:
            spans.append(kind(part.sequence_id, part.offset, length=part.length, extra=extra))
        except ValueError as cause:
            raise WireError(str(cause)) from cause
    return spans or None
