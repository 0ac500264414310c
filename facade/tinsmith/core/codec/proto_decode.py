"""Protobuf batches to values, as a server reads them. Errors name the datum and the field."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tinsmith_api.wire import tinker_wire_pb2 as wire

from tinsmith.core.checks import check_numbers
from tinsmith.core.codec.guard import WireError, parse
from tinsmith.core.codec.proto_arrays import from_bytes, read_tensor
from tinsmith.core.codec.proto_unknown import unknown_of
from tinsmith.core.errors import InputError
from tinsmith.core.values.chunks import DmelChunk, EncodedTextChunk, ImageChunk
from tinsmith.core.values.datum import Datum
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.provenance import PromptProvenanceSpan, SampledProvenanceSpan
from tinsmith.core.values.requests import ForwardBackwardInput, ForwardBackwardRequest, ForwardRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tinsmith.core.values.chunks import ModelInputChunk


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
    """Join both fields of the loss's settings; a number that stands in both must be the same."""
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
