"""Real messages, damaged: each is a value or an error of ours, and takes memory in proportion to its size."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core import values
from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
from tinsmith.core.codec.encode import encode_result
from tinsmith.core.codec.proto_requests import decode_training_request
from tinsmith.core.codec.wire import ProtobufPayload, compress, decompress
from tinsmith.core.errors import APIResponseValidationError, InputError, TinkerError

from tests.core.wire_values import SAMPLE, outputs

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = {path.stem: path.read_bytes() for path in (Path(__file__).parent / "wire_golden").glob("*.bin")}
"""Messages as the official client and this one write them."""
SIZES = [0, 1, 127, 128, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]


def varint(number: int) -> bytes:
    """Write a number as lengths and tags are written."""
    written = b""
    while number > 127:
        written += bytes([number & 127 | 128])
        number >>= 7
    return written + bytes([number])


SPLICE = (
    st.binary(max_size=8)
    | st.sampled_from(SIZES).map(varint)
    | st.sampled_from([2**63, 2**64 - 1, 0, 8, 2**62, 2**63 - 1]).map(lambda n: n.to_bytes(8, "little"))
)
DAMAGE = st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 12), SPLICE), min_size=1, max_size=4)


def damaged(body: bytes, damage: list[tuple[int, int, bytes]]) -> bytes:
    """Cut bytes out and put others in."""
    for at, cut, put in damage:
        at %= len(body) + 1
        body = body[:at] + put + body[at + cut :]
    return body


DECODERS: dict[str, Callable[[bytes], Any]] = {
    "request": decode_training_request,
    "output": lambda body: decode_forward_backward(ProtobufPayload(body), 2),
    "sample": lambda body: decode_sample(ProtobufPayload(body), 2),
}


@pytest.fixture(autouse=True, scope="module")
def _traced() -> Any:
    """Count what Python and numpy hold."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def most_held(call: Callable[[], Any]) -> int:
    """Return how much a call holds at its worst; errors of ours are what it may raise."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    with suppress(InputError, APIResponseValidationError):
        call()
    return tracemalloc.get_traced_memory()[1] - before


@pytest.mark.parametrize("name", sorted(GOLDEN))
@given(damage=DAMAGE)
def test_a_damaged_message_is_a_value_or_a_typed_error(
    name: str, damage: list[tuple[int, int, bytes]]
) -> None:
    """Lengths, tags, offsets, counts and shapes that lie; a count costs at most 100 000 empty datums."""
    decode = DECODERS[name.split("-")[1]]
    body = damaged(GOLDEN[name], damage)
    assert most_held(lambda: decode(body)) < 10_000_000 + 100 * len(body)


@given(damage=DAMAGE)
def test_a_damaged_frame_is_bytes_or_a_typed_error(damage: list[tuple[int, int, bytes]]) -> None:
    """Zstd too, within its cap."""
    body = damaged(b"".join(compress(GOLDEN.values())), damage)
    assert most_held(lambda: decompress(body, 100_000)) < 1_000_000


ANYTHING: list[Any] = [None, True, -1, 1.5, 1e308, 2**63, "", "a", [], {}, [[]], [None], ["a"], {"a": 1}]
WRONG = st.sampled_from([*ANYTHING, [2**62, 2], [-1], ["a", 2**40]])


def places(part: Any) -> list[tuple[Any, Any]]:
    """List every place in a document."""
    keys = part.keys() if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    return [place for key in keys for place in ((part, key), *places(part[key]))]


@given(value=outputs() | SAMPLE, at=st.lists(st.integers(0, 10_000), min_size=1, max_size=3), wrong=WRONG)
def test_a_damaged_document_is_a_value_or_a_typed_error(value: Any, at: list[int], wrong: Any) -> None:
    """Anything in the place of anything; what comes out is usable, or says that it is not."""
    document = orjson.loads(encode_result(value))
    for number in at:
        found = places(document)
        holder, key = found[number % len(found)]
        holder[key] = orjson.loads(orjson.dumps(wrong))
    decode: Any = decode_sample if isinstance(value, values.SampleResponse) else decode_forward_backward
    with suppress(APIResponseValidationError):
        read = decode(document)
        tensors = [tensor for output in getattr(read, "loss_fn_outputs", ()) for tensor in output.values()]
        for tensor in filter(None, (*tensors, getattr(read, "target_prompt_logprobs", None))):
            with suppress(TinkerError):
                tensor.to_numpy()
