# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SaveWeightsExternalRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SaveWeightsExternalRequest(Value):
    """Store weights as files to download.

    * `model_id`: The model to save.
    * `path`: Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`.
    * `seq_id`: Place of the request in the model's training order, from 1. Absent or null leaves it
      to the server.
    * `ttl_seconds`: Seconds until the server deletes the files, one hour to ten years. Absent or
      null keeps them. Unit: s.
    * `age_encryption_recipients`: Public age keys that the files are encrypted for. Absent or null
      leaves them unencrypted.
    * `type`: The kind of request, always `save_weights_external`.
    """

    model_id: str
    """The model to save."""
    path: str
    """Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`."""
    seq_id: int | None = attrs.field(default=None, validator=Limits(minimum=1, maximum=2147483647))
    """Place of the request in the model's training order, from 1. Absent or null leaves it to the server."""
    ttl_seconds: int | None = attrs.field(default=None, validator=Limits(minimum=3600, maximum=315360000))
    """Seconds until the server deletes the files, one hour to ten years. Absent or null keeps them.
    Unit: s.
    """
    age_encryption_recipients: list[str] | None = None
    """Public age keys that the files are encrypted for. Absent or null leaves them unencrypted."""
    type: Literal["save_weights_external"] = "save_weights_external"
    """The kind of request, always `save_weights_external`."""
