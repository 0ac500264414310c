# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CreateModelResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CreateModelResponse(Model):
    """The model exists.

    * `model_id`: Id of the new model.
    * `type`: The kind of result, `create_model`.
    """

    model_id: str
    """Id of the new model."""
    type: str = "create_model"
    """The kind of result, `create_model`."""
