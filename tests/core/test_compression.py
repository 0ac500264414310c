"""zstd both ways: round trips, caps, and frames that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.codec.wire import compress, decompress
from tinsmith.core.errors import BodyTooLargeError, InputError

WHOLE = b"".join(compress([b"tin" * 1000]))


@given(pieces=st.lists(st.binary(max_size=300), max_size=5))
def test_pieces_survive_the_way(pieces: list[bytes]) -> None:
    """Any pieces come back joined, and the same pieces give the same bytes."""
    body = b"".join(compress(pieces))
    assert decompress(body, 2000) == b"".join(pieces)
    assert body == b"".join(compress(pieces))


def test_large_pieces_come_out_as_they_go_in() -> None:
    """What is compressed is given on before the end."""
    written = list(compress([bytes(range(256)) * 4096 for _ in range(4)]))
    assert len(written) > 1
    assert decompress(b"".join(written), 1 << 22) == bytes(range(256)) * 16384


def test_the_cap_counts_what_is_held() -> None:
    """Exactly the cap passes; one byte more does not, and the error says the cap."""
    assert decompress(WHOLE, 3000) == b"tin" * 1000
    with pytest.raises(BodyTooLargeError, match="2999") as caught:
        decompress(WHOLE, 2999)
    assert (caught.value.limit_bytes, caught.value.field) == (2999, "body")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "cut short"),
        (b"{}", "cut short|no zstd frame"),
        (b'{"model_id": 1}', "no zstd frame"),
        (WHOLE[:-1], "cut short"),
        (WHOLE[:3] + b"\xff" + WHOLE[4:], "no zstd frame"),
        (WHOLE + b"x", "1 bytes follow"),
        (WHOLE + WHOLE, "follow the zstd frame"),
        (b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(20), "no zstd frame"),  # a window of 2 GiB
    ],
)
def test_a_frame_that_is_none_is_bad_input(body: bytes, problem: str) -> None:
    """Nothing, no frame, half a frame, a damaged one, two, or one that asks for too large a window."""
    with pytest.raises(InputError, match=problem) as caught:
        decompress(body, 1 << 20)
    assert not isinstance(caught.value, BodyTooLargeError)
    assert caught.value.field == "body"
