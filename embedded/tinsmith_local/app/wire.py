"""The two encodings: which one a request has, what it holds, and which one its result gets.

Batches may come as protobuf, any body may come packed with zstd, and results of batches and samples go out as
protobuf to clients that accept it. Nothing behind this module knows in which encoding a request came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
from tinsmith.core.codec.encode import encode_result, to_wire
from tinsmith.core.codec.wire import CONTENT_TYPES, Encoding, decompress, encoding_of
from tinsmith.core.errors import BodyTooLargeError, InputError
from tinsmith.core.values import ForwardRequest
from tinsmith_api.operations import OPERATIONS

from tinsmith_local.app.answers import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from tinsmith_local.options import Wire

BATCHES = frozenset({"forward", "forward_backward"})
"""Operations that take nothing but protobuf where JSON is not spoken."""
PROTOBUF_BODIES = frozenset(each.id for each in OPERATIONS.values() if "request" in each.protobuf)
"""Operations whose body may be protobuf."""
PROTOBUF_RESULTS = frozenset(each.id for each in OPERATIONS.values() if "result" in each.protobuf)
"""Operations whose results may be protobuf."""
_SPANS = frozenset({"model_input_spans", "loss_fn_input_spans"})
"""Fields of a datum that exist in protobuf alone."""
_MARK = b"\x00protobuf\x00"
"""Prefix of a journalled protobuf body. No JSON text begins with it."""


def body_encoding(request: Request, operation: str, wire: Wire) -> Encoding:
    """Return how a body is written. Refuses with 415 what this service does not take."""
    kind = request.headers.get("content-type", "application/json")
    encoding = encoding_of(kind)
    takes = _taken(operation, wire)
    if encoding not in takes:
        names = " or ".join(CONTENT_TYPES[one] for one in takes)
        raise Refusal(415, f"bodies of {operation} are {names}, not {kind[:80]!r}")
    return encoding


def _taken(operation: str, wire: Wire) -> tuple[Encoding, ...]:
    """Return the encodings that an operation takes."""
    if operation in BATCHES and wire == "protobuf":
        return ("protobuf",)
    return ("json", "protobuf") if operation in PROTOBUF_BODIES and wire == "both" else ("json",)


def is_packed(request: Request, wire: Wire) -> bool:
    """Whether a body is packed with zstd. Refuses other codings with 415."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding == "identity":
        return False
    if coding != "zstd" or wire == "json":
        known = "not compressed" if wire == "json" else "plain or zstd"
        raise Refusal(415, f"bodies are {known}, not {coding[:80]!r}")
    return True


def unpack(raw: bytes, limit_bytes: int) -> bytes:
    """Unpack a zstd body. Refuses with 413 what grows beyond the limit, with 400 what is damaged."""
    try:
        return decompress(raw, limit_bytes)
    except BodyTooLargeError as error:
        reason = f"the body unpacks to more than {limit_bytes} bytes; send less at a time"
        raise Refusal(413, reason) from error
    except InputError as error:
        raise Refusal(400, f"the body cannot be unpacked: {error}", kind="zstd_invalid") from error


def read_batch(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Decode a protobuf batch: return its operation, and its body as JSON would have it."""
    from tinsmith.core.codec.proto_requests import decode_training_request

    try:
        found = decode_training_request(raw)
        body = dict(to_wire(found))
    except InputError as error:
        field = [part for part in ("data", error.datum, error.field) if part is not None]
        where = tuple(field) if error.datum is not None else tuple(field[1:])
        raise Refusal(400, str(error), field=where, kind="protobuf_invalid") from error
    operation = "forward" if isinstance(found, ForwardRequest) else "forward_backward"
    return operation, body


def without_spans(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a batch without the spans of its tokens: JSON has no such fields, and nothing reads them."""
    key = "forward_input" if "forward_input" in body else "forward_backward_input"
    data = [
        {name: value for name, value in datum.items() if name not in _SPANS} for datum in body[key]["data"]
    ]
    return {**body, key: {**body[key], "data": data}}


def canonical(body: Mapping[str, Any]) -> bytes:
    """Write a decoded batch in one way only, so that equal content is recognised."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY)


def mark(raw: bytes) -> bytes:
    """Mark a protobuf body for the journal."""
    return _MARK + raw


def unmarked(journalled: bytes) -> bytes | None:
    """Return the protobuf body of a journal entry; None for a JSON one."""
    return journalled.removeprefix(_MARK) if journalled.startswith(_MARK) else None


def result_encoding(accept: str, operation: str, wire: Wire) -> Encoding:
    """Choose how a result is written: as the client accepts it, where the service speaks both."""
    if operation not in PROTOBUF_RESULTS or wire == "json":
        return "json"
    return "protobuf" if wire == "protobuf" or _prefers_protobuf(accept) else "json"


def _prefers_protobuf(accept: str) -> bool:
    """Whether protobuf is named, and is as welcome as JSON."""
    weights: dict[Encoding, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        encoding = encoding_of(name) if name else None
        if encoding is not None:
            weights[encoding] = max(weights.get(encoding, 0.0), _quality(parameters))
    return weights.get("protobuf", 0.0) > 0 and weights["protobuf"] >= weights.get("json", 0.0)


def _quality(parameters: list[str]) -> float:
    """Read the weight of a media type."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def to_protobuf(operation: str, result: bytes) -> bytes:
    """Write a kept result as protobuf."""
    value = decode_sample(result) if operation == "asample" else decode_forward_backward(result)
    return encode_result(value, "protobuf")
