"""The length of sound, read from the head of its container."""

from __future__ import annotations

import pytest
from tinsmith import InputError
from tinsmith.core.checks import check_batch, known_length
from tinsmith.core.chunking import count_chunk
from tinsmith.core.values import Datum, DmelChunk, ModelInput

HEADS = [
    (bytes([0, 1, 7]), 7),
    (bytes([7, 2, 100, 80]) + b"numbers", 100),
    (bytes([254, 3, 1, 5]), 5),
    (bytes([0, 2, 0x80, 0x01, 80]), 128),
    (bytes([0, 2, 0xAC, 0x02, 80]), 300),
]


@pytest.mark.parametrize(("data", "length"), HEADS)
def test_the_first_dimension_is_the_length(data: bytes, length: int) -> None:
    """With and without the mark of a constant, in one byte and in more."""
    chunk = DmelChunk(data)
    assert chunk.length == length
    assert known_length(ModelInput([chunk, chunk])) == 2 * length
    assert count_chunk(chunk) == len(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "ends early"),
        (bytes([254]), "ends early"),
        (bytes([8, 1, 7]), "8 is no element type"),
        (bytes([254, 254, 1, 7]), "254 is no element type"),
        (bytes([0]), "does not end"),
        (bytes([0, 0]), "no dimension"),
        (bytes([0, 1]), "does not end"),
        (bytes([0, 1, 0x80]), "does not end"),
        (bytes([0, 1]) + b"\x80" * 11 + b"\x01", "does not end"),
    ],
)
def test_a_damaged_head_is_refused(data: bytes, problem: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(InputError, match=problem) as caught:
        _ = DmelChunk(data).length
    assert caught.value.field == "dmel"


def test_a_damaged_head_in_a_batch_names_its_datum() -> None:
    """The datum, and that it is the sound in it."""
    good, bad = (
        Datum(loss_fn_inputs={"target_tokens": [1]}, model_input=ModelInput([DmelChunk(data)]))
        for data in (bytes([0, 1, 1]), b"wav")
    )
    with pytest.raises(
        InputError, match=r"^datum 1, field 'dmel': the head of the dmel container "
    ) as caught:
        check_batch([good, bad], "cross_entropy")
    assert (caught.value.datum, caught.value.field) == (1, "dmel")


def test_sound_is_given_as_bytes_or_base64() -> None:
    """As images are; anything else is named."""
    assert DmelChunk("AAEH") == DmelChunk(bytearray([0, 1, 7]))
    for wrong in ("not base64!", 7):
        with pytest.raises(InputError, match="base64") as caught:
            DmelChunk(wrong)  # type: ignore[arg-type]
        assert caught.value.field == "dmel"
