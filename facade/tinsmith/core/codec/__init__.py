"""Values to bytes and back, in JSON and in protobuf. Owns the wire form of values; knows no URL or header.

Only batches, and the results of batches and samples, have a protobuf form. Its library, and zstd's, are
loaded by the first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith.core.codec.answers import to_value
from tinsmith.core.codec.decode import (
    decode_chunk,
    decode_datum,
    decode_forward_backward,
    decode_model_input,
    decode_sample,
    decode_tensor,
    loads,
)
from tinsmith.core.codec.encode import (
    encode_body,
    encode_datum,
    encode_forward_backward,
    encode_optim_step,
    encode_sample,
    to_wire,
)
from tinsmith.core.codec.wire import (
    ACCEPT_BOTH,
    CONTENT_TYPES,
    Encoding,
    Payload,
    ProtobufPayload,
    compress,
    decompress,
    encoding_of,
)

if TYPE_CHECKING:
    from tinsmith.core.values.requests import ForwardBackwardRequest, ForwardRequest
    from tinsmith.core.values.results import ForwardBackwardOutput, SampleResponse


def encode_result(value: ForwardBackwardOutput | SampleResponse, encoding: Encoding = "json") -> bytes:
    """Return a result as a server writes it."""
    if encoding == "json":
        return encode_body(value)
    from tinsmith.core.codec import proto_results

    return proto_results.encode_result(value)


def decode_training_request(body: bytes) -> ForwardRequest | ForwardBackwardRequest:
    """Build the request that a protobuf body of forward_backward holds; an error names datum and field."""
    from tinsmith.core.codec import proto_requests

    return proto_requests.decode_training_request(body)


__all__ = [
    "ACCEPT_BOTH",
    "CONTENT_TYPES",
    "Encoding",
    "Payload",
    "ProtobufPayload",
    "compress",
    "decode_chunk",
    "decode_datum",
    "decode_forward_backward",
    "decode_model_input",
    "decode_sample",
    "decode_tensor",
    "decode_training_request",
    "decompress",
    "encode_body",
    "encode_datum",
    "encode_forward_backward",
    "encode_optim_step",
    "encode_result",
    "encode_sample",
    "encoding_of",
    "loads",
    "to_value",
    "to_wire",
]
