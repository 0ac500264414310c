# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""UnloadModelRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class UnloadModelRequest(Value):
    """Free the memory of a model. What was not saved is lost.

    * `model_id`: The model to free.
    * `type`: The kind of request, always `unload_model`.
    """

    model_id: str
    """The model to free."""
    type: Literal["unload_model"] = "unload_model"
    """The kind of request, always `unload_model`."""
