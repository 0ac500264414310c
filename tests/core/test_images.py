"""Image sizes from headers, estimates, and warnings about inputs."""

from __future__ import annotations

import doctest
import io
from typing import Any, cast

import pytest
from tinsmith.core import checks
from tinsmith.core.config import ChunkLimits
from tinsmith.core.errors import InputError
from tinsmith.core.values import (
    EncodedTextChunk,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInput,
    UnknownChunk,
)


def picture(width: int, height: int, format: str, **options: Any) -> bytes:
    """Encode a real image."""
    pil = pytest.importorskip("PIL.Image")
    buffer = io.BytesIO()
    pil.new("RGB", (width, height)).save(buffer, format=format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "options", [{"format": "png"}, {"format": "jpeg"}, {"format": "jpeg", "progressive": True}]
)
def test_the_size_is_read_from_real_files(options: dict[str, Any]) -> None:
    """PNG, plain JPEG and progressive JPEG."""
    assert checks.image_size(picture(57, 31, **options), options["format"]) == (57, 31)


def frame(marker: int) -> bytes:
    """Write a JPEG frame header of 2 x 3 pixels."""
    return bytes([0xFF, marker, 0, 11, 8, 0, 3, 0, 2])


@pytest.mark.parametrize(
    "middle",
    [
        b"",
        b"\xff\xff\xff",
        b"\xff\xd0\xff\x01",
        b"\xff\xe0\x00\x04ab",
        b"\xff\xc4\x00\x02",
        b"\xff\xfe\x00\x00",
    ],
)
def test_the_frame_header_is_found_behind_anything(middle: bytes) -> None:
    """Fill bytes, markers without a length, segments, tables, and a length that is none."""
    assert checks.image_size(b"\xff\xd8\xff"[:2] + (middle or b"\xff\xe0\x00\x02") + frame(0xC2), "jpeg") == (
        2,
        3,
    )


@pytest.mark.parametrize(
    ("data", "format", "problem"),
    [
        (b"GIF89a", "png", "neither PNG nor JPEG"),
        (b"\x89PNG\r\n\x1a\n", "jpeg", "not jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png", "damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "png", "damaged"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(8), "png", "damaged"),
        (b"\xff\xd8\xff\xe0\x00\x02junk-junk-junk", "jpeg", "damaged"),
        (b"\xff\xd8\xff\xe0", "jpeg", "damaged"),
    ],
)
def test_a_damaged_image_is_refused(data: bytes, format: str, problem: str) -> None:
    """Another format, a cut header, no header, no pixels."""
    with pytest.raises(InputError, match=problem):
        checks.image_size(data, cast("Any", format))


@pytest.mark.parametrize(
    ("width", "height", "tile", "tokens"),
    [(28, 28, 28, 1), (29, 28, 28, 2), (1, 1, 28, 1), (57, 57, 28, 9), (8, 8, 4, 4)],
)
def test_an_estimate_counts_started_squares(width: int, height: int, tile: int, tokens: int) -> None:
    """One position a square, also for the part of one."""
    assert checks.estimate_image_tokens(picture(width, height, "png"), "png", tile_px=tile) == tokens


def test_a_square_has_a_side() -> None:
    """Nothing is divided by zero."""
    with pytest.raises(InputError, match="above 0"):
        checks.estimate_image_tokens(b"", "png", tile_px=0)


def test_the_example_in_the_docstring_is_true() -> None:
    """It is run."""
    assert doctest.testmod(checks).failed == 0
    assert doctest.testmod(checks).attempted == 3


def test_good_inputs_bring_no_warning() -> None:
    """Text, and images that say their length."""
    chunks = [EncodedTextChunk([1]), ImageChunk(b"x", "png", 1), ImageAssetPointerChunk("png", "a", 1)]
    assert checks.validate_model_input(ModelInput(cast("Any", chunks))) == []


@pytest.mark.parametrize(
    ("chunk", "limits", "problem"),
    [
        (ImageChunk(b"x", "png"), None, "chunk 1 is an image without expected_tokens"),
        (ImageAssetPointerChunk("png", "a"), None, "chunk 1 is an image without expected_tokens"),
        (UnknownChunk({"type": "dmel"}), None, "chunk 1 is of an unknown kind, 'dmel'"),
        (ImageChunk(bytes(9), "png", 1), ChunkLimits(max_items=9), "counts 10, and a request holds 9"),
        (ImageChunk(bytes(51 * 1024 * 1024), "png", 1), None, "servers refuse bodies above"),
    ],
)
def test_what_may_be_refused_is_warned_of(chunk: Any, limits: ChunkLimits | None, problem: str) -> None:
    """Each warning names the chunk or the size, and comes back as text too."""
    with pytest.warns(UserWarning, match=problem) as caught:
        problems = checks.validate_model_input(ModelInput([EncodedTextChunk([1]), chunk]), limits=limits)
    assert [str(warning.message) for warning in caught] == problems
    assert len(problems) == 1
