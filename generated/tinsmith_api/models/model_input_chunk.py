# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ModelInputChunk."""

from __future__ import annotations

from .dmel_chunk import DmelChunk
from .encoded_text_chunk import EncodedTextChunk
from .image_asset_pointer_chunk import ImageAssetPointerChunk
from .image_chunk import ImageChunk

ModelInputChunk = EncodedTextChunk | ImageChunk | ImageAssetPointerChunk | DmelChunk
"""One piece of what a model reads, told apart by `type`. Clients before 0.18 leave `type` out; a
server then looks at the other keys.
"""
