# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ImageAssetPointerChunk."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .image_format import ImageFormat


@attrs.frozen(field_transformer=own_fields)
class ImageAssetPointerChunk(Value):
    """An image that the server has or fetches. There is no binary form of it.

    * `format`: Format of the file, `png` or `jpeg`.
    * `location`: Where the server finds the image.
    * `expected_tokens`: Positions that the image will take in the context. The server checks it and
      may refuse a mismatch. Absent or null leaves it to the server. Unit: tokens.
    * `type`: The kind of chunk, always `image_asset_pointer`.
    """

    format: ImageFormat
    """Format of the file, `png` or `jpeg`."""
    location: str
    """Where the server finds the image."""
    expected_tokens: int | None = attrs.field(default=None, validator=Limits(minimum=0))
    """Positions that the image will take in the context. The server checks it and may refuse a
    mismatch. Absent or null leaves it to the server. Unit: tokens.
    """
    type: Literal["image_asset_pointer"] = "image_asset_pointer"
    """The kind of chunk, always `image_asset_pointer`."""
