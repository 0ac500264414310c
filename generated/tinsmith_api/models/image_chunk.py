# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ImageChunk."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .image_format import ImageFormat


@attrs.frozen(field_transformer=own_fields)
class ImageChunk(Value):
    """An image.

    * `data`: The image file, in standard base64.
    * `format`: Format of the file, `png` or `jpeg`.
    * `expected_tokens`: Positions that the image will take in the context. The server checks it and
      may refuse a mismatch. Absent or null leaves it to the server. Unit: tokens.
    * `type`: The kind of chunk, always `image`.
    """

    data: str
    """The image file, in standard base64."""
    format: ImageFormat
    """Format of the file, `png` or `jpeg`."""
    expected_tokens: int | None = attrs.field(default=None, validator=Limits(minimum=0))
    """Positions that the image will take in the context. The server checks it and may refuse a
    mismatch. Absent or null leaves it to the server. Unit: tokens.
    """
    type: Literal["image"] = "image"
    """The kind of chunk, always `image`."""
