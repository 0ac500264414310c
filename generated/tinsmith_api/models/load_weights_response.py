# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""LoadWeightsResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class LoadWeightsResponse(Model):
    """The checkpoint is loaded.

    * `path`: The checkpoint that was loaded. Absent or null where the server does not repeat it.
    * `model_id`: The model that the load created. Absent or null where it loaded into an existing
      one.
    * `type`: The kind of result, `load_weights`.
    """

    path: str | None = None
    """The checkpoint that was loaded. Absent or null where the server does not repeat it."""
    model_id: str | None = None
    """The model that the load created. Absent or null where it loaded into an existing one."""
    type: str | None = "load_weights"
    """The kind of result, `load_weights`."""
