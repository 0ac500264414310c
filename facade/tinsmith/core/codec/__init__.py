"""Values to bytes and back, in JSON. Owns the wire form of every value; knows neither URLs nor headers."""

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
from tinsmith.core.codec.structure import to_value

__all__ = [
    "decode_chunk",
    "decode_datum",
    "decode_forward_backward",
    "decode_model_input",
    "decode_sample",
    "decode_tensor",
    "encode_body",
    "encode_datum",
    "encode_forward_backward",
    "encode_optim_step",
    "encode_sample",
    "loads",
    "to_value",
    "to_wire",
]
