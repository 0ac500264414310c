"""The pieces of a model input: text, images, pointers to images, sound, and kinds not known here.

Owns their fields and lengths. `ImageChunk.from_path` is the one place in core that opens a file, at
the caller's word.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs
from tinsmith_api.model import Model, Value
from tinsmith_api.ownership import is_array, own_array, own_fields

from tinsmith.core.errors import InputError, MissingExtraError
from tinsmith.core.sound import sound_length

if TYPE_CHECKING:
    from PIL.Image import Image
else:  # annotations can be read without the libraries
    Image = Any

ImageFormat = Literal["png", "jpeg"]
"""Image encodings that the API takes."""

_SIGNATURES: dict[bytes, ImageFormat] = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}


def _image_bytes(data: bytes | bytearray | memoryview | str) -> bytes:
    return _bytes(data, "image data", "data")


def _sound_bytes(data: bytes | bytearray | memoryview | str) -> bytes:
    return _bytes(data, "sound", "dmel")


def _bytes(data: bytes | bytearray | memoryview | str, what: str, field: str) -> bytes:
    """Take raw bytes, or standard base64 text."""
    if isinstance(data, str):
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as cause:
            raise InputError(f"{what} given as text must be standard base64", field=field) from cause
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise InputError(f"must be bytes or base64 text, not {type(data).__name__}", field=field)
    return bytes(data)


def _image_format(name: str) -> str:
    if name not in get_args(ImageFormat):
        raise InputError(f"unknown image format {name!r}; the API takes png and jpeg", field="format")
    return name


def sniff_format(data: bytes) -> ImageFormat:
    """Tell png from jpeg by the first bytes."""
    for start, name in _SIGNATURES.items():
        if data.startswith(start):
            return name
    raise InputError("the image is neither PNG nor JPEG", field="format")


def _needs_length(kind: str, expected_tokens: int | None) -> int:
    if expected_tokens is None:
        raise InputError(
            f"the length of an {kind} is unknown until expected_tokens is set", field="expected_tokens"
        )
    return expected_tokens


def _token_ids(tokens: Any) -> Any:
    """Copy a flat sequence of token ids; what cannot be one is refused with what to pass instead."""
    if is_array(tokens) and tokens.ndim == 1:
        return own_array(tokens)
    if type(tokens) is not list:
        tokens = _as_sequence(tokens)
    if len(tokens) and (isinstance(tokens[0], (list, tuple, Mapping)) or is_array(tokens[0])):
        raise InputError(
            "must be a flat list of token ids, not a list of lists; make one input a row", field="tokens"
        )
    return list(tokens) if type(tokens) is list else tokens


def _as_sequence(tokens: Any) -> Any:
    """Return what is no list of Python as a list, a tuple or a range."""
    kind = type(tokens).__name__
    instead = "a list of whole numbers"
    if isinstance(tokens, Mapping):
        instead = "its 'input_ids'" if "input_ids" in tokens else instead
    elif isinstance(tokens, str):
        instead = "what the tokenizer's encode() returns for it"
    elif isinstance(tokens, (tuple, range)):
        return tokens
    elif isinstance(tokens, Sequence) and not isinstance(tokens, (bytes, bytearray)):
        return list(tokens)
    elif (dimensions := getattr(tokens, "ndim", None)) is not None:
        if dimensions == 1:
            return tokens.tolist()
        kind, instead = f"{kind} of {dimensions} dimensions", "one row of it"
    raise InputError(f"must be a flat list of token ids, not a {kind}; pass {instead}", field="tokens")


def _same_tokens(one: Any, other: Any) -> bool:
    return list(one) == list(other)


@attrs.frozen(field_transformer=own_fields)
class EncodedTextChunk(Model):
    """Token ids of a stretch of text."""

    tokens: Sequence[int] = attrs.field(
        converter=_token_ids, eq=attrs.cmp_using(eq=_same_tokens, require_same_type=False)
    )
    """Token ids; a list, or a one-dimensional integer array."""
    type: Literal["encoded_text"] = "encoded_text"
    """Tag of this kind of chunk."""

    @property
    def length(self) -> int:
        """Positions that the chunk takes in the context."""
        return len(self.tokens)


@attrs.frozen(field_transformer=own_fields)
class ImageChunk(Model):
    """An image, encoded as PNG or JPEG."""

    data: bytes = attrs.field(converter=_image_bytes, repr=lambda data: f"<{len(data)} bytes>")
    """The file's bytes; the constructor takes standard base64 text too."""
    format: ImageFormat = attrs.field(converter=_image_format)
    """`png` or `jpeg`."""
    expected_tokens: int | None = None
    """Positions that the image will take; the server checks it, and may refuse a mismatch."""
    type: Literal["image"] = "image"
    """Tag of this kind of chunk."""
    override_dimensions: tuple[int, int] | None = attrs.field(default=None, kw_only=True)
    """Width and height in pixels to scale to, in the binary encoding alone; None is the image's own."""

    @classmethod
    def from_base64(cls, text: str, format: ImageFormat, expected_tokens: int | None = None) -> ImageChunk:
        """Take standard base64 text."""
        return cls(text, format, expected_tokens)

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], expected_tokens: int | None = None) -> ImageChunk:
        """Read a PNG or JPEG file; the format is told by its first bytes."""
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as cause:
            raise InputError(
                f"cannot read the image {os.fspath(path)!r}: {cause.strerror}", field="data"
            ) from cause
        return cls(data, sniff_format(data), expected_tokens)

    @classmethod
    def from_pil(
        cls, image: Image, format: ImageFormat = "png", expected_tokens: int | None = None
    ) -> ImageChunk:
        """Encode a PIL image. Needs the `images` extra."""
        if not hasattr(image, "save"):
            raise MissingExtraError("ImageChunk.from_pil", "images")
        from io import BytesIO

        buffer = BytesIO()
        image.save(buffer, format=_image_format(format).upper())
        return cls(buffer.getvalue(), format, expected_tokens)

    @property
    def length(self) -> int:
        """Positions that the image takes in the context; an error unless expected_tokens is set."""
        return _needs_length("image", self.expected_tokens)


@attrs.frozen(field_transformer=own_fields)
class ImageAssetPointerChunk(Model):
    """An image that the server already has."""

    format: ImageFormat = attrs.field(converter=_image_format)
    """`png` or `jpeg`."""
    location: str
    """Where the server finds the image."""
    expected_tokens: int | None = None
    """Positions that the image will take."""
    type: Literal["image_asset_pointer"] = "image_asset_pointer"
    """Tag of this kind of chunk."""

    @property
    def length(self) -> int:
        """Positions that the image takes in the context; an error unless expected_tokens is set."""
        return _needs_length("image asset", self.expected_tokens)


@attrs.frozen(field_transformer=own_fields)
class DmelChunk(Model):
    """Sound, as mel spectrogram bins in the API's own container."""

    dmel: bytes = attrs.field(converter=_sound_bytes, repr=lambda data: f"<{len(data)} bytes>")
    """The container's bytes; the constructor takes standard base64 text too."""
    type: Literal["dmel"] = "dmel"
    """Tag of this kind of chunk."""

    @property
    def length(self) -> int:
        """Positions that the sound takes in the context: the first dimension, which the head tells."""
        return sound_length(self.dmel)


@attrs.frozen(field_transformer=own_fields)
class UnknownChunk(Value):
    """A chunk of a kind that this version does not know; kept as it came and sent back unchanged."""

    raw: Mapping[str, Any]
    """The chunk's JSON object."""

    @property
    def type(self) -> str:
        """Tag of the chunk, empty if it has none."""
        return str(self.raw.get("type", ""))

    @property
    def length(self) -> int:
        """Its `expected_tokens`, if it names any; else an error."""
        tokens = self.raw.get("expected_tokens")
        return _needs_length(f"{self.type or 'untagged'} chunk", tokens if isinstance(tokens, int) else None)

    def _named(self) -> Iterator[tuple[str, Any, object]]:
        return ((name, value, attrs.NOTHING) for name, value in self.raw.items())

    @classmethod
    def _of_mapping(cls, fields: Mapping[str, Any]) -> UnknownChunk:
        if not isinstance(fields.get("type"), str):
            raise InputError("a chunk of an unknown kind has a tag", field="type")
        return cls(fields)


ModelInputChunk = EncodedTextChunk | ImageChunk | ImageAssetPointerChunk | DmelChunk | UnknownChunk
"""One piece of a model input."""
