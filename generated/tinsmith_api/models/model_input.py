# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ModelInput."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields
from .model_input_chunk import ModelInputChunk


@attrs.frozen(field_transformer=own_fields)
class ModelInput(Value):
    """What a model reads, one chunk after the other.

    * `chunks`: The chunks, in order.
    """

    chunks: list[ModelInputChunk]
    """The chunks, in order."""
