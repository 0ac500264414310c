# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""UnloadModelResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class UnloadModelResponse(Model):
    """The memory of the model is free.

    * `model_id`: The model that was freed.
    * `type`: The kind of result, `unload_model`.
    """

    model_id: str
    """The model that was freed."""
    type: str | None = "unload_model"
    """The kind of result, `unload_model`."""
