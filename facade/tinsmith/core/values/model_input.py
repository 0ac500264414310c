"""ModelInput and its chunks: text, images, pointers to images, sound, and kinds not known here.

Owns their fields and lengths.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs
from tinsmith_api.model import Model, Value
from tinsmith_api.reading import own_fields, taking

from tinsmith.core.errors import InputError
from tinsmith.core.inputs import (
    ImageFormat,
    dmel_bytes,
    dmel_length,
    image_bytes,
    image_encoded,
    image_file,
    image_format,
    required_length,
    same_tokens,
    sniff_format,
    token_ids,
)

if TYPE_CHECKING:
    from PIL.Image import Image
else:  # annotations can be read without the libraries
    Image = Any


@attrs.frozen(field_transformer=own_fields)
class EncodedTextChunk(Model):
    """Token ids of a stretch of text."""

    tokens: Sequence[int] = attrs.field(
        converter=token_ids, eq=attrs.cmp_using(eq=same_tokens, require_same_type=False)
    )
    """Token ids; a list, or a one-dimensional integer array."""
    type: Literal["encoded_text"] = "encoded_text"
    """The kind of chunk, always `encoded_text`."""

    @property
    def length(self) -> int:
        """Positions that the chunk takes in the context."""
        return len(self.tokens)


@attrs.frozen(field_transformer=own_fields)
class ImageChunk(Model):
    """An image, encoded as PNG or JPEG."""

    data: bytes = attrs.field(converter=image_bytes, repr=lambda data: f"<{len(data)} bytes>")
    """The file's bytes; the constructor takes standard base64 text too."""
    format: ImageFormat = attrs.field(converter=image_format)
    """`png` or `jpeg`."""
    expected_tokens: int | None = None
    """Number of positions that the image will take, which the server may check; None for unknown."""
    type: Literal["image"] = "image"
    """The kind of chunk, always `image`."""
    override_dimensions: tuple[int, int] | None = attrs.field(default=None, kw_only=True)
    """Width and height in pixels to scale to, in the binary encoding alone; None is the image's own."""

    @classmethod
    def from_base64(cls, text: str, format: ImageFormat, expected_tokens: int | None = None) -> ImageChunk:
        """Take standard base64 text."""
        return cls(text, format, expected_tokens)

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], expected_tokens: int | None = None) -> ImageChunk:
        """Read a PNG or JPEG file; its first bytes show the format."""
        data = image_file(path)
        return cls(data, sniff_format(data), expected_tokens)

    @classmethod
    def from_pil(
        cls, image: Image, format: ImageFormat = "png", expected_tokens: int | None = None
    ) -> ImageChunk:
        """Encode a PIL image. Needs the `images` extra."""
        return cls(image_encoded(image, format), format, expected_tokens)

    @property
    def length(self) -> int:
        """Positions that the image takes in the context; an error unless expected_tokens is set."""
        return required_length("image", self.expected_tokens)


@attrs.frozen(field_transformer=own_fields)
class ImageAssetPointerChunk(Model):
    """An image that the server already has."""

    format: ImageFormat = attrs.field(converter=image_format)
    """`png` or `jpeg`."""
    location: str
    """Where the server finds the image."""
    expected_tokens: int | None = None
    """Number of positions that the image will take; None for unknown."""
    type: Literal["image_asset_pointer"] = "image_asset_pointer"
    """The kind of chunk, always `image_asset_pointer`."""

    @property
    def length(self) -> int:
        """Positions that the image takes in the context; an error unless expected_tokens is set."""
        return required_length("image asset", self.expected_tokens)


@attrs.frozen(field_transformer=own_fields)
class DmelChunk(Model):
    """Sound, as mel spectrogram bins in the API's own container."""

    dmel: bytes = attrs.field(converter=dmel_bytes, repr=lambda data: f"<{len(data)} bytes>")
    """The container's bytes; the constructor takes standard base64 text too."""
    type: Literal["dmel"] = "dmel"
    """The kind of chunk, always `dmel`."""

    @property
    def length(self) -> int:
        """Positions that the sound takes in the context: the first dimension in the container's header."""
        return dmel_length(self.dmel)


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
        return required_length(
            f"{self.type or 'untagged'} chunk", tokens if isinstance(tokens, int) else None
        )

    def _named(self) -> Iterator[tuple[str, Any, object]]:
        return ((name, value, attrs.NOTHING) for name, value in self.raw.items())

    @classmethod
    def _of_mapping(cls, fields: Mapping[str, Any]) -> UnknownChunk:
        if not isinstance(fields.get("type"), str):
            raise InputError("a chunk of an unknown kind has a tag", field="type")
        return cls(fields)


ModelInputChunk = EncodedTextChunk | ImageChunk | ImageAssetPointerChunk | DmelChunk | UnknownChunk
"""One piece of a model input."""


_KINDS = frozenset(get_args(ModelInputChunk))
_read = taking("ModelInput", "chunks", list[ModelInputChunk])


def _copied(chunks: Iterable[ModelInputChunk]) -> list[ModelInputChunk]:
    """Accept any iterable of chunks: for type checkers, a list of one kind is no list of all kinds."""
    if type(chunks) is list and _KINDS.issuperset(map(type, chunks)):  # as `_read` does, sooner
        return chunks.copy()
    copied: list[ModelInputChunk] = _read(chunks)
    return copied


@attrs.frozen(field_transformer=own_fields)
class ModelInput(Model):
    """A sequence of chunks, in the order in which the model reads them."""

    chunks: list[ModelInputChunk] = attrs.field(converter=_copied)
    """The pieces, in the order in which the model reads them."""

    @classmethod
    def from_ints(cls, tokens: Sequence[int]) -> ModelInput:
        """Make an input of one text chunk."""
        return cls([EncodedTextChunk(tokens)])

    @classmethod
    def empty(cls) -> ModelInput:
        """Make an input without chunks."""
        return cls([])

    def to_ints(self) -> list[int]:
        """Return all token ids; an error if any chunk is not text."""
        tokens: list[int] = []
        for index, chunk in enumerate(self.chunks):
            if not isinstance(chunk, EncodedTextChunk):
                raise InputError(f"chunk {index} is {chunk.type!r}, not text", field="model_input")
            tokens.extend(int(token) for token in chunk.tokens)
        return tokens

    @property
    def length(self) -> int:
        """Positions in the context; an error if an image does not say its expected_tokens."""
        return sum(chunk.length for chunk in self.chunks)

    def append(self, chunk: ModelInputChunk) -> ModelInput:
        """Return a new input with one more chunk."""
        return attrs.evolve(self, chunks=[*self.chunks, chunk])

    def append_int(self, token: int) -> ModelInput:
        """Return a new input with one more chunk of a single token."""
        return self.append(EncodedTextChunk([token]))
