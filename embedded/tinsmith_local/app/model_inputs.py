"""Model inputs on the wire as the engine's arrays: text, images, and errors that name the chunk."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.app.answers import Refusal
from tinsmith_local.engine.batch import ImageSpan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tinsmith_local.engine.config import ModelConfig

Where = tuple[str | int, ...]
"""Path to a field of a body."""
Tokens = npt.NDArray[np.int64]

MAX_PIXELS = 16 << 20
"""Larger images are refused before they are decoded."""


@attrs.frozen(eq=False)
class ModelTokens:
    """One model input as the engine takes it."""

    tokens: Tokens
    """[N], 0 at positions of images."""
    images: tuple[ImageSpan, ...]
    """Image positions, in order."""


def decode_input(
    model_input: Mapping[str, Any], config: ModelConfig, assets: Path, where: Where
) -> ModelTokens:
    """Decode a model input. Refuses with 400, naming the chunk."""
    parts: list[Tokens] = []
    images: list[ImageSpan] = []
    length = 0
    for index, chunk in enumerate(model_input["chunks"]):
        place = (*where, "chunks", index)
        if chunk["type"] == "encoded_text":
            part = _text(chunk["tokens"], config.vocab_size, (*place, "tokens"))
        elif chunk["type"] == "dmel":
            raise Refusal(400, f"{config.name} takes no audio", field=place)
        else:
            patches = _image(chunk, config, assets, place)
            images.append(ImageSpan(start=length, patches=patches))
            part = np.zeros(len(patches), np.int64)
        parts.append(part)
        length += len(part)
        if length > config.max_context:
            raise Refusal(
                400, f"longer than the context of {config.name}, {config.max_context} tokens", field=where
            )
    if length == 0:
        raise Refusal(400, "is empty", field=where)
    return ModelTokens(np.concatenate(parts), tuple(images))


def _text(tokens: Sequence[int] | Tokens, vocab_size: int, place: Where) -> Tokens:
    """Check tokens against the vocabulary."""
    found = int_array(tokens, place)
    outside = np.flatnonzero((found < 0) | (found >= vocab_size))
    if len(outside):
        at = int(outside[0])
        raise Refusal(400, f"token {found[at]} is outside the vocabulary of {vocab_size}", field=(*place, at))
    return found


def int_array(values: Any, place: Where) -> Tokens:
    """Read whole numbers. Refuses fractions and what does not fit 64 bits."""
    try:
        found = np.asarray(values) if len(values) else np.zeros(0, np.int64)
    except (ValueError, OverflowError):
        raise Refusal(400, "a number does not fit 64 bits", field=place) from None
    if found.dtype.kind == "f":
        bad = np.flatnonzero(~(np.isfinite(found) & (found == np.floor(found)) & (np.abs(found) < 2.0**63)))
        if len(bad):
            raise Refusal(
                400, f"{found[bad[0]]} is not a whole number of 64 bits", field=(*place, int(bad[0]))
            )
    elif found.dtype.kind not in "iu" or (found.dtype.kind == "u" and (found >= 2**63).any()):
        raise Refusal(400, "a number does not fit 64 bits", field=place)
    return found.astype(np.int64)


def _image(
    chunk: Mapping[str, Any], config: ModelConfig, assets: Path, place: Where
) -> npt.NDArray[np.float32]:
    """Decode an image to patches, and compare them with the number of positions that the client expects."""
    if not config.patch_dim:
        raise Refusal(400, f"{config.name} reads text only", field=place)
    if chunk["type"] == "image":
        try:
            data = base64.b64decode(chunk["data"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refusal(400, f"is not base64: {error}", field=(*place, "data")) from error
    else:
        data = _asset(str(chunk["location"]), assets, (*place, "location"))
    patches = read_image(data, str(chunk["format"]), config, place)
    expected = chunk.get("expected_tokens")
    if expected is not None and expected != len(patches):
        raise Refusal(
            400,
            f"the image takes {len(patches)} positions, expected_tokens says {expected}",
            field=(*place, "expected_tokens"),
        )
    return patches


def _asset(location: str, assets: Path, place: Where) -> bytes:
    """Read an image that a pointer names; only files below the assets directory are."""
    name = location.removeprefix("tinker://").removeprefix("assets/")
    root = assets.resolve()
    try:
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise Refusal(400, "there is no such image in the assets directory", field=place)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise Refusal(400, "there is no such image in the assets directory", field=place) from error


def read_image(data: bytes, kind: str, config: ModelConfig, place: Where) -> npt.NDArray[np.float32]:
    """Return [positions, patch_dim]: squares in reading order, RGB as -1..1, edges filled with 0."""
    from PIL import Image, UnidentifiedImageError

    side = int((config.patch_dim // 3) ** 0.5)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
                width, height = image.size
                if width * height > MAX_PIXELS or -(-width // side) * -(-height // side) > config.max_context:
                    raise Refusal(400, f"an image of {width} x {height} is too large", field=place)
                pixels = np.asarray(image.convert("RGB"), np.float32) / np.float32(127.5) - np.float32(1)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise Refusal(400, f"is not a {kind} image", field=(*place, "data")) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refusal(400, f"is not a readable {kind} image", field=(*place, "data")) from error
    rows, columns = -(-height // side), -(-width // side)
    padded = np.zeros((rows * side, columns * side, 3), np.float32)
    padded[:height, :width] = pixels
    patches = padded.reshape(rows, side, columns, side, 3).swapaxes(1, 2)
    return np.ascontiguousarray(patches.reshape(rows * columns, config.patch_dim))
