# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SaveWeightsRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SaveWeightsRequest(Value):
    """Store a checkpoint to go on training from, with weights and optimizer state.

    * `model_id`: The model to save.
    * `path`: Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`. Absent
      or null lets the server choose.
    * `seq_id`: Place of the request in the model's training order, from 1. Absent or null leaves it
      to the server.
    * `ttl_seconds`: Seconds until the server deletes it, one hour to ten years. Absent or null
      keeps it. Unit: s.
    * `overwrite`: Whether a checkpoint of the same name may be replaced. Absent means no, and the
      answer is then 409.
    * `user_metadata`: Labels that the user attaches to the checkpoint, text by name. Absent or null
      means none.
    * `type`: The kind of request, always `save_weights`.
    """

    model_id: str
    """The model to save."""
    path: str | None = None
    """Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`. Absent or null
    lets the server choose.
    """
    seq_id: int | None = attrs.field(default=None, validator=Limits(minimum=1, maximum=2147483647))
    """Place of the request in the model's training order, from 1. Absent or null leaves it to the server."""
    ttl_seconds: int | None = attrs.field(default=None, validator=Limits(minimum=3600, maximum=315360000))
    """Seconds until the server deletes it, one hour to ten years. Absent or null keeps it. Unit: s."""
    overwrite: bool | None = None
    """Whether a checkpoint of the same name may be replaced. Absent means no, and the answer is then 409."""
    user_metadata: dict[str, str] | None = None
    """Labels that the user attaches to the checkpoint, text by name. Absent or null means none."""
    type: Literal["save_weights"] = "save_weights"
    """The kind of request, always `save_weights`."""
