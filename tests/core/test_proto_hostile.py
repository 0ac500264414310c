"""Bodies made to harm: each is a typed error that says where, and none takes more memory than its size."""

from __future__ import annotations

import importlib
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.codec import protobuf
from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
from tinsmith.core.codec.proto_requests import decode_training_request
from tinsmith.core.codec.protobuf import WireError, parse
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith.core.errors import APIResponseValidationError, InputError, TinkerError
from tinsmith_api.wire import tinker_wire_pb2 as wire

if TYPE_CHECKING:
    from collections.abc import Callable

ONES = np.ones(2, "<f4").tobytes()


def int64s(*numbers: int) -> bytes:
    """Return numbers as the wire has them."""
    return np.array(numbers, "<i8").tobytes()


def request(**fields: Any) -> wire.ForwardBackwardRequest:
    """Return a request whose second datum has one tensor with the given fields, or a sound one."""
    message = wire.ForwardBackwardRequest(model_id="m", loss_fn="ppo")
    message.data.add()
    tensor = wire.Tensor(**{"dense": ONES, "dtype": wire.DTYPE_FLOAT32, **fields})
    message.data.add().loss_fn_inputs["weights"].CopyFrom(tensor)
    return message


SPARSE = {
    "rows": (b"", b"", b"", [1, 2]),
    "start": (ONES, int64s(1, 2), int64s(0, 1), [1, 2]),
    "end": (ONES, int64s(0, 3), int64s(0, 1), [1, 2]),
    "backwards": (ONES, int64s(0, 3, 2), int64s(0, 1), [2, 2]),
    "column": (ONES, int64s(0, 2), int64s(0, 2), [1, 2]),
    "negative column": (ONES, int64s(0, 2), int64s(-1, 1), [1, 2]),
    "too few columns": (ONES, int64s(0, 2), int64s(0), [1, 2]),
    "no shape": (ONES, int64s(0, 2), int64s(0, 1), []),
    "huge rows": (b"", int64s(0, 0), b"", [2**62, 2]),
    "cut index": (ONES, int64s(0, 2)[:-1], int64s(0, 1), [1, 2]),
}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"dense": ONES[:-1]}, "7 bytes are no whole number of elements of float32"),
        ({"dense": b"\0" * 12, "dtype": wire.DTYPE_INT64}, "12 bytes are no whole number"),
        ({"dtype": wire.DTYPE_UNSPECIFIED}, "element type 0"),
        ({"dtype": 77}, "element type 77"),
        ({"shape": [3]}, "has 2 numbers, but shape"),
        ({"shape": [-1, -2]}, "impossible shape"),
        ({"shape": [2**62, 2**62]}, "has 2 numbers, but shape"),
        ({"shape": [1] * 65 + [2]}, "impossible shape"),
        ({"dense": np.array([1, np.nan], "<f4").tobytes()}, "element 1 is nan"),
        ({"dense": np.array([np.inf, 1], "<f4").tobytes()}, "element 0 is inf"),
        ({"dense": np.array([0x7F80, 0], "<u2").tobytes(), "dtype": wire.DTYPE_BFLOAT16}, "element 0 is inf"),
    ],
)
def test_a_wrong_tensor_names_datum_and_field(fields: dict[str, Any], problem: str) -> None:
    """Bytes, type and shape that disagree, and numbers that are none."""
    with pytest.raises(InputError, match=problem) as caught:
        decode_training_request(request(**fields).SerializeToString())
    assert (caught.value.datum, caught.value.field) == (1, "weights")


@pytest.mark.parametrize("kind", SPARSE)
def test_sparse_indices_are_held_against_the_shape(kind: str) -> None:
    """Rows that do not begin at 0, end elsewhere, run backwards; columns that do not exist."""
    values, rows, columns, shape = SPARSE[kind]
    message = request()
    tensor = message.data[1].loss_fn_inputs["weights"]
    tensor.sparse_csr.values, tensor.sparse_csr.crow_indices, tensor.sparse_csr.col_indices = (
        values,
        rows,
        columns,
    )
    tensor.shape.extend(shape)
    with pytest.raises(InputError, match=r"sparse|whole number") as caught:
        decode_training_request(message.SerializeToString())
    assert (caught.value.datum, caught.value.field) == (1, "weights")


def _no_values(message: wire.ForwardBackwardRequest) -> None:
    message.data[1].loss_fn_inputs["weights"].ClearField("dense")


def _cut_tokens(message: wire.ForwardBackwardRequest) -> None:
    message.data[1].model_input.add().encoded_text.tokens = b"\1\0\0"


def _new_chunk(message: wire.ForwardBackwardRequest) -> None:
    message.data[1].model_input.add()


def _new_format(message: wire.ForwardBackwardRequest) -> None:
    message.data[1].model_input.add().image.format = "webp"


def _backward_span(message: wire.ForwardBackwardRequest) -> None:
    message.data[1].model_input_spans.add().prompt_tokens.offset = -1


def _new_span(message: wire.ForwardBackwardRequest) -> None:
    message.data[1].loss_fn_input_spans.add()


def _two_numbers(message: wire.ForwardBackwardRequest) -> None:
    message.loss_fn_config["beta"] = 1
    message.loss_fn_config_v2["beta"].number = 2


def _no_setting(message: wire.ForwardBackwardRequest) -> None:
    message.loss_fn_config_v2["beta"].SetInParent()


def _endless_setting(message: wire.ForwardBackwardRequest) -> None:
    message.loss_fn_config["beta"] = float("inf")


@pytest.mark.parametrize(
    ("spoil", "datum", "field", "problem"),
    [
        (_no_values, 1, "weights", "no values"),
        (_cut_tokens, 1, "model_input", "chunk 0: 3 bytes"),
        (_new_chunk, 1, "model_input", "chunk 0: is of a kind"),
        (_new_format, 1, "model_input", "chunk 0: .*webp"),
        (_backward_span, 1, "model_input_spans", ">= 0|at least 0"),
        (_new_span, 1, "loss_fn_input_spans", "of a kind"),
        (_two_numbers, None, "loss_fn_config.beta", "two values"),
        (_no_setting, None, "loss_fn_config.beta", "neither a number nor text"),
        (_endless_setting, None, "loss_fn_config.beta", "is inf"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    spoil: Callable[[wire.ForwardBackwardRequest], None], datum: int | None, field: str, problem: str
) -> None:
    """Never guessed, never left out: the field is named."""
    message = request()
    spoil(message)
    with pytest.raises(InputError, match=problem) as caught:
        decode_training_request(message.SerializeToString())
    assert (caught.value.datum, caught.value.field) == (datum, field)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"\x0a\x05ab", "ends inside a field"),
        (b"\x0a", "ends inside a field"),
        (b"\x0a\xff", "ends inside a field"),
        (b"\x09\x00", "ends inside a field"),
        (b"\x0d\x00", "ends inside a field"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "ends inside a field"),
        (b"\x10" + b"\xff" * 12, "longer than 64 bits"),
        (b"\x0b\x0c", "wire type 3"),
        (b"\x0f", "wire type 7"),
        (b"\x0a\x02\xff\xfe", "is no ForwardBackwardRequest"),
        (b"\x00\x00", "is no ForwardBackwardRequest"),
        (b"\x2a\x03\x0a\x01a" * 2, "names 'a' twice in one map"),
        (b"\x2a\x00" * 2, "names '' twice in one map"),
        (b"\x1a\x0e" + b"\x12\x05\x0a\x01w\x12\x00" * 2, "names 'w' twice in one map"),
        (b'{"model_id"}', "wire type 3"),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else "",
)
def test_a_broken_body_is_one_clear_error(body: bytes, problem: str) -> None:
    """Cut, overlong, ambiguous, no text, too much structure, or no protobuf at all."""
    with pytest.raises(InputError, match=problem) as caught:
        decode_training_request(body)
    assert caught.value.field == "body"
    with pytest.raises(APIResponseValidationError):
        decode_sample(ProtobufPayload(body))


@pytest.mark.parametrize(
    "body",
    [b"\x1a\x00" * 51, b"\x1a\x66" + b"\x0a\x00" * 51, b"\x1a\x3a\x12\x38\x12\x36\x22\x34" + b"\x01" * 52],
)
def test_structure_is_counted(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty datums, empty chunks and sizes of a shape all count against the limit."""
    monkeypatch.setattr(protobuf, "MAX_FIELDS", 50)
    with pytest.raises(InputError, match="more than 50 fields"):
        decode_training_request(body)


@pytest.mark.parametrize(
    ("body", "decode"),
    [
        (b"\x1a\x00" * 3, decode_training_request),
        (b"\x0a\x00" * 3, lambda body: decode_sample(ProtobufPayload(body))),
        (b"\x12\x00" * 3, lambda body: decode_forward_backward(ProtobufPayload(body))),
    ],
)
def test_entries_are_counted(
    body: bytes, decode: Callable[[bytes], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Datums, sequences and records each become several objects, so that fewer of them are taken."""
    importlib.import_module("tinsmith.core.codec.proto_results")  # which would keep the small number
    monkeypatch.setattr(protobuf, "MAX_ENTRIES", 2)
    with pytest.raises((InputError, APIResponseValidationError), match="more than 2 datums or sequences"):
        decode(body)


@given(cut=st.integers(0, 200), flip=st.integers(0, 255), junk=st.binary(max_size=8))
def test_no_damage_ends_in_anything_but_a_typed_error(cut: int, flip: int, junk: bytes) -> None:
    """Cut anywhere, one byte changed, something appended: a value, or an error of ours."""
    message = request()
    message.data[1].model_input.add().encoded_text.tokens = ONES
    message.data[1].model_input.add().image.format = "png"
    message.loss_fn_config_v2["beta"].number = 1.0
    whole = bytearray(message.SerializeToString(deterministic=True))
    whole[cut % len(whole)] ^= flip
    for body in (bytes(whole), bytes(whole[: cut % len(whole)]) + junk):
        for decode in (
            decode_training_request,
            lambda data: decode_sample(ProtobufPayload(data)),
            lambda data: decode_forward_backward(ProtobufPayload(data)),
        ):
            with suppress(TinkerError):
                decode(body)


def test_a_message_that_only_the_parser_refuses() -> None:
    """What passes the walk and not the parser is the same error."""
    with pytest.raises(WireError, match="is no Datum"):
        parse(wire.Datum, b"\x1a\x05\x0a\x03\x0a\x01\xff")


BOMBS = """
import resource, sys
import numpy
from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
from tinsmith.core.codec.proto_requests import decode_training_request
from tinsmith.core.codec.wire import ProtobufPayload, compress, decompress
from tinsmith.core.errors import TinkerError
decode_training_request(b"")
list(compress([b"x"]))
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
body = {bomb}
before = peak()
try:
    {call}
except TinkerError as error:
    print(peak() - before, type(error).__name__)
"""


@pytest.mark.parametrize(
    ("bomb", "call"),
    [
        (r'b"\x1a\x00" * 8_000_000', "decode_training_request(body)"),
        (r'b"\x1a\x80\x80\x80\x04" + b"\x0a\x00" * (1 << 22)', "decode_training_request(body)"),
        (
            r'b"\x1a\x8f\x80\x80\x04\x12\x8a\x80\x80\x04\x12\x85\x80\x80\x04\x22\x80\x80\x80\x04"'
            r' + b"\x01" * (1 << 23)',
            "decode_training_request(body)",
        ),
        (r'b"\x1a\x00" * 1_900_000', "decode_training_request(body)"),
        (r'b"\x0a\x00" * 1_900_000', "decode_sample(ProtobufPayload(body))"),
        (r'b"\x12\x04\x18\xa0\x8d\x06" * 90_000', "decode_forward_backward(ProtobufPayload(body))"),
        (
            'b"".join(compress([bytes(1 << 20)] * 1024))',
            "decompress(body, 1 << 24)",
        ),
    ],
    ids=[
        "empty datums",
        "empty chunks",
        "endless shape",
        "as many empty datums as fields",
        "empty sequences",
        "records that claim datums",
        "zstd",
    ],
)
def test_a_bomb_stays_small(bomb: str, call: str) -> None:
    """A few megabytes that would unfold to a gigabyte add less than 64 MiB to the process."""
    code = BOMBS.format(bomb=bomb, call=call)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    grown, name = done.stdout.split()
    assert name in {"InputError", "BodyTooLargeError", "APIResponseValidationError"}
    assert int(grown) < 64
